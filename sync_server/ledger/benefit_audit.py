"""Looks at actions and draw entries again: tills without a network each know of their own only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select

from shared.errors import DomainError
from shared.ids import MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import DRAW_ENTRY, AccountKind, action_unit, points_unit
from shared.loyalty.programme import Programme
from shared.loyalty.taking_part import check_action, check_entries
from shared.pricing.sale_basket import Unjudged
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.server import ExceptionEffect
from sync_server.database.schema import entries, postings
from sync_server.database.transaction import Work
from sync_server.ledger.audit_job import Audited, Verdict, Watched, fact_of
from sync_server.ledger.finding import Finding, Rule
from sync_server.programme.bundles import programme_of

BENEFITS: Final = Watched(job="benefits", judged=ActionCounted.kind, beside=(DrawEntered.kind,))


@dataclass(frozen=True, slots=True)
class BenefitJudge:
    """Judges what members did beside buying, each after all that had arrived before it."""

    watched: Watched = BENEFITS

    def judge(self, work: Work, entry: Audited) -> Iterator[Verdict]:
        """One action, or the entries that were bought at once."""
        fact = fact_of(entry)
        if not isinstance(fact, ActionCounted | DrawEntered):
            yield Verdict(unjudged=Unjudged.UNREADABLE)
            return
        programme = programme_of(work, fact.programme)
        if programme is None:
            yield Verdict(unjudged=Unjudged.UNKNOWN_PROGRAMME)
            return
        if isinstance(fact, ActionCounted):
            effect = _action(work, entry, fact, programme)
        else:
            effect = _entered(work, entry, fact, programme)
        if effect is None:
            yield Verdict()
            return
        finding = Finding(
            rule=Rule.BENEFIT_OTHERWISE,
            natural_key=f"{Rule.BENEFIT_OTHERWISE.value}:{entry.id}",
            facts=(entry.id,),
            member_id=MemberId(fact.member.member_id),
            effects=(effect,),
        )
        yield Verdict((finding,))


def _action(
    work: Work, entry: Audited, fact: ActionCounted, programme: Programme
) -> ExceptionEffect | None:
    """The points that it gave too much; None where it is right."""
    rule = next((one for one in programme.actions if one.id == fact.action), None)
    right = rule.points if rule else 0
    if rule is not None:
        unit = action_unit(fact.action)
        counted = dict(_before(work, entry, fact.member.member_id, AccountKind.ACTION, unit))
        done = {date.fromisoformat(day): times for day, times in counted.items()}
        try:
            check_action(rule, done, date.fromisoformat(fact.day))
        except DomainError:
            right = 0
    given = fact.member.points.earned
    return _effect(AccountKind.POINTS, points_unit(fact.member.points.decimals), given - right)


def _entered(
    work: Work, entry: Audited, fact: DrawEntered, programme: Programme
) -> ExceptionEffect | None:
    """Entries that were sold beyond the rules, else the points that they cost too little."""
    rule = next((one for one in programme.draws if one.id == fact.draw), None)
    if rule is None:
        return _effect(AccountKind.DRAW_ENTRY, DRAW_ENTRY, fact.entries)
    sold = dict(_before(work, entry, fact.member.member_id, AccountKind.DRAW_ENTRY, DRAW_ENTRY))
    at = datetime.fromisoformat(decode_entry(entry.encoded).envelope.occurred_at)
    try:
        cost = check_entries(
            rule, fact.entries, own=sold.get(fact.draw, 0), at=at.replace(tzinfo=None)
        )
    except DomainError:
        return _effect(AccountKind.DRAW_ENTRY, DRAW_ENTRY, fact.entries)
    paid = sum(draw.points for tender in fact.tenders for draw in tender.lots)
    return _effect(AccountKind.POINTS, points_unit(fact.member.points.decimals), cost - paid)


def _effect(account: AccountKind, unit: str, amount: int) -> ExceptionEffect | None:
    if not amount:
        return None
    return ExceptionEffect(account=account, owner="", unit=unit, amount=amount)


def _before(
    work: Work, entry: Audited, member: str, account: AccountKind, unit: str
) -> Iterator[tuple[str, int]]:
    """What such facts had booked for a member when the entry arrived, by lot."""
    found: dict[str, int] = {}
    statement = (
        select(postings.c.lot, postings.c.amount)
        .join(
            entries,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .where(
            postings.c.shard == work.shard,
            postings.c.account == account.value,
            postings.c.owner == member,
            postings.c.unit == unit,
            entries.c.kind == entry.kind,
            entries.c.server_seq < entry.server_seq,
        )
    )
    for lot, amount in work.connection.execute(statement):
        found[lot] = found.get(lot, 0) + amount
    yield from found.items()
