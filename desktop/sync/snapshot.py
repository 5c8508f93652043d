"""Taking members from one file instead of hundreds of pages.

The file is fetched in ranges and kept as far as it came; it is used when the server's signature,
its length, its hash and its number of rows are right. From then on members are found in it; they
are taken over in short slices, and the pull goes on from the file's own cursor. A file that is not
right goes, is told, and pages do instead.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import structlog
from sqlalchemy import Connection, Engine

from desktop.store.arriving import (
    Arrival,
    Arriving,
    SnapshotFile,
    forget_loaded,
    loaded_blocks,
    note_loaded,
)
from desktop.store.database import TillFolder
from desktop.store.driver import READING_ERRORS
from desktop.store.journal import current_epoch
from desktop.store.masked_file import MaskedFile
from desktop.store.replica import begin_anew, read_held
from desktop.store.settings import (
    drop_value,
    read_cursor,
    read_value,
    write_cursor,
    write_held_scope,
    write_value,
)
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.server_keys import ServerTrust
from shared.errors import EvertillError, ProtocolError
from shared.ids import JournalId
from shared.journal.keys import Signed
from shared.protocol.cursor import Cursor, decode_cursor, encode_cursor
from shared.protocol.message import PROTOCOL, Stream
from shared.protocol.replica import Scope
from shared.protocol.snapshot import FORMAT, SnapshotRequest, SnapshotTerms, proved_terms

if TYPE_CHECKING:
    from hashlib import _Hash

STREAM: Final = Stream.MEMBERS
STATEMENT: Final = "snapshot-statement"
"""Where the server's word for the file that is here is kept."""
READ_THROUGH: Final = "members-read-through"
"""Where it is kept how far members were read before the stream was begun anew."""
PART_BYTES_MIN: Final = 256 * 1024
PART_BYTES_MAX: Final = 16 * 1024 * 1024
PART_S: Final = 1.0
"""A part that took less is followed by a larger one, so that a slow line loses little."""
OLDER: Final = "older"
"""A reason that nobody needs to hear: files are up to a day old, and more was read before."""
UNREADABLE: Final[tuple[type[Exception], ...]] = (OSError, *READING_ERRORS)
NO_SUCH: Final = frozenset({"not-found", "snapshot-gone", "method-not-allowed"})

Found = TypeVar("Found")
log = structlog.get_logger("sync")


class ReadThrough(msgspec.Struct, frozen=True):
    """How far members were read; what is older must not replace it."""

    generation: str
    server_seq: int
    ended: tuple[str, ...] = ()
    """Generations of which the server has said that they are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How far a file is here."""

    terms: SnapshotTerms
    size: int
    digest: "_Hash"


