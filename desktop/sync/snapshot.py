"""Taking members from one file instead of hundreds of pages.

The file is fetched in ranges and kept as far as it came; it is used when the server's signature,
its length, its hash and its number of rows are right. From then on members are found in it; they
are taken over in short slices, and the pull goes on from the file's own cursor. A file that is not
right goes, is told, and pages do instead.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from desktop.store.arriving import Arrival, Arriving, SnapshotFile, loaded_blocks, note_loaded
from desktop.store.database import TillFolder
from desktop.store.driver import READING_ERRORS
from desktop.store.replica import begin_anew, read_held
from desktop.store.settings import (
    read_cursor,
    read_value,
    write_cursor,
    write_held_scope,
    write_value,
)
from desktop.store.writer import SLICES_AT_ONCE, Transaction, Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.server_keys import ServerTrust
from desktop.sync.snapshot_fetch import (
    GONE,
    OLDER,
    READ_THROUGH,
    STREAM,
    Fetched,
    NotFetched,
    ReadThrough,
    SnapshotFetch,
    forget_file,
)
from shared.errors import EvertillError, ProtocolError
from shared.protocol.cursor import Cursor, decode_cursor, encode_cursor
from shared.protocol.replica import Scope
from shared.protocol.snapshot import SnapshotTerms

UNREADABLE: Final[tuple[type[Exception], ...]] = (OSError, *READING_ERRORS)
NO_SUCH: Final = frozenset({"not-found", GONE, "method-not-allowed"})

Found = TypeVar("Found")
log = structlog.get_logger("sync")


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
        self._disk = SnapshotFetch(writer, reading, trust, folder)
        self._arriving = arriving
        self._slice_rows = slice_rows
        self._open: Arrival | None = None
        self.refused: EvertillError | None = None
        """Why the newest file was not taken; told until the process ends or another one is."""

    def resume(self) -> None:
        """Let members be found again in a file that was fetched before the till was closed."""
        if self._open is None and self._disk.file.path.exists():
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
        kept = self._disk.kept()
        if kept is None:
            return False
        self._begin(kept)
        return True

    def _fetch(self, server: ServerConnection, gives_way: Callable[[], bool]) -> bool:
        """Fetch what there is; False where the till has something better to do first."""
        fetched = self._disk.fetch(server, gives_way)
        if isinstance(fetched, Fetched):
            self._begin(fetched)
        return fetched is not NotFetched.PAUSED

    def _begin(self, fetched: Fetched) -> None:
        file = SnapshotFile(self._disk.file, fetched.terms)
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
            slices = self._slices(arrival, number)
            for first in range(0, len(slices), SLICES_AT_ONCE):
                self._writer.run_slices(slices[first : first + SLICES_AT_ONCE])
                if gives_way():
                    return False
        if self._read(lambda connection: read_held(connection, STREAM)) != Scope(
            terms.rows, int(terms.checksum, 16)
        ):
            raise ProtocolError("bad-snapshot", reason="checksum")
        self._finish(terms)
        return True

    def _slices(self, arrival: Arrival, number: int) -> list[Callable[[Transaction], None]]:
        """What takes over a block, in short pieces; the last one notes that it is done."""
        rows, step = arrival.file.block(number), self._slice_rows()
        starts = range(0, max(len(rows), 1), step)
        return [
            partial(
                _take_over_rows,
                arrival,
                rows[first : first + step],
                number + 1 if first == starts[-1] else None,
            )
            for first in starts
        ]

    def _finish(self, terms: SnapshotTerms) -> None:
        """All rows are here: the pull goes on from where they were read."""
        cursor = encode_cursor(Cursor(STREAM, terms.generation, terms.server_seq))

        def work(connection: Connection) -> None:
            write_cursor(connection, STREAM, cursor)
            write_held_scope(connection, terms.scope)
            # In one: after a power cut the file is not opened again, for who left would come back.
            forget_file(connection)

        self._run(work)
        self._drop()

    def _drop(self) -> None:
        """Nothing of a file is here any more."""
        self.close()
        self._disk.drop()

    def _read(self, find: Callable[[Connection], Found]) -> Found:
        with self._reading.connect() as connection:
            return find(connection)

    def _run(self, work: Callable[[Connection], None]) -> None:
        self._writer.run(lambda transaction: work(transaction.connection), Urgency.BACKGROUND)


def _take_over_rows(
    arrival: Arrival, rows: list[bytes], blocks: int | None, transaction: Transaction
) -> None:
    arrival.apply(transaction.connection, rows)
    if blocks is not None:
        note_loaded(transaction.connection, arrival.file.terms.sha256, blocks)


def _reason(error: ProtocolError) -> str:
    return str(error.fields.get("reason", error.code))
