"""Going on from a copy: checked first, loaded in one transaction, cleaned before it serves.

The restored server is a new generation, so tills pull everything anew and send again what it lacks.
Its own journal gets a new epoch: what it wrote after the copy was made is lost, is named as far as
anybody still knows it, and its numbers are never given again.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import MetaData, Row, Table, delete, func, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import Clock
from shared.errors import EnvironmentFault
from shared.ids import JournalId
from shared.journal.keys import SigningKey
from shared.trade.till import EpochClosedWithLoss
from shared.trade.writing import Writing
from sync_server.backup.archive import ArchiveReader, Rows
from sync_server.backup.content import Contents, Inspection
from sync_server.backup.copying import Progress, read_back
from sync_server.backup.room import room_in
from sync_server.bootstrap import (
    KEYS_FOLDER,
    URL_FILE,
    new_generation,
    open_database,
    open_own_epoch,
    own_journal,
)
from sync_server.database import schema
from sync_server.database.migrate import is_known, upgrade_in
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.audit import Report, audit
from sync_server.journal.chains import Chain, next_epoch, read_chains
from sync_server.keys.changing import settle_keys
from sync_server.keys.known import KnownKeys
from sync_server.keys.restored import restore_keys, sign_again
from sync_server.keys.statement_list import LIST_FILE as STATEMENTS_FILE
from sync_server.keys.statement_list import StatementList, together
from sync_server.keys.vault import ROOT_FILE, Vault, open_vault, write_secrets
from sync_server.ledger.finding import Finding, Rule, restored_key
from sync_server.members.erasure import Erasure
from sync_server.members.erasure_list import LIST_FILE, Erased, ErasureList
from sync_server.orders.log_file import LOG_FILE, CommandLog, newest
from sync_server.orders.restored import restore_commands
from sync_server.programme.publishing import ProgrammeDesk

VERSIONS_SKIPPED: Final = 100
"""Programme versions left out after a restore, beside one for each second since the copy: more than
anybody publishes until then, also in another life that began with the same copy. So no version that
a till knows from before is given to another document, and none is lower."""
EPOCHS_SKIPPED: Final = 20
"""Up to so many are left out after a restore, drawn anew each time.

Two restores of one copy rarely give a journal the same epoch (which would be found as a fork), and
receipts have room for 999 epochs only.
"""
LOST_SHOWN_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFact:
    """A fact of the server's own journal that the copy does not have."""

    epoch: int
    seq: int
    id: str
    kind: str
    occurred_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to restore from."""

    backup: Path
    passphrase: str
    root_key: bytes | None = None
    """Where the copy was made without it."""
    erasure_lists: Sequence[Path] = ()
    """Beside the one in the copy's folder and the one in the data folder."""
    old: Path | None = None
    """A data folder that may still tell what the server wrote after the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it."""

    generation: str
    made_at: str
    entries: int
    erased: int
    """Members whom the copy still had."""
    lost_from: tuple[int, int]
    """Epoch and number of the server's own journal from which on its facts are lost."""
    lost: tuple[LostFact, ...]
    """Those that are still known."""
    moved_to: Path | None
    report: Report


