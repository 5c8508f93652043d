"""Snapshots that are kept beside the database, made behind the server, given to new tills."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Final

import msgspec
import structlog
from sqlalchemy import exists, select

from shared.clock import Clock
from shared.errors import EnvironmentFault, ProtocolError
from shared.ids import random_id
from shared.journal.certificate import Certificate
from shared.journal.strict import encode_strict
from shared.protocol.message import PROTOCOL, Stream
from shared.protocol.snapshot import (
    FORMAT,
    SnapshotReply,
    SnapshotRequest,
    SnapshotTerms,
    sign_terms,
)
from sync_server.database import schema
from sync_server.database.process_lock import ProcessLock
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot
from sync_server.keys.vault import Vault
from sync_server.sync.kept_scopes import read_scope
from sync_server.sync.region_rows import scope_of, scopes_in_use
from sync_server.sync.rows import read_shard
from sync_server.sync.snapshot_file import Written, fill_snapshot

log = structlog.get_logger("evertill.snapshots")

FOLDER: Final = "snapshots"
SUFFIX: Final = ".snapshot"
FRESH_FOR: Final = timedelta(hours=24)
"""What changed since is pulled page by page; after a day that is a small part."""
ROWS_MIN: Final = 20_000
"""Ten pages: fewer rows are pulled before a file of them is fetched and checked."""
KEPT: Final = 2
"""Of a scope: a till may be fetching the one before the newest."""
PAUSE_MIN: Final = timedelta(minutes=10)
PAUSE_MAX: Final = timedelta(hours=8)
"""After each failure of a scope it is left alone for twice as long."""
ROW_BYTES: Final = 400
"""Of the disk for a member, generously: a row, what it is found by, and the copy to sort that."""
_NAME: Final = re.compile("[0-9a-f]{64}")

Progress = Callable[[str, int, int], None]
"""Told the scope, and how many of its rows are written."""


@dataclass(slots=True)
class Ending:
    """Stops what is being made: an erasure must not wait for it, nor be undone by it."""

    count: int = 0
    is_closing: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Failure:
    """A scope that could not be made, and is left alone until then."""

    pause: timedelta
    until: datetime


@dataclass(frozen=True, slots=True)
class SnapshotDesk:
    """Makes, keeps and gives snapshots of the members' stream."""

    database: Database
    clock: Clock
    vault: Vault
    folder: Path
    _making: Lock = field(default_factory=Lock)
    _ending: Ending = field(default_factory=Ending)
    _failed: dict[str, Failure] = field(default_factory=dict)

    def answer(self, caller: Certificate, request: SnapshotRequest) -> SnapshotReply:
        """The newest one that the till may have; none is an answer, too."""
        if request.stream is not Stream.MEMBERS or request.protocol != PROTOCOL:
            return SnapshotReply()
        with self.database.reading() as snapshot:
            generation = read_shard(snapshot).generation
            scope = scope_of(snapshot, caller, request.stream, request.protocol)
        found = self.newest(generation, scope)
        if found is None:
            return SnapshotReply()
        signed = sign_terms(self.vault.signing, found.terms, journal=caller.journal)
        return SnapshotReply(snapshot=signed)

    def file(self, caller: Certificate, name: str) -> Path:
        """The file of a name; ProtocolError ``snapshot-gone`` where there is none for this till."""
        if _NAME.fullmatch(name):
            with self.database.reading() as snapshot:
                scope = scope_of(snapshot, caller, Stream.MEMBERS, PROTOCOL)
                generation = read_shard(snapshot).generation
            for one in self._kept(generation):
                if (one.terms.sha256, one.terms.scope) == (name, scope):
                    if self._may_be_given(one):
                        return one.file
                    break
        raise ProtocolError("snapshot-gone")

    def newest(self, generation: str, scope: str) -> Written | None:
        """The newest of a scope in this life of the server."""
        kept = [
            one
            for one in self._kept(generation)
            if one.terms.scope == scope and self._may_be_given(one)
        ]
        return max(kept, key=lambda one: one.terms.server_seq, default=None)

    def make(
        self, scopes: Iterable[str] | None = None, *, progress: Progress = lambda *_: None
    ) -> list[Written]:
        """Make one of each scope that tills have, or of those named; older ones go.

        One that fails keeps no other from being made. Raises EnvironmentFault ``snapshot-stopped``
        where a member was erased meanwhile, ``snapshot-miscounted``, ``snapshot-no-room``, and
        ``snapshots-being-made`` where another process is at it.
        """
        with self._making, self._alone():
            with self.database.reading() as snapshot:
                wanted = list(scopes) if scopes is not None else scopes_in_use(snapshot)
            made: list[Written] = []
            failed: list[EnvironmentFault | OSError] = []
            for scope in wanted:
                try:
                    made.append(self._make(scope, progress))
                    self._failed.pop(scope, None)
                except (EnvironmentFault, OSError) as error:
                    self._note_failure(scope, error)
                    failed.append(error)
        if failed:
            raise failed[0]
        return made

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process makes any: each would take away what the other has begun."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = ProcessLock(self.folder)
        except EnvironmentFault as error:
            raise EnvironmentFault("snapshots-being-made") from error
        with lock:
            yield

    def _note_failure(self, scope: str, error: EnvironmentFault | OSError) -> None:
        """Not again each minute; but what an erasure stopped is due at once."""
        if isinstance(error, EnvironmentFault) and error.code == "snapshot-stopped":
            return
        before = self._failed.get(scope)
        pause = min(before.pause * 2, PAUSE_MAX) if before else PAUSE_MIN
        self._failed[scope] = Failure(pause, self.clock.now() + pause)
        code = error.code if isinstance(error, EnvironmentFault) else type(error).__name__
        log.warning("snapshot.failed", code=code, again_in_s=int(pause.total_seconds()))

    def due(self) -> list[str]:
        """Scopes whose newest is missing or old, where a file is worth it."""
        with self.database.reading() as snapshot:
            generation = read_shard(snapshot).generation
            return [
                scope
                for scope in scopes_in_use(snapshot)
                if read_scope(snapshot, Stream.MEMBERS, scope).rows >= ROWS_MIN
                and not self._is_fresh(self.newest(generation, scope))
                and not self._is_left_alone(scope)
            ]

    def make_if_due(self) -> int:
        """Make those that are due; how many. What was stopped is due again."""
        due = self.due()
        return len(self.make(due)) if due else 0

    def drop_all(self) -> None:
        """Somebody was erased: what has their data goes, and what is being made stops."""
        self._ending.count += 1
        for file in self.folder.glob("*"):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop what is being made."""
        self._ending.is_closing.set()

    def _is_fresh(self, one: Written | None) -> bool:
        if one is None:
            return False
        age = format_time(self.clock.now() - FRESH_FOR)
        return one.terms.made_at > age and one.terms.protocol == PROTOCOL

    def _is_left_alone(self, scope: str) -> bool:
        failure = self._failed.get(scope)
        return failure is not None and self.clock.now() < failure.until

    def _check_room(self, snapshot: Snapshot, scope: str) -> None:
        """The disk is the database's as well: a file must not be what fills it."""
        needed = read_scope(snapshot, Stream.MEMBERS, scope).rows * ROW_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise EnvironmentFault("snapshot-no-room", needed=needed, free=free)

    def _make(self, scope: str, progress: Progress) -> Written:
        waiting = self.folder / f"{random_id()}.part"
        begun = self._ending.count

        def told(done: int, total: int) -> None:
            if self._ending.count != begun or self._ending.is_closing.is_set():
                raise EnvironmentFault("snapshot-stopped")
            progress(scope, done, total)

        try:
            with self.database.reading() as snapshot:
                self._check_room(snapshot, scope)
                made_at = format_time(self.clock.now())
                filled = fill_snapshot(snapshot, waiting, scope=scope, progress=told)
            written = filled.sealed(made_at)
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise
        file = self.folder / f"{written.terms.sha256}{SUFFIX}"
        waiting.replace(file)
        file.with_suffix(".json").write_bytes(encode_strict(written.terms))
        # Whoever is erased from here on finds the file and drops it, whichever process does it.
        made = Written(file=file, terms=written.terms)
        if not self._may_be_given(made):
            raise EnvironmentFault("snapshot-stopped")
        self._prune(written.terms)
        log.info("snapshot.made", rows=written.terms.rows, size=written.terms.size)
        return made

    def _may_be_given(self, one: Written) -> bool:
        """False where somebody was erased since; then it goes, whoever should have dropped it."""
        if not self._erased_since(one.terms.server_seq):
            return True
        for file in (one.file.with_suffix(".json"), one.file):
            file.unlink(missing_ok=True)
        return False

    def _erased_since(self, server_seq: int) -> bool:
        columns = schema.members.c
        with self.database.reading() as snapshot:
            erased = exists().where(
                columns.shard == snapshot.shard,
                columns.change_seq > server_seq,
                columns.gone.is_(True),
            )
            return bool(snapshot.connection.execute(select(erased)).scalar())

    def _kept(self, generation: str) -> list[Written]:
        found = []
        for described in self.folder.glob("*.json"):
            try:
                terms = msgspec.json.decode(described.read_bytes(), type=SnapshotTerms)
                file = self.folder / f"{terms.sha256}{SUFFIX}"
                is_whole = file.stat().st_size == terms.size
            except (OSError, msgspec.MsgspecError):
                continue  # going, or half written when the power failed
            is_current = terms.generation == generation
            if is_whole and is_current and (terms.format, terms.protocol) == (FORMAT, PROTOCOL):
                found.append(Written(file=file, terms=terms))
        return found

    def _prune(self, newest: SnapshotTerms) -> None:
        """Keep the newest two of each scope; what a crash or an older release left goes, too."""
        by_scope: dict[str, list[Written]] = {}
        for one in sorted(self._kept(newest.generation), key=lambda one: -one.terms.server_seq):
            by_scope.setdefault(one.terms.scope, []).append(one)
        kept = {one.file.stem for some in by_scope.values() for one in some[:KEPT]}
        for file in self.folder.iterdir():
            if file.stem not in kept:
                file.unlink(missing_ok=True)
