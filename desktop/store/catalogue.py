"""Goods on the till: found by code at once, by part of a name while typing."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import barcodes, goods, goods_search
from shared.catalogue.goods import Goods
from shared.catalogue.search import fold
from shared.ids import GoodsId
from shared.protocol.message import GoodsRow

_decoder = msgspec.json.Decoder(Goods)


def find_by_code(connection: Connection, code: str) -> Goods | None:
    """The article with this barcode, or with this SKU."""
    goods_id = connection.execute(
        select(barcodes.c.goods_id).where(barcodes.c.code == code)
    ).scalar()
    return find_by_id(connection, GoodsId(goods_id or code))


def find_by_id(connection: Connection, goods_id: GoodsId) -> Goods | None:
    """The article with this SKU."""
    document = connection.execute(
        select(goods.c.document).where(goods.c.goods_id == goods_id)
    ).scalar()
    return _decoder.decode(document) if document is not None else None


def search(connection: Connection, text: str, *, limit: int) -> list[Goods]:
    """Articles by code, pinyin, pinyin initials, or any part of the Chinese name."""
    prefix = fold(text)
    matching = (
        select(goods_search.c.goods_id)
        .where(goods_search.c.key >= prefix, goods_search.c.key < after_prefix(prefix))
        .distinct()
        .limit(limit)
    )
    rows = connection.execute(
        select(goods.c.document).where(goods.c.goods_id.in_(matching)).order_by(goods.c.goods_id)
    )
    return [_decoder.decode(row.document) for row in rows]


def after_prefix(prefix: str) -> str:
    """The least text that is greater than every text beginning with ``prefix``."""
    return prefix + "\U0010ffff"


def apply_goods(connection: Connection, rows: Iterable[GoodsRow]) -> None:
    """Take over articles as the server has them now."""
    rows = list(rows)
    if not rows:
        return
    forget_goods(connection, [row.goods_id for row in rows])
    kept = [(row, _decoder.decode(row.document)) for row in rows if not row.deleted]
    _insert(
        connection,
        goods,
        [{"goods_id": row.goods_id, "document": row.document} for row, _ in kept],
    )
    _insert(
        connection,
        barcodes,
        [{"code": code, "goods_id": row.goods_id} for row, item in kept for code in item.barcodes],
    )
    _insert(
        connection,
        goods_search,
        [{"key": key, "goods_id": row.goods_id} for row, _ in kept for key in _endings(row)],
    )


def forget_goods(connection: Connection, ids: Sequence[GoodsId]) -> None:
    """Drop articles with all that finds them."""
    for table in (barcodes, goods_search, goods):
        connection.execute(delete(table).where(table.c.goods_id.in_(ids)))


def _insert(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    # A code that two articles claim stays with the first; the catalogue import reports it.
    if rows:
        connection.execute(upsert(table).on_conflict_do_nothing(), rows)


def _endings(row: GoodsRow) -> set[str]:
    """The keys to find an article by: Chinese ones by every ending, so any part is a beginning."""
    keys = set(row.search_keys)
    for key in row.search_keys:
        if not key.isascii():
            keys.update(key[start:].strip() for start in range(1, len(key)))
    return keys - {""}
