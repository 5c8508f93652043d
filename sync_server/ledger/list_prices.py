"""List prices that an article never had: the catalogue in a till's own file was changed."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select

from shared.ledger.account import money_unit
from shared.trade.fact import Measure, PriceSource
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted, SaleLine
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.schema import goods_prices
from sync_server.database.times import format_time
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import Audited
from sync_server.ledger.finding import Finding, Rule

BELIEVED_FOR: Final = timedelta(days=31)
"""How long after a price was replaced a till that was away may still have sold at it."""
GRAMS: Final = 1000
"""Weighed goods are priced per kilogram."""
_COSTS: Final = select(
    *(goods_prices.c[name] for name in ("goods_id", "list_price", "whole_from", "replaced_at"))
).where(goods_prices.c.shard == bindparam("shard"), among_told(goods_prices.c.goods_id, "skus"))
"""Asked for every sale there is: made once."""


def find_strange_prices(
    snapshot: Snapshot, entry: Audited, sale: SaleCompleted, at: datetime
) -> tuple[Finding, ...]:
    """Lines at list prices that head office never gave, or gave long ago."""
    listed = [
        line for line in sale.lines if line.price_source in (PriceSource.LIST, PriceSource.MANUAL)
    ]
    known = _prices(snapshot, {line.goods_id for line in listed}, at)
    strange = [
        line
        for line in listed
        if line.goods_id in known and line.list_price not in known[line.goods_id]
    ]
    if not strange:
        return ()
    less = sum(_off(line, min(known[line.goods_id])) for line in strange)
    effect = ExceptionEffect(
        account="audit-total", owner="", unit=money_unit(sale.currency), amount=less
    )
    return (
        Finding(
            rule=Rule.LISTED_OTHERWISE,
            natural_key=f"{Rule.LISTED_OTHERWISE.value}:{entry.id}",
            facts=(entry.id,),
            effects=(effect,),
        ),
    )


def _off(line: SaleLine, price_minor: int) -> int:
    """By how much a line is off, before discounts; rounded towards zero."""
    off = (line.list_price - price_minor) * line.quantity
    if line.measure is not Measure.GRAM:
        return off
    return off // GRAMS if off > 0 else -(-off // GRAMS)


def _prices(snapshot: Snapshot, skus: set[str], at: datetime) -> dict[str, set[int]]:
    """What each article may have cost; nothing of one that head office has no price of."""
    oldest = format_time(at - BELIEVED_FOR)
    told = {"shard": snapshot.shard, "skus": rows_of_keys(skus)}
    found: dict[str, set[int]] = {}
    forgotten: set[str] = set()
    for row in snapshot.connection.execute(_COSTS, told).all():
        if row.whole_from > oldest:
            forgotten.add(row.goods_id)
        prices = found.setdefault(row.goods_id, set())
        if row.replaced_at == "" or row.replaced_at >= oldest:
            prices.add(row.list_price)
    return {sku: prices for sku, prices in found.items() if prices and sku not in forgotten}
