"""Books what partners sold, once each, and tells what is owed for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import msgspec
from sqlalchemy import select

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import LotId, MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import AccountKind, points_unit
from shared.loyalty.calendar import last_day
from shared.loyalty.document import Names
from shared.loyalty.engagement import Partner
from shared.loyalty.lots import Lot, draw, spendable
from shared.loyalty.partners import Statement, at_partner, statement
from shared.loyalty.programme import Programme
from shared.loyalty.usable import usable
from shared.money import Currency
from shared.pricing.sale_lines import names_by_language
from shared.trade.fact import BundleRef, LotDraw
from shared.trade.kinds import read_fact
from shared.trade.partner import PartnerSold
from shared.trade.profile import KeyKind, lookup_hash
from shared.trade.writing import Writing
from sync_server.database.schema import entries, member_keys, members, natural_keys
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.leases.standing import LeasedAccount, left_of, open_leases
from sync_server.members.aliases import stands_for
from sync_server.members.rows import read_balances
from sync_server.partners.sales_file import ToldSale, read_sales
from sync_server.programme.bundles import in_force, programme_of

NAMELESS = Names(zh="", en="")
SALES_AT_ONCE = 100
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
    """What members earn and spend at partners."""

    database: Database
    clock: Clock
    own: OwnJournal
    lookup_key: bytes

    def book(self, partner: str, document: bytes) -> Booked:
        """Book a file of sales; one that was booked before changes nothing.

        Raises DomainError ``not-in-programme`` and ``partner-file``: then nothing of the file is
        booked.
        """
        with self.database.reading() as snapshot:
            ref, programme, rule = _in_force(snapshot, partner)
        told = read_sales(document, Currency(programme.currency))
        booked = repeated = 0
        refused: list[tuple[int, str, DomainError]] = []
        for at in range(0, len(told), SALES_AT_ONCE):
            with self.database.writing() as work:
                for sale in told[at : at + SALES_AT_ONCE]:
                    try:
                        is_new = self._book(work, ref, programme, rule, sale)
                    except DomainError as error:
                        refused.append((sale.line, sale.reference, error))
                        continue
                    booked += is_new
                    repeated += not is_new
        return Booked(booked=booked, repeated=repeated, refused=tuple(refused))

    def _book(
        self, work: Work, ref: BundleRef, programme: Programme, rule: Partner, sale: ToldSale
    ) -> bool:
        key = f"partner:{rule.id}:{sale.reference}"
        if _is_booked(work, key):
            return False
        member = self._member(work, sale.member)
        outcome = at_partner(rule, sale.spend_minor, sale.points)
        lapses = last_day(sale.day, programme.expiry) if outcome.points else None
        fact = PartnerSold(
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
            lots=_take(work, member, programme, sale.points, self._today()),
        )
        (entry,) = self.own.write(work, [Writing(fact)])
        work.insert(natural_keys, [{"natural_key": key, "entry_id": entry}])
        return True

    def _today(self) -> date:
        return self.clock.now().date()

    def _member(self, snapshot: Snapshot, text: str) -> MemberId:
        """Of a card, a phone or an id; DomainError ``unknown-member``."""
        hashes = [lookup_hash(self.lookup_key, kind, text) for kind in KeyKind]
        found = snapshot.connection.execute(
            select(member_keys.c.member_id).where(
                member_keys.c.shard == snapshot.shard, member_keys.c.key_hash.in_(hashes)
            )
        ).scalar()
        member = stands_for(snapshot, MemberId(found or text))
        known = select(members.c.gone).where(
            members.c.shard == snapshot.shard, members.c.member_id == member
        )
        if snapshot.connection.execute(known).scalar() is not False:
            # Never the text itself: it may be a phone.
            raise DomainError("partner-member-unknown")
        return member

    def statement(self, partner: str, first: date, last: date) -> list[Statement]:
        """What both sides owe for the sales of these days, apart for each set of terms."""
        with self.database.reading() as snapshot:
            sales = [
                (_terms(snapshot, sale), sale)
                for sale in _sales(snapshot, partner)
                if first.isoformat() <= sale.day <= last.isoformat()
            ]
        sales.sort(key=lambda one: msgspec.json.encode(one[0]))
        return [
            _statement(terms, [sale for _terms_of, sale in group])
            for terms, group in groupby(sales, key=lambda one: one[0])
        ]


def _statement(terms: Partner, sales: Sequence[PartnerSold]) -> Statement:
    return statement(
        terms,
        [sale.spend for sale in sales],
        [sale.points_spent for sale in sales if sale.points_spent],
    )


def _in_force(snapshot: Snapshot, partner: str) -> tuple[BundleRef, Programme, Partner]:
    found = in_force(snapshot)
    for rule in found[1].partners if found else ():
        if found and rule.id == partner:
            return (*found, rule)
    raise DomainError("not-in-programme", what=partner)


def _terms(snapshot: Snapshot, sale: PartnerSold) -> Partner:
    """The partner's rates at the time, whatever it was called."""
    programme = programme_of(snapshot, sale.programme)
    # What this server booked by a programme is kept as long as the books are.
    assert programme is not None
    (rule,) = (one for one in programme.partners if one.id == sale.partner)
    return msgspec.structs.replace(rule, names=NAMELESS)


def _take(
    snapshot: Snapshot, member: MemberId, programme: Programme, points: int, today: date
) -> tuple[LotDraw, ...]:
    """The lots that pay; what tills may spend offline is not free.

    Raises DomainError ``points-not-enough``.
    """
    if not points:
        return ()
    rows = read_balances(snapshot, [member]).get(member, [])
    days = [date.fromisoformat(row.earned_on) for row in rows if row.earned_on]
    lots = [
        Lot(
            lot=LotId(row.lot),
            points=row.amount,
            earned_on=date.fromisoformat(row.earned_on) if row.earned_on else date.min,
            last_day=date.fromisoformat(row.expires_on) if row.expires_on else None,
        )
        for row in rows
        if row.account == AccountKind.POINTS
    ]
    account = LeasedAccount(
        kind=AccountKind.POINTS, owner=member, unit=points_unit(programme.points.decimals)
    )
    leased = sum(map(left_of, open_leases(snapshot, account)))
    held = usable(lots, programme, max(days, default=None))
    if points > (free := spendable(held, today) - leased):
        raise DomainError("points-not-enough", points=points, balance=max(0, free))
    return draw(held, points, today)


def _is_booked(snapshot: Snapshot, key: str) -> bool:
    statement = select(natural_keys.c.entry_id).where(
        natural_keys.c.shard == snapshot.shard, natural_keys.c.natural_key == key
    )
    return snapshot.connection.execute(statement).first() is not None


def _sales(snapshot: Snapshot, partner: str) -> Iterator[PartnerSold]:
    statement = (
        select(entries.c.bytes)
        .where(entries.c.shard == snapshot.shard, entries.c.kind == PartnerSold.kind)
        .order_by(entries.c.server_seq)
    )
    for encoded in snapshot.connection.execute(statement).scalars():
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, PartnerSold) and fact.partner == partner:
            yield fact
