"""What a member bought here on a business day, and kept."""

from collections import Counter
from datetime import date

from sqlalchemy import Connection, select

from desktop.store.schema import tickets
from desktop.store.tickets import find_sale, returns_of
from shared.ids import EntryId, MemberId
from shared.trade.fact import Measure
from shared.trade.ticket import SaleCompleted


def bought_on(connection: Connection, member_id: MemberId, day: date) -> Counter[str]:
    """Units by SKU in this till's sales, less those that came back; a weighed line counts as one.

    What offers gave on top was not bought, nor what came in.
    """
    sales = connection.execute(
        select(tickets.c.entry_id).where(
            tickets.c.member_id == member_id,
            tickets.c.business_date == day.isoformat(),
            tickets.c.kind == SaleCompleted.kind,
        )
    ).scalars()
    units: Counter[str] = Counter()
    for entry_id in sales.all():
        found = find_sale(connection, EntryId(entry_id))
        assert found is not None
        units += _kept(connection, EntryId(entry_id), found[1])
    return units


def _kept(connection: Connection, entry_id: EntryId, sale: SaleCompleted) -> Counter[str]:
    back: Counter[int] = Counter()
    for returned in returns_of(connection, entry_id):
        for line in returned.lines:
            back[line.of_line] += line.quantity
    units: Counter[str] = Counter()
    for sold in sale.lines:
        left = sold.quantity - back[sold.line]
        if not sold.given_by and not sold.comes_in:
            units[sold.goods_id] += min(1, left) if sold.measure is Measure.GRAM else left
    return units