def restore(
    folder: Path,
    source: Source,
    *,
    clock: Clock,
    url: str | None = None,
    replace: bool = False,
    progress: Progress = lambda _table, _done, _total: None,
) -> Restored:
    """Make a server of a copy in ``folder``, on SQLite or on the empty database ``url``.

    With ``replace`` a server that lies there is moved aside; where the restore fails everything is
    as it was. Raises EnvironmentFault
    ``backup-unreadable``, ``backup-passphrase``, ``schema-newer``, ``root-key-needed``,
    ``root-key-replaced``, ``folder-has-server``, ``database-not-empty``, ``database-in-use``.
    """
    contents = read_back(source.backup, source.passphrase)
    revision = contents.header.revision
    if not is_known(revision):
        raise EnvironmentFault("schema-newer", found=revision, known=schema.HEAD_REVISION)
    root = _root_key(contents, source.root_key)
    erased = _erased(folder, source)
    told = newest(CommandLog(one / LOG_FILE) for one in _folders(folder, source))
    of_keys = together(StatementList(one / STATEMENTS_FILE) for one in _folders(folder, source))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        room_in(folder, format_time(clock.now()), replace=replace) as room,
        _new_database(folder, contents, root, url) as database,
    ):
        with database.writing() as work:
            _load(work, source, contents, progress)
            return_to = _newest_own(work)
            made_at = contents.header.made_at
            keys = folder / KEYS_FOLDER
            copied = open_vault(keys)
            vault = restore_keys(work, copied, root, of_keys, keys, clock)
            generation, count = _begin_again(
                database, work, folder, vault, root, erased, clock, made_at
            )
            now = format_time(clock.now())
            own = own_journal(work, vault, clock)
            restore_commands(work, own, told, now)
            if vault.signing.id != copied.signing.id:
                sign_again(work, vault.signing)
                # Tills may have one that nobody can outbid: its key was taken back.
                ProgrammeDesk(database, clock, own, vault, KnownKeys(database)).again(work)
            for one in told.values():
                CommandLog(folder / LOG_FILE).add(one)
        room.is_taken = True
        with database.reading() as snapshot:
            settle_keys(snapshot, keys, lambda: open_vault(keys))
            StatementList(folder / STATEMENTS_FILE).bring_up_to(snapshot)
        # Rows of the erased were in the file until just now.
        database.scrub()
        with database.reading() as snapshot:
            report = audit(snapshot)
    return Restored(
        generation=generation,
        made_at=contents.header.made_at,
        entries=contents.counts.get("entries", 0),
        erased=count,
        lost_from=(return_to.epoch, return_to.next_seq),
        lost=_known_losses(source.old or room.moved_to, return_to),
        moved_to=room.moved_to,
        report=report,
    )


@contextmanager
def _new_database(
    folder: Path, contents: Contents, root: SigningKey, url: str | None
) -> Iterator[Database]:
    """The keys of a copy in a folder, and the database beside them or at ``url``."""
    write_secrets(folder / KEYS_FOLDER, {**contents.secrets, ROOT_FILE: root.raw})
    if url is not None:
        (folder / URL_FILE).touch(mode=0o600)
        (folder / URL_FILE).write_text(url, encoding="utf-8")
    with open_database(folder) as database:
        yield database


def _root_key(contents: Contents, given: bytes | None) -> SigningKey:
    raw = given or contents.secrets.get(ROOT_FILE)
    if raw is None:
        raise EnvironmentFault("root-key-needed")
    try:
        return SigningKey(raw)
    except ValueError as error:
        raise EnvironmentFault("key-damaged", file=ROOT_FILE) from error


def _folders(folder: Path, source: Source) -> list[Path]:
    """Where lists lie that are kept outside of copies."""
    return [source.backup.parent, folder, *([source.old] if source.old else [])]


def _erased(folder: Path, source: Source) -> list[Erased]:
    files = [*(one / LIST_FILE for one in _folders(folder, source)), *source.erasure_lists]
    return [erased for file in files for erased in ErasureList(file).read()]


def _load(work: Work, source: Source, contents: Contents, progress: Progress) -> None:
    if inspect(work.connection).get_table_names():
        raise EnvironmentFault("database-not-empty")
    upgrade_in(work, contents.header.revision)
    tables: dict[str, Table] = {}
    done: dict[str, int] = {}
    with ArchiveReader(source.backup, source.passphrase) as archive:
        for record in Inspection(source.backup, archive.header).watch(archive.records()):
            if not isinstance(record, Rows):
                continue
            name = record.table
            if name not in tables:
                # As that release had it; its own columns, not this one's.
                tables[name] = Table(name, MetaData(), autoload_with=work.connection)
            rows = [dict(zip(record.columns, row, strict=True)) for row in record.rows]
            work.connection.execute(tables[name].insert(), rows)
            done[name] = done.get(name, 0) + len(rows)
            progress(name, done[name], contents.counts[name])
    upgrade_in(work)


