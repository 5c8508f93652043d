"""What head office reads: each page from one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from shared.errors import DomainError, ProtocolError
from shared.ids import MemberId
from shared.journal.entry import Envelope, decode_entry
from shared.ledger.account import Account, AccountKind, Posting, Unit
from shared.loyalty.bundle import load_programme
from shared.loyalty.programme import Programme
from shared.protocol.message import BalanceRow
from shared.trade.consent import Consent, granted
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from shared.trade.server import ExceptionRaised
from sync_server.backup.durability import last_backup
from sync_server.database import schema
from sync_server.database.transaction import Database, Snapshot
from sync_server.journal.forks import ForkKind, fork_kind
from sync_server.leases.exposure import Exposure, exposures, outstanding
from sync_server.ledger.audit_job import Progress, progress_of
from sync_server.ledger.price_audit import SALES
from sync_server.ledger.return_audit import RETURNS
from sync_server.members.consents import standing_consents
from sync_server.members.persons import Person, person_of
from sync_server.members.rows import find_member, read_balances
from sync_server.members.segments import segments_of
from sync_server.members.today import members_today
from sync_server.sync.quarantine import Decision

Item = TypeVar("Item")
PAGE_ROWS = 50
QUERY_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as head office sees them."""

    member_id: MemberId
    name: str
    phone: str
    card: str
    birthday: str
    email: str
    tier: str
    """Today, by the clock of the store that enrolled them."""
    tier_until: str
    """Its last day; empty where it has none, or that is not known."""
    points: dict[str, int]
    """What they have today, by unit: neither what has lapsed, nor what is owed."""
    store_id: str | None
    enrolled_at: str | None
    gone: bool
    balances: tuple[BalanceRow, ...]
    segments: tuple[str, ...]
    language: str
    consents: frozenset[Consent]

    def total(self, account: AccountKind) -> dict[str, int]:
        """The sum over all lots of an account, per unit."""
        sums: dict[str, int] = {}
        for row in self.balances:
            if row.account == account:
                sums[row.unit] = sums.get(row.unit, 0) + row.amount
        return sums