class SnapshotTaker:
    """Fetches, checks and takes over a snapshot of the members' stream."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        trust: ServerTrust,
        folder: TillFolder,
        arriving: Arriving,
        slice_rows: Callable[[], int],
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._trust = trust
        self._file = MaskedFile(folder.snapshot, folder.key)
        self._part = MaskedFile(folder.snapshot.with_suffix(".part"), folder.key)
        self._arriving = arriving
        self._slice_rows = slice_rows
        self._open: Arrival | None = None
        self.refused: EvertillError | None = None
        """Why the newest file was not taken; told until the process ends or another one is."""

    def resume(self) -> None:
        """Let members be found again in a file that was fetched before the till was closed."""
        if self._open is None and self._file.exists():
            self._tried(self._reopen)

    def take(self, server: ServerConnection, gives_way: Callable[[], bool]) -> bool:
        """Take members over from a file, if there is one; False where there is more to do.

        Raises what the connection raises: the next call goes on where this one stopped.
        """
        if self._open is None and not self._tried(self._reopen):
            fetched = self._tried(lambda: self._fetch(server, gives_way))
            if fetched is False:
                return False
        if self._open is None:
            return True
        try:
            return self._take_over(self._open, gives_way)
        except ProtocolError as error:
            self._refuse(error)
            return True

    def forget(self, *, is_over: bool) -> None:
        """The stream is begun anew: no file that is here counts, and none that is older will."""
        self._drop()

        def note(transaction: Transaction) -> None:
            connection = transaction.connection
            cursor = read_cursor(connection, STREAM)
            if cursor is not None:
                known = decode_cursor(cursor)
                before = read_value(connection, READ_THROUGH, ReadThrough)
                ended = (*(before.ended if before else ()), *([known.generation] * is_over))
                through = ReadThrough(known.generation, known.server_seq, ended)
                write_value(connection, READ_THROUGH, through)

        self._writer.run(note, Urgency.BACKGROUND)

    def close(self) -> None:
        """Let go of the file; what is left of it is taken over after the next start."""
        self._open = None
        self._arriving.end()

    def _tried(self, step: Callable[[], bool]) -> bool:
        """Whether a step came to its end; a file that is not right goes, and is told."""
        try:
            return step()
        except ProtocolError as error:
            if isinstance(error, RefusedError) and error.code not in NO_SUCH:
                raise
            if error.code not in NO_SUCH:
                self._refuse(error)
            else:
                self._drop()
            return True
        except UNREADABLE:
            # What the disk cannot read must not keep sales from being sent: pages do instead.
            self._refuse(ProtocolError("bad-snapshot", reason="disk"))
            return True

    def _refuse(self, error: ProtocolError) -> None:
        log.warning("snapshot-refused", code=error.code, reason=str(error.fields.get("reason", "")))
        if _reason(error) != OLDER:
            self.refused = ProtocolError("bad-snapshot", reason=_reason(error))
        was_counted = self._open is not None
        self._drop()
        if was_counted:
            # Rows of it were counted; pages count from nothing.
            self._run(lambda connection: begin_anew(connection, STREAM, is_mismatched=False))

    def _reopen(self) -> bool:
        """Open a file that was fetched before; whether there is one."""
        if not self._file.exists():
            return False
        statement = self._read(lambda connection: read_value(connection, STATEMENT, Signed))
        if statement is None:
            self._drop()
            return False
        terms = self._checked(statement)
        self._begin(Fetched(terms=terms, size=self._file.size, digest=_digest(self._file)))
        return True

    def _fetch(self, server: ServerConnection, gives_way: Callable[[], bool]) -> bool:
        """Fetch what there is; False where the till has something better to do first."""
        reply = server.snapshot(SnapshotRequest(protocol=PROTOCOL, stream=STREAM))
        if reply.snapshot is None:
            self._drop()
            return True
        terms = self._checked(reply.snapshot)
        self._keep_statement(reply.snapshot, terms)
        before = Fetched(terms=terms, size=self._part.size, digest=_digest(self._part))
        fetched = self._go_on(server, before, gives_way)
        if fetched is None:
            return False
        _check_bytes(fetched)
        self._part.replace(self._file)
        self._begin(fetched)
        return True

    def _keep_statement(self, statement: Signed, terms: SnapshotTerms) -> None:
        """Go on with what is here of the same file; of another one nothing is kept."""
        before = self._read(lambda connection: read_value(connection, STATEMENT, Signed))
        if before is None or _named(before) != terms.sha256:
            self._drop()
        self._run(lambda connection: write_value(connection, STATEMENT, statement))

    def _go_on(
        self, server: ServerConnection, fetched: Fetched, gives_way: Callable[[], bool]
    ) -> Fetched | None:
        try:
            return self._fetch_parts(server, fetched, gives_way)
        except OSError as error:
            # No room for the file: pages need less at once.
            raise ProtocolError("bad-snapshot", reason="disk") from error

    def _fetch_parts(
        self, server: ServerConnection, fetched: Fetched, gives_way: Callable[[], bool]
    ) -> Fetched | None:
        terms, size, part_bytes = fetched.terms, fetched.size, PART_BYTES_MIN
        while size < terms.size:
            began = time.monotonic()
            wanted = min(part_bytes, terms.size - size)
            content = server.snapshot_part(terms.sha256, first=size, size=wanted)
            if not 0 < len(content) <= wanted:
                raise ProtocolError("bad-snapshot", reason="size")
            self._part.append(content)
            fetched.digest.update(content)
            size += len(content)
            quick = time.monotonic() - began < PART_S
            part_bytes = min(part_bytes * 2, PART_BYTES_MAX) if quick else PART_BYTES_MIN
            if gives_way() and size < terms.size:
                return None
        return Fetched(terms=terms, size=size, digest=fetched.digest)

    def _checked(self, statement: Signed) -> SnapshotTerms:
        """What the server says of the file, if this till may take it."""
        with self._reading.connect() as connection:
            epoch = current_epoch(connection)
            through = read_value(connection, READ_THROUGH, ReadThrough)
        assert epoch is not None
        terms = proved_terms(
            statement, self._trust.key_for(statement), journal=JournalId(epoch.head.journal)
        )
        if (terms.format, terms.protocol, terms.stream) != (FORMAT, PROTOCOL, STREAM):
            raise ProtocolError("bad-snapshot", reason="version")
        if through is not None:
            if terms.generation in through.ended:
                raise ProtocolError("bad-snapshot", reason="generation")
            is_same = through.generation == terms.generation
            if is_same and terms.server_seq < through.server_seq:
                raise ProtocolError("bad-snapshot", reason=OLDER)
        return terms

    def _begin(self, fetched: Fetched) -> None:
        _check_bytes(fetched)
        file = SnapshotFile(self._file, fetched.terms)
        try:
            standing = self._read(file.standing)
        except BaseException:
            file.close()
            raise
        self._open = Arrival(file, standing)
        self._arriving.begin(self._open)
        self.refused = None

    def _take_over(self, arrival: Arrival, gives_way: Callable[[], bool]) -> bool:
        """Take over what is left, slice by slice; False where there is something better to do."""
        terms = arrival.file.terms
        done = self._read(lambda connection: loaded_blocks(connection, terms.sha256))
        for number in range(done, arrival.file.blocks):
            rows, step = arrival.file.block(number), self._slice_rows()
            for first in range(0, max(len(rows), 1), step):
                is_end = first + step >= len(rows)
                self._slice(arrival, rows[first : first + step], number + 1 if is_end else None)
                if gives_way():
                    return False
        if self._read(lambda connection: read_held(connection, STREAM)) != Scope(
            terms.rows, int(terms.checksum, 16)
        ):
            raise ProtocolError("bad-snapshot", reason="checksum")
        self._finish(terms)
        return True

    def _slice(self, arrival: Arrival, rows: list[bytes], blocks: int | None) -> None:
        def work(connection: Connection) -> None:
            arrival.apply(connection, rows)
            if blocks is not None:
                note_loaded(connection, arrival.file.terms.sha256, blocks)

        self._run(work)

    def _finish(self, terms: SnapshotTerms) -> None:
        """All rows are here: the pull goes on from where they were read."""
        cursor = encode_cursor(Cursor(STREAM, terms.generation, terms.server_seq))

        def work(connection: Connection) -> None:
            write_cursor(connection, STREAM, cursor)
            write_held_scope(connection, terms.scope)
            # In one: after a power cut the file is not opened again, for who left would come back.
            _forget_file(connection)

        self._run(work)
        self._drop()

    def _drop(self) -> None:
        """Nothing of a file is here any more."""
        self.close()
        for file in (self._file, self._part):
            # One that stays is not opened: there is no statement for it.
            with suppress(OSError):
                file.unlink()
        self._run(_forget_file)

    def _read(self, find: Callable[[Connection], Found]) -> Found:
        with self._reading.connect() as connection:
            return find(connection)

    def _run(self, work: Callable[[Connection], None]) -> None:
        self._writer.run(lambda transaction: work(transaction.connection), Urgency.BACKGROUND)


def _forget_file(connection: Connection) -> None:
    drop_value(connection, STATEMENT)
    forget_loaded(connection)


def _check_bytes(fetched: Fetched) -> None:
    """Every byte is the one that was signed."""
    if fetched.size != fetched.terms.size:
        raise ProtocolError("bad-snapshot", reason="size")
    if fetched.digest.hexdigest() != fetched.terms.sha256:
        raise ProtocolError("bad-snapshot", reason="hash")


def _named(statement: Signed) -> str:
    try:
        return msgspec.json.decode(statement.payload, type=SnapshotTerms).sha256
    except msgspec.MsgspecError:
        return ""


def _reason(error: ProtocolError) -> str:
    return str(error.fields.get("reason", error.code))


def _digest(file: MaskedFile) -> "_Hash":
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest
