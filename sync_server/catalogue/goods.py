"""The catalogue as head office keeps it and tills pull it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from sqlalchemy import bindparam, select, update

from shared.catalogue.batches import Batch
from shared.catalogue.goods import Goods
from shared.catalogue.search import search_keys
from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import GoodsId
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.schema import goods, goods_prices
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work

_list = msgspec.json.Decoder(list[Goods])
_article = msgspec.json.Decoder(Goods)
_DOCUMENTS: Final = select(goods.c.goods_id, goods.c.document).where(
    goods.c.shard == bindparam("shard"), among_told(goods.c.goods_id, "skus")
)
"""Asked for every sale that is judged: made once."""


def read_goods(document: bytes) -> list[Goods]:
    """Goods from a JSON list; DomainError ``goods-unreadable`` or ``bad-goods`` for others."""
    try:
        found = _list.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DomainError("goods-unreadable", reason=str(error)) from error
    if len({each.sku for each in found}) != len(found):
        raise DomainError("goods-unreadable", reason="an SKU stands there twice")
    return found


@dataclass(frozen=True, slots=True)
class CatalogueDesk:
    """Changes goods."""

    database: Database
    clock: Clock

    def put(self, articles: Sequence[Goods]) -> int:
        """Add or replace goods by SKU; returns how many really changed.

        A batch that was called back stays so unless the article itself says otherwise.
        """
        with self.database.writing() as work:
            return self._put(work, articles)

    def _put(self, work: Work, articles: Sequence[Goods]) -> int:
        stored = work.connection.execute(
            goods.select().where(goods.c.shard == work.shard, goods.c.deleted.is_(False))
        )
        known = {row.goods_id: row.document for row in stored}
        articles_by_sku = {one.sku: _still_recalled(one, known.get(one.sku)) for one in articles}
        encoded = {sku: msgspec.json.encode(article) for sku, article in articles_by_sku.items()}
        changed = {sku: text for sku, text in encoded.items() if known.get(sku) != text}
        if not changed:
            return 0
        statement = work.upsert(goods)
        statement = statement.on_conflict_do_update(
            index_elements=list(goods.primary_key),
            set_={
                name: getattr(statement.excluded, name)
                for name in ("document", "search_keys", "deleted", "change_seq")
            },
        )
        rows = [
            {
                "shard": work.shard,
                "goods_id": sku,
                "document": document,
                "search_keys": msgspec.msgpack.encode(search_keys(articles_by_sku[sku])),
                "deleted": False,
                "change_seq": number,
            }
            for (sku, document), number in zip(
                changed.items(), work.take(len(changed)), strict=True
            )
        ]
        work.connection.execute(statement, rows)
        self._note_prices(work, [articles_by_sku[sku] for sku in changed])
        return len(changed)

    def recall(self, sku: GoodsId, batch: str, *, is_recalled: bool = True) -> None:
        """Call a batch back, or take that back; one that was not on the list is put there.

        Raises DomainError ``goods-not-in-catalogue`` and ``bad-goods``.
        """
        with self.database.writing() as work:
            article = articles(work, [sku]).get(sku)
            if article is None:
                raise DomainError("goods-not-in-catalogue", sku=sku)
            named = {one.batch: one for one in article.batches}
            known = named.get(batch, Batch(batch=batch))
            named[batch] = replace(known, is_recalled=is_recalled)
            self._put(work, [replace(article, batches=tuple(named.values()))])

    def _note_prices(self, work: Work, changed: Sequence[Goods]) -> None:
        """Keep what articles cost from now on, and until when they cost something else."""
        columns = goods_prices.c
        now = format_time(self.clock.now())
        new = [
            {"shard": work.shard, "goods_id": one.sku, "list_price": one.list_price_minor}
            for one in changed
        ]
        replaced = (
            update(goods_prices)
            .where(
                columns.shard == work.shard,
                columns.goods_id == bindparam("sku"),
                columns.list_price != bindparam("price"),
                columns.replaced_at == "",
            )
            .values(replaced_at=now)
        )
        prices = [{"sku": one.sku, "price": one.list_price_minor} for one in changed]
        work.connection.execute(replaced, prices)
        statement = work.upsert(goods_prices)
        again = statement.on_conflict_do_update(
            index_elements=list(goods_prices.primary_key), set_={"replaced_at": ""}
        )
        work.connection.execute(again, new)


def _still_recalled(article: Goods, before: bytes | None) -> Goods:
    """An article with the batches that were called back and that it does not mention."""
    if before is None:
        return article
    named = {one.batch for one in article.batches}
    recalled = [
        one for one in _article.decode(before).batches if one.is_recalled and one.batch not in named
    ]
    return replace(article, batches=(*article.batches, *recalled)) if recalled else article


def articles(snapshot: Snapshot, skus: Iterable[str]) -> dict[str, Goods]:
    """Articles by SKU; what the catalogue has never had is left out."""
    told = {"shard": snapshot.shard, "skus": rows_of_keys(skus)}
    rows = snapshot.connection.execute(_DOCUMENTS, told).all()
    return {row.goods_id: _article.decode(row.document) for row in rows}
