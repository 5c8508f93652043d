"""Fetching a snapshot of the members' stream: in ranges, kept as far as it came, checked whole."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection, Engine

from desktop.store.arriving import forget_loaded
from desktop.store.database import TillFolder
from desktop.store.journal import current_epoch
from desktop.store.masked_file import MaskedFile
from desktop.store.settings import drop_value, read_value, write_value
from desktop.store.writer import Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.server_keys import ServerTrust
from shared.errors import ProtocolError
from shared.ids import JournalId
from shared.journal.keys import Signed
from shared.protocol.message import PROTOCOL, Stream
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
GONE: Final = "snapshot-gone"


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

    def check(self) -> None:
        """Every byte is the one that was signed; else ProtocolError ``bad-snapshot``."""
        if self.size != self.terms.size:
            raise ProtocolError("bad-snapshot", reason="size")
        if self.digest.hexdigest() != self.terms.sha256:
            raise ProtocolError("bad-snapshot", reason="hash")


class NotFetched(Enum):
    """Why there is no file yet."""

    NONE_OFFERED = auto()
    PAUSED = auto()
    """The till has something better to do first."""


class SnapshotFetch:
    """The file of a snapshot on the till's disk, and the server's word for it."""

    def __init__(
        self, writer: Writer, reading: Engine, trust: ServerTrust, folder: TillFolder
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._trust = trust
        self.file = MaskedFile(folder.snapshot, folder.key)
        self._part = MaskedFile(folder.snapshot.with_suffix(".part"), folder.key)

    def kept(self) -> Fetched | None:
        """The file that was fetched whole before; ProtocolError ``bad-snapshot``."""
        if not self.file.path.exists():
            return None
        statement = self._statement()
        if statement is None:
            self.drop()
            return None
        fetched = Fetched(
            terms=self._checked(statement), size=self.file.size, digest=_digest(self.file)
        )
        fetched.check()
        return fetched

    def fetch(
        self, server: ServerConnection, gives_way: Callable[[], bool]
    ) -> Fetched | NotFetched:
        """Fetch what there is, going on with what was begun as long as the server still has it.

        Raises ProtocolError ``bad-snapshot``, and what the connection raises.
        """
        begun = self._begun()
        if begun is not None:
            try:
                return self._fetch(server, begun, gives_way)
            except RefusedError as error:
                if error.code != GONE:
                    raise
        reply = server.snapshot(SnapshotRequest(protocol=PROTOCOL, stream=STREAM))
        if reply.snapshot is None:
            self.drop()
            return NotFetched.NONE_OFFERED
        return self._fetch(server, reply.snapshot, gives_way)

    def drop(self) -> None:
        """Nothing of a file is here any more."""
        for file in (self.file, self._part):
            # One that stays is not opened: there is no statement for it.
            with suppress(OSError):
                file.unlink()
        self._run(forget_file)

    def _begun(self) -> Signed | None:
        """The server's word for the file of which a part is here, if it still counts."""
        statement = self._statement() if self._part.size else None
        try:
            if statement is not None:
                self._checked(statement)
        except ProtocolError:
            return None
        return statement

    def _fetch(
        self, server: ServerConnection, statement: Signed, gives_way: Callable[[], bool]
    ) -> Fetched | NotFetched:
        terms = self._checked(statement)
        self._keep_statement(statement, terms)
        try:
            before = Fetched(terms=terms, size=self._part.size, digest=_digest(self._part))
            fetched = self._fetch_parts(server, before, gives_way)
        except OSError as error:
            # No room for the file: pages need less at once.
            raise ProtocolError("bad-snapshot", reason="disk") from error
        if fetched is None:
            return NotFetched.PAUSED
        fetched.check()
        self._part.replace(self.file)
        return fetched

    def _keep_statement(self, statement: Signed, terms: SnapshotTerms) -> None:
        """Go on with what is here of the same file; of another one nothing is kept."""
        before = self._statement()
        if before is None or _named(before) != terms.sha256:
            self.drop()
        self._run(lambda connection: write_value(connection, STATEMENT, statement))

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

    def _statement(self) -> Signed | None:
        with self._reading.connect() as connection:
            return read_value(connection, STATEMENT, Signed)

    def _run(self, work: Callable[[Connection], None]) -> None:
        self._writer.run(lambda transaction: work(transaction.connection), Urgency.BACKGROUND)


def forget_file(connection: Connection) -> None:
    """No file counts any more, in the caller's transaction."""
    drop_value(connection, STATEMENT)
    forget_loaded(connection)


def _named(statement: Signed) -> str:
    try:
        return msgspec.json.decode(statement.payload, type=SnapshotTerms).sha256
    except msgspec.MsgspecError:
        return ""


def _digest(file: MaskedFile) -> "_Hash":
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest
