"""What is sold most often here, for the tiles of goods that are quicker to tap than to scan."""

from collections import Counter

from desktop.services.books import Books
from desktop.store import catalogue, tickets
from shared.catalogue.goods import Goods
from shared.ids import GoodsId

TICKETS_LOOKED_AT = 200


def often_sold(books: Books, *, limit: int) -> list[Goods]:
    """Goods of the newest tickets, most often sold first; filled up from the catalogue."""
    counted: Counter[str] = Counter()
    with books.reading() as connection:
        for summary in tickets.recent(connection, limit=TICKETS_LOOKED_AT):
            found = tickets.find_sale(connection, summary.entry_id)
            if found is not None:
                counted.update(line.goods_id for line in found[1].lines)
        known = [
            goods
            for goods_id, _ in counted.most_common(limit)
            if (goods := catalogue.find_by_id(connection, GoodsId(goods_id)))
        ]
        others = catalogue.search(connection, "", limit=2 * limit)
    return [*known, *(goods for goods in others if goods not in known)][:limit]
