"""The tax of gift cards that were taxed when they were sold, by the ledger."""

from sqlalchemy import select

from shared.journal.entry import decode_entry
from shared.ledger.account import AccountKind, tax_of_lot
from shared.loyalty.prepaid_tax import TaxTable, plus, tax_of, unused_by
from shared.protocol.lease import CardTax
from shared.trade.kinds import read_fact
from shared.trade.value import GiftCardSold
from sync_server.database.schema import balances, entries, gift_cards
from sync_server.database.transaction import Snapshot


def card_tax(snapshot: Snapshot, card_id: str, unit: str, left: int) -> CardTax | None:
    """How a card with so much ``left`` was taxed, and what of that is not used up.

    None for one that is taxed when it is spent.
    """
    as_sold = taxes_as_sold(snapshot, card_id)
    if not as_sold:
        return None
    columns = balances.c
    found = snapshot.connection.execute(
        select(columns.lot, columns.amount).where(
            columns.shard == snapshot.shard,
            columns.account == AccountKind.PREPAID_TAX.value,
            columns.owner == card_id,
            columns.unit == unit,
        )
    )
    taxes = {tax_of_lot(lot): tax for lot, tax in found}
    return CardTax(as_sold=as_sold, unused=unused_by(as_sold, left, taxes))


def taxes_as_sold(snapshot: Snapshot, card_id: str) -> TaxTable:
    """The tax table that a card was sold with; of two sales of one card that of both."""
    rows = snapshot.connection.execute(
        select(entries.c.bytes)
        .join(
            gift_cards,
            (gift_cards.c.shard == entries.c.shard) & (gift_cards.c.entry_id == entries.c.id),
        )
        .where(gift_cards.c.shard == snapshot.shard, gift_cards.c.card_id == card_id)
        .order_by(entries.c.server_seq)
    )
    whole: TaxTable = ()
    for row in rows.all():
        fact = read_fact(decode_entry(row.bytes).envelope)
        if isinstance(fact, GiftCardSold) and fact.taxes:
            is_alike = list(map(tax_of, whole)) == list(map(tax_of, fact.taxes))
            whole = plus(whole, fact.taxes) if is_alike else whole or fact.taxes
    return whole