@dataclass(frozen=True, slots=True)
class KeptFact:
    """An entry as head office shows it."""

    envelope: Envelope
    fact: Fact
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedException:
    """An exception with the facts it links."""

    entry_id: str
    rule: str
    member_id: MemberId | None
    member_name: str
    raised_at: str
    fork: ForkKind | None
    """What a fork looks like by now."""
    fact: Fact
    facts: tuple[KeptFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An entry that could not be read."""

    journal: str
    epoch: int
    seq: int
    reason: str
    detail: str
    received_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The figures on the first page."""

    members: int
    entries: int
    exceptions: int
    quarantined: int
    audit: Progress
    returns_audit: Progress
    backup_at: str | None
    """When the newest copy on another device was made."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A stretch of a longer list."""

    items: tuple[Item, ...]
    number: int
    """From 1."""
    total: int
    """Items in all."""

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // PAGE_ROWS))


@dataclass(frozen=True, slots=True)
class OfficeReader:
    """Answers the pages' questions."""

    database: Database

    def totals(self) -> Totals:
        """Figures over everything."""
        with self.database.reading() as snapshot:
            waiting = schema.quarantine.c.resolved_at.is_(None)
            return Totals(
                members=_count(snapshot, schema.members.c.shard, schema.members.c.gone.is_(False)),
                entries=_count(snapshot, schema.entries.c.shard),
                exceptions=_count(snapshot, schema.exceptions.c.shard),
                quarantined=_count(snapshot, schema.quarantine.c.shard, waiting),
                audit=progress_of(snapshot, SALES),
                returns_audit=progress_of(snapshot, RETURNS),
                backup_at=last_backup(snapshot),
            )

    def exposures(self) -> list[Exposure]:
        """What tills may still spend without asking: the whole chain's first, then by store."""
        with self.database.reading() as snapshot:
            return exposures(outstanding(snapshot))

    def programme(self) -> Programme | None:
        """The programme in force."""
        statement = select(schema.bundles.c.document).order_by(schema.bundles.c.version.desc())
        with self.database.reading() as snapshot:
            document = snapshot.connection.execute(statement.limit(1)).scalar_one_or_none()
        if document is None:
            return None
        try:
            return load_programme(document)
        except DomainError:
            return None  # of a later release; tiers then show their ids

    def members(self, query: str, page: int, at: datetime) -> Page[Member]:
        """Members whose name holds the text, or whose phone or number begins or ends with it."""
        columns = schema.members.c
        statement = select(schema.members).where(columns.gone.is_(False))
        text = query.strip()[:QUERY_LENGTH_MAX].replace("\0", "")
        if text:
            statement = statement.where(_matches(text))
        ordered = statement.order_by(columns.enrolled_at.desc(), columns.member_id)
        return self._page(ordered, page, at)

    def member(self, member_id: MemberId, at: datetime) -> Member | None:
        """One member."""
        statement = select(schema.members).where(schema.members.c.member_id == member_id)
        with self.database.reading() as snapshot:
            rows = snapshot.connection.execute(statement).all()
            return next(iter(_members(snapshot, rows, at)), None)

    def person(self, member_id: MemberId) -> Person:
        """Whom a member is one with by now; nobody where it was erased."""
        with self.database.reading() as snapshot:
            is_here = bool(find_member(snapshot, member_id))
            return person_of(snapshot, member_id) if is_here else Person(member_id, ())

    def ledger(self, member_id: MemberId, page: int) -> Page[KeptFact]:
        """A member's entries, the newest first."""
        links = schema.member_entries.c
        mine = select(links.entry_id).where(links.member_id == member_id)
        columns = schema.entries.c
        statement = select(schema.entries).where(columns.id.in_(mine))
        with self.database.reading() as snapshot:
            total = _count(snapshot, links.shard, links.member_id == member_id)
            ordered = statement.order_by(columns.hlc.desc(), columns.id.desc())
            rows = snapshot.connection.execute(_stretch(ordered, page)).all()
            return Page(_facts(snapshot, rows), page, total)

    def exceptions(self, page: int) -> Page[RaisedException]:
        """Exceptions, the newest first."""
        columns = schema.exceptions.c
        statement = select(schema.exceptions, schema.members.c.name).outerjoin(
            schema.members,
            (schema.members.c.shard == columns.shard)
            & (schema.members.c.member_id == columns.member_id),
        )
        with self.database.reading() as snapshot:
            total = _count(snapshot, columns.shard)
            ordered = statement.order_by(columns.entry_id.desc())
            rows = snapshot.connection.execute(_stretch(ordered, page)).all()
            return Page(tuple(_exception(snapshot, row) for row in rows), page, total)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Entries that wait in quarantine, the oldest first."""
        columns = schema.quarantine.c
        statement = (
            select(schema.quarantine)
            .where(columns.resolved_at.is_(None))
            .order_by(columns.received_at, columns.seq)
            .limit(PAGE_ROWS)
        )
        with self.database.reading() as snapshot:
            return tuple(
                Quarantined(
                    journal=row.journal,
                    epoch=row.epoch,
                    seq=row.seq,
                    reason=row.reason,
                    detail=row.detail,
                    received_at=row.received_at,
                )
                for row in snapshot.connection.execute(statement)
            )

    def _page(self, statement: Select[Any], page: int, at: datetime) -> Page[Member]:
        counted = select(func.count()).select_from(statement.order_by(None).subquery())
        with self.database.reading() as snapshot:
            total = snapshot.connection.execute(counted).scalar_one()
            rows = snapshot.connection.execute(_stretch(statement, page)).all()
            return Page(_members(snapshot, rows, at), page, total)


def _stretch(statement: Select[Any], page: int) -> Select[Any]:
    return statement.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)


def _matches(text: str) -> ColumnElement[bool]:
    columns = schema.members.c
    digits = "".join(character for character in text if character.isdigit())
    tests: list[ColumnElement[bool]] = [
        columns.name.icontains(text, autoescape=True),
        columns.member_id.startswith(text.lower(), autoescape=True),
        columns.card == text,
    ]
    if digits and len(digits) == len(text.replace(" ", "").replace("-", "")):
        tests.append(columns.phone.endswith(digits))
    return or_(*tests)


def _count(snapshot: Snapshot, shard: ColumnElement[int], *conditions: ColumnElement[bool]) -> int:
    statement = select(func.count()).where(shard == snapshot.shard, *conditions)
    return int(snapshot.connection.execute(statement).scalar_one())


def _members(snapshot: Snapshot, rows: Sequence[Row[Any]], at: datetime) -> tuple[Member, ...]:
    ids = [row.member_id for row in rows]
    held, segments = read_balances(snapshot, ids), segments_of(snapshot, ids)
    consents = standing_consents(snapshot, ids)
    now = members_today(snapshot, rows, held, at)
    return tuple(
        Member(
            member_id=row.member_id,
            name=row.name,
            phone=row.phone,
            card=row.card,
            birthday=row.birthday,
            email=row.email,
            tier=now[row.member_id].tier,
            tier_until=now[row.member_id].tier_until,
            points=now[row.member_id].points,
            store_id=row.store_id,
            enrolled_at=row.enrolled_at,
            gone=row.gone,
            balances=tuple(held.get(row.member_id, ())),
            segments=tuple(segments.get(row.member_id, ())),
            language=row.language,
            consents=granted(consents.get(row.member_id, ())),
        )
        for row in rows
    )


def _facts(snapshot: Snapshot, rows: Sequence[Row[Any]]) -> tuple[KeptFact, ...]:
    columns = schema.postings.c
    booked: dict[str, list[Posting]] = {row.id: [] for row in rows}
    statement = (
        select(schema.postings)
        .where(columns.shard == snapshot.shard, columns.entry_id.in_(list(booked)))
        .order_by(columns.entry_id, columns.position)
    )
    for row in snapshot.connection.execute(statement):
        account = Account(AccountKind(row.account), row.owner, row.lot, Unit(row.unit))
        booked[row.entry_id].append(Posting(account, row.amount))
    found: list[KeptFact] = []
    waiting = _waiting(snapshot, list(booked))
    for row in rows:
        if row.id in waiting:
            continue  # it has no words: what it says was not found to make sense
        try:
            envelope = decode_entry(row.bytes).envelope
            fact = read_fact(envelope)
        except ProtocolError:
            continue  # in quarantine, shown there
        found.append(KeptFact(envelope, fact, tuple(booked[row.id])))
    return tuple(found)


def _waiting(snapshot: Snapshot, ids: Sequence[str]) -> set[str]:
    """Which of these entries are in quarantine, or were given up there."""
    columns = schema.quarantine.c
    given_up = columns.decision == Decision.REJECTED.value
    statement = select(columns.entry_id).where(
        columns.shard == snapshot.shard,
        columns.entry_id.in_(ids),
        columns.resolved_at.is_(None) | given_up,
    )
    return set(snapshot.connection.execute(statement).scalars())


def _exception(snapshot: Snapshot, row: Row[Any]) -> RaisedException:
    links, columns = schema.exception_facts.c, schema.entries.c
    about = select(links.fact_id).where(
        links.shard == snapshot.shard, links.entry_id == row.entry_id
    )
    statement = select(schema.entries).where(columns.shard == snapshot.shard)
    linked = snapshot.connection.execute(
        statement.where(columns.id.in_(about)).order_by(columns.hlc)
    ).all()
    own = snapshot.connection.execute(statement.where(columns.id == row.entry_id)).all()
    told = _facts(snapshot, own)
    bare = ExceptionRaised(natural_key=row.natural_key, rule=row.rule, member_id=row.member_id)
    return RaisedException(
        entry_id=row.entry_id,
        rule=row.rule,
        member_id=row.member_id,
        member_name=row.name or "",
        raised_at=row.raised_at,
        fork=fork_kind(snapshot, row.natural_key),
        fact=told[0].fact if told else bare,  # one must not hide all others
        facts=_facts(snapshot, linked),
    )
