"""Looks at gift cards that are taxed when they are sold: their sale, their payments, their end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from shared.ids import EntryId
from shared.ledger.account import Account, AccountKind, Posting, Unit, money_unit
from shared.loyalty.prepaid_tax import TaxTable
from shared.pricing.card_judging import CardState, paid_otherwise, pays_other_goods, sold_otherwise
from shared.pricing.sale_basket import Measured, Unjudged
from shared.trade.fact import TenderKind
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted
from shared.trade.value import GiftCardClosed, GiftCardSold
from sync_server.database.schema import entries, postings
from sync_server.database.transaction import Work
from sync_server.leases.card_tax import taxes_as_sold
from sync_server.ledger.audit_job import Audited, Verdict, Watched, fact_of
from sync_server.ledger.finding import Finding, Rule
from sync_server.programme.bundles import programme_of

CARDS: Final = Watched(job="cards", judged=GiftCardSold.kind, beside=(GiftCardClosed.kind,))


@dataclass(frozen=True, slots=True)
class CardJudge:
    """Judges cards that are sold and paid out; what they pay is judged with the sales."""

    watched: Watched = CARDS

    def judge(self, work: Work, entry: Audited) -> Iterator[Verdict]:
        """One card."""
        fact = fact_of(entry)
        if isinstance(fact, GiftCardSold):
            programme = programme_of(work, fact.programme)
            if programme is None:
                yield Verdict(unjudged=Unjudged.UNKNOWN_PROGRAMME)
                return
            tax = sold_otherwise(fact, programme)
            yield Verdict(tuple(_found(entry.id, fact.card_id, fact.currency, tax)))
        elif isinstance(fact, GiftCardClosed):
            states = _states(work, entry, fact.card_id, fact.currency, fact.amount)
            tax = paid_otherwise(fact.taxes, fact.amount, 0, states)
            yield Verdict(tuple(_found(entry.id, fact.card_id, fact.currency, tax)))
        else:
            yield Verdict(unjudged=Unjudged.UNREADABLE)


def find_strange_cards(work: Work, entry: Audited, sale: SaleCompleted) -> Iterator[Finding]:
    """Cards that a sale was paid with whose tax is not what it should be, or that paid for other
    goods than those of their tax class."""
    if sale.training:
        return
    for tender in sale.tenders:
        if tender.tender is TenderKind.GIFT_CARD:
            states = _states(work, entry, tender.reference, sale.currency, tender.amount)
            tax = paid_otherwise(tender.prepaid, tender.amount, tender.left, states)
            yield from _found(entry.id, tender.reference, sale.currency, tax)
    if over := pays_other_goods(sale):
        yield _finding(entry.id, "", sale.currency, Measured.MONEY, over)


def _states(
    work: Work, entry: Audited, card: str, currency: str, amount: int
) -> Iterator[tuple[int, TaxTable]]:
    """What was left of a card, and what a payment would have used up, as entries arrived."""
    unit = money_unit(currency)
    state = CardState(taxes_as_sold(work, card))
    for booked in _booked(work, entry, card, unit):
        state.book(booked)
        yield state.left, state.used_by(amount)


def _booked(work: Work, entry: Audited, card: str, unit: Unit) -> Iterator[list[Posting]]:
    rows = work.connection.execute(
        select(entries.c.server_seq, postings.c.account, postings.c.lot, postings.c.amount)
        .join(
            entries,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .where(
            postings.c.shard == work.shard,
            postings.c.account.in_([AccountKind.GIFT_CARD.value, AccountKind.PREPAID_TAX.value]),
            postings.c.owner == card,
            postings.c.unit == unit,
            entries.c.server_seq < entry.server_seq,
        )
        .order_by(entries.c.server_seq)
    ).all()
    by_entry: dict[int, list[Posting]] = {}
    for row in rows:
        account = Account(AccountKind(row.account), card, row.lot, unit)
        by_entry.setdefault(row.server_seq, []).append(Posting(account, row.amount))
    yield from by_entry.values()


def _found(entry: EntryId, card: str, currency: str, tax: int | None) -> Iterator[Finding]:
    if tax is not None:
        yield _finding(entry, card, currency, Measured.PREPAID_TAX, tax)


def _finding(entry: EntryId, card: str, currency: str, measured: Measured, amount: int) -> Finding:
    rule = Rule.CARD_TAXED_OTHERWISE
    return Finding(
        rule=rule,
        natural_key=f"{rule.value}:{entry}:{card}",
        facts=(entry,),
        effects=(
            ExceptionEffect(
                account=f"audit-{measured}",
                owner="",
                unit=money_unit(currency),
                amount=amount,
            ),
        ),
    )
