"""Members that came in one file and are not all in the till's own tables yet.

The file was checked as a whole before it is opened here. A member who is looked up is taken over at
once; the others follow in the background. Nothing of the till's own is in it, or changed by it.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec
import structlog
import zstandard
from sqlalchemy import Connection

from desktop.store.driver import READING_ERRORS, open_in_memory, sqlite_module
from desktop.store.journal import Epoch, all_epochs, is_head
from desktop.store.masked_file import MaskedFile
from desktop.store.member_pages import apply_members
from desktop.store.replica import hold, is_held
from desktop.store.settings import drop_value, read_value, write_value
from desktop.store.writer import Transaction, Urgency, Writer
from shared.errors import ProtocolError
from shared.protocol.message import MemberRow, Stream
from shared.protocol.replica import row_hash
from shared.protocol.snapshot import (
    BLOCK_BYTES_MAX,
    FINDS_KEY,
    FINDS_PHONE_TAIL,
    SnapshotTerms,
    finding_hash,
)

log = structlog.get_logger("sync")

FOUND_MAX: Final = 400
"""Four digits are those of a hundred among a million members; a list of more is of no use."""
TAIL_LENGTH: Final = 4
LOADED: Final = "snapshot-loaded"
"""Where it is kept how many blocks are taken over, and of which file."""


class Loaded(msgspec.Struct, frozen=True):
    """How far a file is taken over."""

    sha256: str
    blocks: int


class Standing(NamedTuple):
    """The own entries from which on none are in the rows' balances."""

    epoch: int
    applied_through: int


class SnapshotFile:
    """A file that holds what its terms say; reads are safe from any thread.

    Raises ProtocolError ``bad-snapshot`` for what is not as it should be.
    """

    def __init__(self, file: MaskedFile, terms: SnapshotTerms) -> None:
        self.terms = terms
        self._lock = Lock()
        self._connection = _open(file)
        try:
            self.blocks, rows, last = self._read(
                "SELECT COUNT(*), COALESCE(SUM(row_count), 0), COALESCE(MAX(number), -1)"
                " FROM blocks"
            )[0]
            if (rows, last) != (terms.rows, self.blocks - 1):
                raise ProtocolError("bad-snapshot", reason="rows")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def block(self, number: int) -> list[bytes]:
        """The encoded rows of one block."""
        found = self._read("SELECT body FROM blocks WHERE number = ?", number)
        if not found:
            raise ProtocolError("bad-snapshot", reason="block")
        body = found[0][0]
        try:
            if not 0 <= zstandard.frame_content_size(body) <= BLOCK_BYTES_MAX:
                raise ProtocolError("bad-snapshot", reason="block")
            unpacked = zstandard.ZstdDecompressor().decompress(body)
            return msgspec.msgpack.decode(unpacked, type=list[bytes])
        except (zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise ProtocolError("bad-snapshot", reason="block") from error

    def by_key(self, key: str) -> list[bytes]:
        """Encoded rows of members with a keyed hash of a phone or card."""
        rows = self._found(finding_hash(FINDS_KEY, key))
        return [row for row in rows if key in read_row(row).keys]

    def by_phone_tail(self, tail: str) -> list[bytes]:
        """Encoded rows of members with these last digits of the phone."""
        rows = self._found(finding_hash(FINDS_PHONE_TAIL, tail))
        return [row for row in rows if read_row(row).phone_tail == tail]

    def standing(self, connection: Connection) -> Standing:
        """Which own entries the rows contain: those below.

        An epoch that began after the file was made is not in it at all. Raises ProtocolError
        ``bad-snapshot`` where the server knew an own epoch, but only by branches that are not here.
        """
        epochs = all_epochs(connection)
        for epoch in reversed(epochs):
            heads = self._heads(epoch)
            own = [one for one in heads if is_head(connection, epoch, one[0], one[1])]
            if own:
                return Standing(epoch.head.epoch, max(own)[0])
            if heads:
                raise ProtocolError("bad-snapshot", reason="journal")
        return Standing(epochs[0].head.epoch, 0)

    def _heads(self, epoch: Epoch) -> list[tuple[int, bytes]]:
        head = epoch.head
        return self._read(
            "SELECT next_seq, hash FROM heads WHERE journal = ? AND epoch = ?",
            head.journal,
            head.epoch,
        )

    def _found(self, number: int) -> list[bytes]:
        places = self._read(
            "SELECT block, place FROM finds WHERE hash = ? LIMIT ?", number, FOUND_MAX
        )
        blocks = {block: self.block(block) for block, _place in places}
        return [blocks[block][place] for block, place in places]

    def _read(self, statement: str, *told: Any) -> list[Any]:
        try:
            with self._lock:
                return list(self._connection.execute(statement, told))
        except READING_ERRORS as error:
            raise ProtocolError("bad-snapshot", reason="file") from error


def _open(file: MaskedFile) -> Any:
    if file.key is not None:
        # In memory, unpacked nowhere: some 60 bytes a member for as long as it is taken over.
        return open_in_memory(b"".join(file.chunks()))
    # Immutable: nothing writes to it, so no lock and no log lie beside it.
    return sqlite_module.connect(
        f"{file.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
    )


class Arrival(NamedTuple):
    """A file that is being taken over."""

    file: SnapshotFile
    standing: Standing

    def apply(self, connection: Connection, rows: Sequence[bytes]) -> None:
        """Put rows of the file into the till's own tables, counted."""
        members = [read_row(row) for row in rows]
        apply_members(
            connection,
            members,
            epoch=self.standing.epoch,
            applied_through=self.standing.applied_through,
            as_of=self.file.terms.made_at,
        )
        hashes = map(row_hash, rows)
        counted = [(row.member_id, told) for row, told in zip(members, hashes, strict=True)]
        hold(connection, Stream.MEMBERS, counted)


class Arriving:
    """What is arriving at a till now; nothing most of the time."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._current: Arrival | None = None
        self._guard = Lock()

    def begin(self, arrival: Arrival) -> None:
        """Members of a file can be found from now on."""
        self.end()
        with self._guard:
            self._current = arrival

    def end(self) -> None:
        """All are in the till's own tables, or none is to come."""
        with self._guard:
            current, self._current = self._current, None
            if current is not None:
                current.file.close()

    def take_over_key(self, key: str) -> bool:
        """Take over who has a keyed hash; whether somebody came who was not here."""
        return self._take_over(lambda file: file.by_key(key))

    def take_over_phone_tail(self, text: str) -> bool:
        """Take over who has these last digits, where digits they are."""
        if not text.isdecimal() or len(text) < TAIL_LENGTH:
            return False
        return self._take_over(lambda file: file.by_phone_tail(text[-TAIL_LENGTH:]))

    def _take_over(self, find: Callable[[SnapshotFile], list[bytes]]) -> bool:
        with self._guard:
            arrival = self._current
            found = _found_in(arrival.file, find) if arrival is not None else []
        if arrival is None or not found:
            return False

        def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            new = [row for row in found if not _is_here(connection, row)]
            # Where the stream was begun anew meanwhile, the file counts no more.
            if self._current is not arrival or not new:
                return False
            arrival.apply(connection, new)
            return True

        return self._writer.run(work, Urgency.SALE)


def _found_in(file: SnapshotFile, find: Callable[[SnapshotFile], list[bytes]]) -> list[bytes]:
    """Nobody, where the file was damaged since it was checked: whoever takes it over drops it."""
    try:
        return find(file)
    except ProtocolError as error:
        log.warning("snapshot-unreadable", reason=str(error.fields.get("reason", error.code)))
        return []


def _is_here(connection: Connection, row: bytes) -> bool:
    return is_held(connection, Stream.MEMBERS, read_row(row).member_id)


def read_row(encoded: bytes) -> MemberRow:
    """A row of the file; ProtocolError ``bad-snapshot`` for anything else."""
    try:
        return msgspec.msgpack.decode(encoded, type=MemberRow)
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-snapshot", reason="row") from error


def loaded_blocks(connection: Connection, sha256: str) -> int:
    """How many blocks of a file are taken over."""
    loaded = read_value(connection, LOADED, Loaded)
    return loaded.blocks if loaded is not None and loaded.sha256 == sha256 else 0


def note_loaded(connection: Connection, sha256: str, blocks: int) -> None:
    """So many blocks of a file are taken over, in the transaction that does it."""
    write_value(connection, LOADED, Loaded(sha256, blocks))


def forget_loaded(connection: Connection) -> None:
    """The file is done with."""
    drop_value(connection, LOADED)
