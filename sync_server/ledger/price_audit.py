"""Prices every sale a second time: by what its fact says, then by what the server knows better."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.ids import EntryId, MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import COUPON, GROWTH, STAMP, money_unit, points_unit
from shared.loyalty.programme import Programme
from shared.pricing.sale_basket import MINUTES_BEFORE, Difference, Measured, Unjudged, judge
from shared.returning.offers_kept import offers_kept
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.catalogue.goods import articles
from sync_server.database.transaction import Work
from sync_server.ledger.audit_job import Audited, Verdict, Watched, fact_in, fact_of
from sync_server.ledger.card_audit import find_strange_cards
from sync_server.ledger.coupons_issued import coupons_known
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.known_then import known_then
from sync_server.ledger.list_prices import find_strange_prices
from sync_server.ledger.offer_uses import count_uses
from sync_server.ledger.sales_and_returns import read_return, returns_of, sale_before
from sync_server.programme.bundles import programme_of

SALES: Final = Watched(job="prices", judged=SaleCompleted.kind, beside=(SaleReturned.kind,))


@dataclass(frozen=True, slots=True)
class SaleJudge:
    """Judges sales."""

    watched: Watched = SALES

    def judge(self, work: Work, entry: Audited) -> Iterator[Verdict]:
        """One sale; what it used of limited offers is counted for those that come after it.

        A return gives back what its sale used, where nothing is left of what the offer gave.
        """
        if entry.kind == SaleReturned.kind:
            _give_uses_back(work, entry)
            return
        envelope = decode_entry(entry.encoded).envelope
        sale = fact_in(envelope)
        if not isinstance(sale, SaleCompleted):
            yield Verdict(unjudged=Unjudged.UNREADABLE)
            return
        at = datetime.fromisoformat(envelope.occurred_at)
        verdict = _judged(work, entry, sale, at)
        strange = find_strange_prices(work, entry, sale, at)
        cards = find_strange_cards(work, entry, sale)
        yield replace(verdict, findings=(*verdict.findings, *strange, *cards))
        early = list(map(read_return, returns_of(work, entry.id, before=entry.server_seq)))
        count_uses(work, sale, envelope.occurred_at, offers_kept(sale, early))


def _give_uses_back(work: Work, entry: Audited) -> None:
    returned = fact_of(entry)
    if not isinstance(returned, SaleReturned) or returned.original is None:
        return
    sold = sale_before(work, returned.original, entry.server_seq)
    if sold is None:
        return
    rows = returns_of(work, returned.original, before=entry.server_seq)
    before = list(map(read_return, rows))
    gone = offers_kept(sold.sale, before) - offers_kept(sold.sale, [*before, returned])
    count_uses(
        work,
        sold.sale,
        sold.at.isoformat(),
        Counter({offer: -times for offer, times in gone.items()}),
    )


def _judged(work: Work, entry: Audited, sale: SaleCompleted, at: datetime) -> Verdict:
    programme = programme_of(work, sale.programme)
    if programme is None:
        return Verdict(unjudged=Unjudged.UNKNOWN_PROGRAMME)
    goods = articles(work, {line.goods_id for line in sale.lines})
    by_fact = judge(sale, at, programme, goods)
    is_untold = by_fact is Unjudged.NOT_TOLD
    if isinstance(by_fact, Unjudged) and not is_untold:
        return Verdict(unjudged=by_fact)
    if by_fact and not isinstance(by_fact, Unjudged):
        return Verdict((_finding(Rule.PRICED_OTHERWISE, entry.id, sale, by_fact, programme),))
    coupons = coupons_known(work, entry, sale)
    # The basket may have been priced shortly before midnight: then that day's knowledge counts.
    days = dict.fromkeys((at - timedelta(minutes=minutes)).date() for minutes in MINUTES_BEFORE)
    verdicts = []
    for day in days:
        known = known_then(work, entry, sale, day, programme)
        if known == sale.known and not coupons:
            return Verdict()
        by_server = msgspec.structs.replace(sale, known=known)
        right = judge(by_server, at, programme, goods, coupons)
        if isinstance(right, Unjudged) or not _is_too_good(right):
            # What costs more than by the server's knowledge may have been priced with less of it.
            return Verdict(unjudged=Unjudged.NOT_TOLD) if right and is_untold else Verdict()
        verdicts.append(right)
    return Verdict((_finding(Rule.CLAIMED_OTHERWISE, entry.id, sale, verdicts[0], programme),))


def _is_too_good(found: Sequence[Difference]) -> bool:
    """Cheaper, or as cheap with more points.

    A till that knew less than the server, to the customer's cost, has claimed nothing.
    """
    amounts = {one.measured: one.amount for one in found}
    if total := amounts.get(Measured.TOTAL, 0):
        return total < 0
    return amounts.get(Measured.POINTS, 0) > 0


def _finding(
    rule: Rule,
    entry: EntryId,
    sale: SaleCompleted,
    differences: Sequence[Difference],
    programme: Programme,
) -> Finding:
    return Finding(
        rule=rule,
        natural_key=f"{rule.value}:{entry}",
        facts=(entry,),
        member_id=MemberId(sale.member.member_id) if sale.member else None,
        effects=effects_of(differences, sale.currency, programme),
    )


def effects_of(
    differences: Sequence[Difference], currency: str, programme: Programme
) -> tuple[ExceptionEffect, ...]:
    """Differences as an exception tells them."""
    money, points = money_unit(currency), points_unit(programme.points.decimals)
    units = {
        Measured.POINTS: points,
        Measured.POINTS_BACK: points,
        Measured.GROWTH: GROWTH,
        Measured.COUPONS: COUPON,
        Measured.STAMPS: STAMP,
    }
    return tuple(
        ExceptionEffect(
            account=f"audit-{one.measured}",
            owner="",
            unit=units.get(one.measured, money),
            amount=one.amount,
        )
        for one in differences
    )
