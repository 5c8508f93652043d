"""A stream in one file: what a new till takes instead of hundreds of pages.

The file is a SQLite database. Its rows lie in blocks, each a msgpack array of encoded rows,
compressed by Zstandard, so that nothing has to be unpacked before a row can be found in it. Its
tables:

* ``blocks (number INTEGER PRIMARY KEY, row_count, body)``: numbered from 0, without gaps;
* ``finds (hash, block, place)``: where a row lies that has a key or the last digits of a phone;
* ``heads (journal, epoch, next_seq, hash)``: how far the rows contain every till's journal.

The server's key signs what the file is, for one till at a time: ``SnapshotTerms`` with purpose
``snapshot`` and the till's journal as audience.
"""

import hashlib
from typing import Final

import msgspec

from shared.errors import ProtocolError
from shared.ids import JournalId
from shared.journal.keys import PublicKey, Signed, SigningKey, sign_statement
from shared.journal.strict import check_strict, encode_strict
from shared.protocol.message import Message, Stream

PURPOSE: Final = "snapshot"
FORMAT: Final = 1
"""Of the file; a till takes no other."""
BLOCK_ROWS: Final = 256
BLOCK_BYTES_MAX: Final = 16 * 1024 * 1024
"""Unpacked: a block that says to be larger is not unpacked."""
FINDS_KEY: Final = b"key:"
FINDS_PHONE_TAIL: Final = b"tail:"


class SnapshotTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a file is, and what it is true for."""

    format: int
    protocol: int
    """Whose rows these are: a till of another version reads pages."""
    stream: Stream
    scope: str
    """Which rows of the stream; empty for all."""
    generation: str
    server_seq: int
    """The state of the server it was read at; the pull goes on from here."""
    rows: int
    checksum: str
    """Of the rows, as pages tell it."""
    size: int
    """Bytes of the file."""
    sha256: str
    """Of the file; its name on the server."""
    made_at: str


class SnapshotRequest(Message, frozen=True, kw_only=True):
    """Asks for the newest snapshot of a stream; since version 7."""

    protocol: int
    stream: Stream


class SnapshotReply(Message, frozen=True, kw_only=True):
    """What there is; null where pages do."""

    snapshot: Signed | None = None


def sign_terms(key: SigningKey, terms: SnapshotTerms, *, journal: JournalId) -> Signed:
    """The server's word for a file, to one till."""
    return sign_statement(key, purpose=PURPOSE, audience=journal, payload=encode_strict(terms))


def proved_terms(signed: Signed, key: PublicKey, *, journal: JournalId) -> SnapshotTerms:
    """What the server signed for this till.

    Raises ProtocolError ``wrong-statement`` or ``bad-signature`` for what it did not, and
    ``bad-snapshot`` for a payload of another shape.
    """
    payload = signed.verify(key, purpose=PURPOSE, audience=journal)
    try:
        check_strict(payload)
        return msgspec.json.decode(payload, type=SnapshotTerms)
    except (msgspec.MsgspecError, ProtocolError) as error:
        raise ProtocolError("bad-snapshot", reason="terms") from error


def finding_hash(kind: bytes, text: str) -> int:
    """Where ``finds`` has a text: the first 8 bytes of SHA-256(kind || text), signed."""
    digest = hashlib.sha256(kind + text.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
