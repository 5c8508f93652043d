"""Stores and tills as head office set them up."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select, update

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import JournalId, StoreId, TillId, random_id
from sync_server.database.schema import heads, quarantine, stores, tills
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot
from sync_server.ledger.fiscal import unsigned_by_journal
from sync_server.orders.shown import CommandShown, read_commands

NAME_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A shop."""

    store_id: StoreId
    name: str
    zone: str
    """IANA name of its time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """A till of a store, enrolled or still to be."""

    till_id: TillId
    store_id: StoreId
    name: str
    number: int
    """Short number for receipts, unique in the chain of stores."""
    journal: JournalId | None
    """None before its first enrolment."""
    last_contact_at: str | None
    unsent_told: int | None
    """Entries it had not sent, as it last told."""


SHOWN_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TillState:
    """A till with what the server holds of it."""

    till: Till
    entries: int
    in_quarantine: int
    unsigned: int = 0
    """Sales and returns that its fiscal device has not signed."""
    commands: tuple[CommandShown, ...] = ()
    """What it was told to do lately, the newest first."""


@dataclass(frozen=True, slots=True)
class StoreRegistry:
    """Reads and adds stores and tills."""

    database: Database
    clock: Clock

    def add_store(self, name: str, zone: str) -> Store:
        """A new store; DomainError ``bad-name``, ``bad-zone``, ``name-taken``."""
        store = Store(store_id=StoreId(random_id()), name=_checked(name), zone=_checked_zone(zone))
        with self.database.writing() as work:
            taken = select(stores.c.store_id).where(
                stores.c.shard == work.shard, stores.c.name == store.name
            )
            if work.connection.execute(taken).first():
                raise DomainError("name-taken", name=store.name)
            row = {"store_id": store.store_id, "name": store.name, "zone": store.zone}
            work.insert(stores, [{**row, "created_at": format_time(self.clock.now())}])
        return store

    def add_till(self, store_id: StoreId, name: str) -> Till:
        """A new till; DomainError ``bad-name``, ``unknown-store``, ``name-taken``."""
        name = _checked(name)
        with self.database.writing() as work:
            if find_store(work, store_id) is None:
                raise DomainError("unknown-store", store=store_id)
            known = _tills(work)
            if any((till.store_id, till.name) == (store_id, name) for till in known):
                raise DomainError("name-taken", name=name)
            till = Till(
                till_id=TillId(random_id()),
                store_id=store_id,
                name=name,
                number=1 + max((till.number for till in known), default=0),
                journal=None,
                last_contact_at=None,
                unsent_told=None,
            )
            row = {"till_id": till.till_id, "store_id": store_id, "name": name}
            created_at = format_time(self.clock.now())
            work.insert(tills, [{**row, "number": till.number, "created_at": created_at}])
        return till

    def stores(self) -> list[Store]:
        """All stores by name."""
        with self.database.reading() as snapshot:
            rows = snapshot.connection.execute(
                select(stores).where(stores.c.shard == snapshot.shard).order_by(stores.c.name)
            )
            return [Store(store_id=r.store_id, name=r.name, zone=r.zone) for r in rows]

    def tills(self) -> list[Till]:
        """All tills by number."""
        with self.database.reading() as snapshot:
            return _tills(snapshot)

    def states(self) -> list[TillState]:
        """All tills with what the server holds of them, of one moment."""
        with self.database.reading() as snapshot:
            counts = select(heads.c.journal, func.sum(heads.c.next_seq)).group_by(heads.c.journal)
            held = {journal: int(n) for journal, n in snapshot.connection.execute(counts)}
            waiting = (
                select(quarantine.c.journal, func.count())
                .where(quarantine.c.resolved_at.is_(None))
                .group_by(quarantine.c.journal)
            )
            stuck = {journal: int(n) for journal, n in snapshot.connection.execute(waiting)}
            told = read_commands(snapshot)
            unsigned = unsigned_by_journal(snapshot)
            return [
                TillState(
                    till=till,
                    entries=held.get(till.journal or "", 0),
                    in_quarantine=stuck.get(till.journal or "", 0),
                    unsigned=unsigned.get(till.journal or JournalId(""), 0),
                    commands=tuple(one for one in told if one.till_id == till.till_id)[:SHOWN_MAX],
                )
                for till in _tills(snapshot)
            ]

    def note_contact(self, till_id: TillId, *, unsent: int) -> None:
        """A till was heard of, and told how much it has not sent."""
        values = {"last_contact_at": format_time(self.clock.now()), "unsent_told": unsent}
        with self.database.writing() as work:
            statement = update(tills).where(tills.c.shard == work.shard, tills.c.till_id == till_id)
            work.connection.execute(statement.values(**values))


def find_store(snapshot: Snapshot, store_id: StoreId) -> Store | None:
    """A store by id."""
    statement = select(stores).where(
        stores.c.shard == snapshot.shard, stores.c.store_id == store_id
    )
    row = snapshot.connection.execute(statement).first()
    return Store(store_id=row.store_id, name=row.name, zone=row.zone) if row else None


def find_till(snapshot: Snapshot, till_id: TillId) -> Till | None:
    """A till by id."""
    return next((till for till in _tills(snapshot) if till.till_id == till_id), None)


def _tills(snapshot: Snapshot) -> list[Till]:
    statement = select(tills).where(tills.c.shard == snapshot.shard).order_by(tills.c.number)
    return [
        Till(
            till_id=row.till_id,
            store_id=row.store_id,
            name=row.name,
            number=row.number,
            journal=row.journal,
            last_contact_at=row.last_contact_at,
            unsent_told=row.unsent_told,
        )
        for row in snapshot.connection.execute(statement)
    ]


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise DomainError("bad-name", name=name[:NAME_LENGTH_MAX])
    return name


def _checked_zone(zone: str) -> str:
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DomainError("bad-zone", zone=zone[:NAME_LENGTH_MAX]) from error
