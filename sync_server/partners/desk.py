"""Books what partners sold, once each, and tells what is owed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby

import msgspec
from sqlalchemy import select

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import MemberId
from shared.ledger.account import AccountKind, points_unit
from shared.loyalty.calendar import last_day
from shared.loyalty.document import Names
from shared.loyalty.engagement import Partner
from shared.loyalty.lots import draw, spendable
from shared.loyalty.partners import Statement, at_partner, statement
from shared.loyalty.programme import Programme
from shared.money import Currency
from shared.pricing.sale_lines import names_by_language
from shared.trade.fact import BundleRef, LotDraw
from shared.trade.partner import PartnerReturned, PartnerSold
from shared.trade.profile import KeyKind, lookup_hash
from shared.trade.writing import Writing
from sync_server.database.schema import member_keys, members, natural_keys
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.leases.standing import LeasedAccount, left_of, open_leases
from sync_server.members.aliases import stands_for
from sync_server.partners.booked import (
    AHEAD_MAX,
    BEHIND_MAX,
    OfPartner,
    booked,
    figures,
    key_of,
    of_days,
    returns_of,
)
from sync_server.partners.returning import return_fact
from sync_server.partners.sales_file import ToldSale, read_sales
from sync_server.points.held import held_points
from sync_server.points.recovery import Recovery
from sync_server.programme.bundles import in_force, programme_of

NAMELESS = Names(zh="", en="")
SALES_AT_ONCE = 20
"""In one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What became of the rows of a file."""

    booked: int
    repeated: int
    """They had been booked before."""
    refused: tuple[tuple[int, str, DomainError], ...]
    """Line, reference and why; nothing of them was booked."""


@dataclass(frozen=True, slots=True)
class PartnerDesk:
    """What members earn and spend at partners, and what comes back of it."""

    database: Database
    clock: Clock
    own: OwnJournal
    recovery: Recovery
    lookup_key: bytes

    def book(self, partner: str, document: bytes) -> Booked:
        """Book a file of sales; one that was booked before changes nothing.

        Raises DomainError ``not-in-programme`` and ``partner-file``: then nothing of the file is
        booked.
        """
        with self.database.reading() as snapshot:
            _ref, programme, _rule = _in_force(snapshot, partner)
        told = read_sales(document, Currency(programme.currency))
        new = repeated = 0
        refused: list[tuple[int, str, DomainError]] = []
        for at in range(0, len(told), SALES_AT_ONCE):
            with self.database.writing() as work:
                for sale in told[at : at + SALES_AT_ONCE]:
                    try:
                        is_new = self._book(work, partner, sale)
                    except DomainError as error:
                        refused.append((sale.line, sale.reference, error))
                        continue
                    new += is_new
                    repeated += not is_new
        return Booked(booked=new, repeated=repeated, refused=tuple(refused))

    def _book(self, work: Work, partner: str, sale: ToldSale) -> bool:
        key = key_of(partner, sale.reference)
        known = booked(work, key)
        if known is not None:
            if not _is_same(known[1], sale):
                raise DomainError("partner-reference", reference=sale.reference)
            return False
        today = self.clock.now().date()
        if not today - BEHIND_MAX <= sale.day <= today + AHEAD_MAX:
            raise DomainError("partner-day", day=sale.day.isoformat(), days=BEHIND_MAX.days)
        make = self._returned if sale.returns else self._sold
        fact = make(work, partner, sale)
        (entry,) = self.own.write(work, [Writing(fact)])
        work.insert(natural_keys, [{"natural_key": key, "entry_id": entry}])
        self.recovery.settle(work, [fact.member_id], cause=entry)
        return True

    def _sold(self, work: Work, partner: str, sale: ToldSale) -> PartnerSold:
        ref, programme, rule = _in_force(work, partner, sale.day)
        member = self._member(work, sale.member)
        outcome = at_partner(rule, sale.spend_minor, sale.points)
        lapses = last_day(sale.day, programme.expiry) if outcome.points else None
        return PartnerSold(
            programme=ref,
            partner=rule.id,
            names=names_by_language(rule.names),
            reference=sale.reference,
            day=sale.day.isoformat(),
            currency=programme.currency,
            member_id=member,
            spend=sale.spend_minor - outcome.paid_minor,
            points_decimals=programme.points.decimals,
            points=outcome.points,
            points_expire_on=lapses.isoformat() if lapses else None,
            paid=outcome.paid_minor,
            points_spent=sale.points,
            lots=_take(work, member, programme, sale.points, sale.day),
        )

    def _returned(self, work: Work, partner: str, told: ToldSale) -> PartnerReturned:
        """Raises DomainError ``partner-return``: no such sale of this member before that day."""
        entry, sale = booked(work, key_of(partner, told.returns)) or (None, None)
        member = self._member(work, told.member)
        if (
            entry is None
            or not isinstance(sale, PartnerSold)
            or stands_for(work, sale.member_id) != member
            or told.day.isoformat() < sale.day
            or told.points
        ):
            raise DomainError("partner-return", reference=told.returns)
        _ref, programme, _rule = _in_force(work, partner, told.day)
        return return_fact(
            sale,
            entry,
            told,
            before=returns_of(work, sale),
            member=member,
            held=held_points(work, member, told.day),
            programme=programme,
        )

    def _member(self, snapshot: Snapshot, text: str) -> MemberId:
        """Of a card, a phone or an id.

        Raises DomainError ``partner-member-unknown`` and ``partner-member-unclear``: the card of
        one is the phone of another.
        """
        hashes = [lookup_hash(self.lookup_key, kind, text) for kind in KeyKind]
        found = snapshot.connection.execute(
            select(member_keys.c.member_id).where(
                member_keys.c.shard == snapshot.shard, member_keys.c.key_hash.in_(hashes)
            )
        ).scalars()
        persons = {stands_for(snapshot, MemberId(one)) for one in found}
        if len(persons) > 1:
            raise DomainError("partner-member-unclear")
        member = persons.pop() if persons else stands_for(snapshot, MemberId(text))
        known = select(members.c.gone).where(
            members.c.shard == snapshot.shard, members.c.member_id == member
        )
        if snapshot.connection.execute(known).scalar() is not False:
            # Never the text itself: it may be a phone.
            raise DomainError("partner-member-unknown")
        return member

    def statement(self, partner: str, first: date, last: date) -> list[Statement]:
        """What both sides owe for the sales of these days, apart for each set of terms.

        Raises DomainError ``not-in-programme`` for a partner that nobody knows.
        """
        with self.database.reading() as snapshot:
            found = of_days(snapshot, partner, first, last)
            if not found:
                _in_force(snapshot, partner)
            terms = {sale.programme: _terms(snapshot, sale) for sale in found}
        facts = [(terms[fact.programme], fact) for fact in found]
        facts.sort(key=lambda one: msgspec.json.encode(one[0]))
        return [
            _statement(rates, [fact for _rates, fact in group])
            for rates, group in groupby(facts, key=lambda one: one[0])
        ]


def _statement(terms: Partner, facts: Sequence[OfPartner]) -> Statement:
    return statement(
        terms,
        [figures(fact) for fact in facts if isinstance(fact, PartnerSold)],
        [figures(fact) for fact in facts if isinstance(fact, PartnerReturned)],
    )


def _is_same(fact: OfPartner, told: ToldSale) -> bool:
    """Whether a row says again what was booked."""
    of, points = told.returns, told.points
    if isinstance(fact, PartnerSold):
        is_same = not of and points == fact.points_spent
    else:
        is_same = of == fact.of_reference and not points
    return is_same and (fact.day, fact.spend + fact.paid) == (
        told.day.isoformat(),
        told.spend_minor,
    )


def _in_force(
    snapshot: Snapshot, partner: str, day: date | None = None
) -> tuple[BundleRef, Programme, Partner]:
    """Today's programme, or that of the end of a day, with what it says of the partner."""
    after = format_time(datetime.combine(day + AHEAD_MAX, time.min, UTC)) if day else None
    found = in_force(snapshot, after)
    for rule in found[1].partners if found else ():
        if found and rule.id == partner:
            return (*found, rule)
    raise DomainError("not-in-programme", what=partner)


def _terms(snapshot: Snapshot, sale: OfPartner) -> Partner:
    """The partner's rates at the time, whatever it was called."""
    programme = programme_of(snapshot, sale.programme)
    # What this server booked by a programme is kept as long as the books are.
    assert programme is not None
    (rule,) = (one for one in programme.partners if one.id == sale.partner)
    return msgspec.structs.replace(rule, names=NAMELESS)


def _take(
    snapshot: Snapshot, member: MemberId, programme: Programme, points: int, today: date
) -> tuple[LotDraw, ...]:
    """The lots that pay on the day of the sale; what tills may spend offline is not free.

    Raises DomainError ``points-not-enough``.
    """
    if not points:
        return ()
    held = held_points(snapshot, member, today).usable(programme)
    account = LeasedAccount(
        kind=AccountKind.POINTS, owner=member, unit=points_unit(programme.points.decimals)
    )
    leased = sum(map(left_of, open_leases(snapshot, account)))
    if points > (free := spendable(held, today) - leased):
        raise DomainError("points-not-enough", points=points, balance=max(0, free))
    return draw(held, points, today)