def _newest_own(work: Work) -> Chain:
    journal = work.connection.execute(
        select(schema.shards.c.own_journal).where(schema.shards.c.shard == work.shard)
    ).scalar_one()
    return read_chains(work, JournalId(journal))[-1]


def _begin_again(
    database: Database,
    work: Work,
    folder: Path,
    vault: Vault,
    root: SigningKey,
    erased: Iterable[Erased],
    clock: Clock,
    made_at: str,
) -> tuple[str, int]:
    """A new generation and a new epoch of the own journal; the erased are erased again."""
    now = format_time(clock.now())
    generation = new_generation()
    published = work.connection.execute(select(func.max(schema.bundles.c.version))).scalar() or 0
    floor = work.connection.execute(select(func.max(schema.shards.c.bundle_floor))).scalar_one()
    newest = max(published, floor)
    before = _newest_own(work)
    of_tills = select(func.max(schema.epochs.c.epoch)).where(
        schema.epochs.c.journal != before.journal
    )
    newest_epoch = work.connection.execute(of_tills).scalar() or 0
    work.connection.execute(
        update(schema.shards)
        .where(schema.shards.c.shard == work.shard)
        .values(
            generation=generation,
            bundle_floor=newest + VERSIONS_SKIPPED + _age_s(made_at, clock),
            epoch_floor=newest_epoch + 1 + secrets.randbelow(EPOCHS_SKIPPED),
        )
    )
    # A code that was used after the copy was made must not enrol a second till.
    codes = schema.enrolment_codes
    work.connection.execute(delete(codes).where(codes.c.used_at.is_(None)))
    # Named by the second of the restore: two restores of one copy give it no number twice.
    epoch = max(int(clock.now().timestamp()), next_epoch(work, before.journal))
    open_own_epoch(work, vault, root, journal=before.journal, epoch=epoch, now=now)
    own = own_journal(work, vault, clock)
    closed = EpochClosedWithLoss(
        lost_epoch=before.epoch,
        last_seq=before.next_seq - 1,
        hash=before.head_hash.hex(),
        approvals=(),
    )
    own.write(work, [Writing(closed)])
    restored = Finding(rule=Rule.RESTORED, natural_key=restored_key(generation), facts=())
    own.raise_exceptions(work, [restored])
    erasures = ErasureList(folder / LIST_FILE)
    count = Erasure(database, clock, own, erasures).erase_again(work, erased, reason="restore")
    return generation, count


def _age_s(made_at: str, clock: Clock) -> int:
    """Whole seconds since a copy was made."""
    return max(0, int((clock.now() - datetime.fromisoformat(made_at)).total_seconds()))


def _known_losses(old: Path | None, before: Chain) -> tuple[LostFact, ...]:
    """What a database that is left over still tells; nothing where it cannot be read."""
    if old is None:
        return ()
    with (
        suppress(SQLAlchemyError, EnvironmentFault, OSError),
        open_database(old, is_shared=True) as database,
        database.reading() as snapshot,
    ):
        return tuple(_lost(row) for row in _own_after(snapshot, before))
    return ()


def _own_after(snapshot: Snapshot, before: Chain) -> Sequence[Row[*tuple[Any, ...]]]:
    columns = schema.entries.c
    statement = (
        select(columns.epoch, columns.seq, columns.id, columns.kind, columns.occurred_at)
        .where(
            columns.shard == snapshot.shard,
            columns.journal == before.journal,
            (columns.epoch > before.epoch)
            | ((columns.epoch == before.epoch) & (columns.seq >= before.next_seq)),
        )
        .order_by(columns.epoch, columns.seq)
        .limit(LOST_SHOWN_MAX)
    )
    return snapshot.connection.execute(statement).all()


def _lost(row: Row[*tuple[Any, ...]]) -> LostFact:
    return LostFact(
        epoch=row.epoch, seq=row.seq, id=row.id, kind=row.kind, occurred_at=row.occurred_at
    )
