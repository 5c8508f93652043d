"""One entry of a journal: its envelope, its bytes, its place in the hash chain.

An entry is encoded once; the bytes are stored, sent and kept verbatim and are what the hash covers.
The format is final: `tests/vectors/journal/` freezes it with a checker that knows only json and
hashlib.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from shared.clock import HybridTime
from shared.errors import DomainError, ProtocolError
from shared.ids import AttachmentId, EntryId, JournalId
from shared.journal.strict import check_strict, encode_strict

FORMAT = 1
ENTRY_PREFIX = b"evertill/entry/1"
EPOCH_PREFIX = b"evertill/epoch/1"
ENTRY_BYTES_MAX = 64 * 1024
HASH_BYTES = 32
NAME_LENGTH_MAX = 128
"""Of ids and kinds: they become keys of indexes, which databases bound."""
_HYBRID_TIME = re.compile("[0-9a-f]{16}")


class AttachmentRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an entry keeps of an attachment: enough to prove it, nothing of what it says."""

    role: str
    """What it is to the fact: ``profile``, ``note``, ``consent``."""
    id: AttachmentId
    sha256: str
    """Hex of SHA-256(salt || content)."""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every entry says about itself; the order of the fields is the order in the bytes."""

    format: int
    journal: JournalId
    epoch: int
    seq: int
    id: EntryId
    kind: str
    version: int
    """Of the fact's shape; a known version forbids unknown fields."""
    post_version: int
    """Of the booking rule; the postings of a fact never change in later releases."""
    occurred_at: str
    """RFC 3339 with the store's offset from UTC, milliseconds."""
    hlc: HybridTime
    business_date: str | None
    """ISO date fixed when the shift opened; null outside a shift."""
    reverses: EntryId | None
    """The entry this one undoes as a whole; at most one entry reverses another."""
    depends_on: tuple[EntryId, ...]
    """Entries this one refers to (the sale of a partial return, both facts of an exception)."""
    attachments: tuple[AttachmentRef, ...]
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Entry:
    """An envelope with the bytes it was read from or written to."""

    envelope: Envelope
    encoded: bytes

    def chained(self, previous_hash: bytes) -> bytes:
        """The entry's hash, after the entry with ``previous_hash`` (or the epoch's genesis)."""
        return chain_hash(previous_hash, self.encoded)


_decoder = msgspec.json.Decoder(Envelope)


def encode_entry(envelope: Envelope) -> Entry:
    """Encode an envelope into an entry.

    Raises DomainError ``entry-too-large`` beyond 64 KiB: any entry must fit any push.
    """
    encoded = encode_strict(envelope)
    if len(encoded) > ENTRY_BYTES_MAX:
        raise DomainError("entry-too-large", size=len(encoded), limit=ENTRY_BYTES_MAX)
    return Entry(envelope, encoded)


def decode_entry(encoded: bytes) -> Entry:
    """Read an entry's envelope; the body stays raw until its kind is known.

    Raises ProtocolError ``entry-too-large``, ``not-strict-json`` or ``bad-envelope``.
    """
    if len(encoded) > ENTRY_BYTES_MAX:
        raise ProtocolError("entry-too-large", size=len(encoded), limit=ENTRY_BYTES_MAX)
    check_strict(encoded)
    try:
        envelope = _decoder.decode(encoded)
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-envelope", reason=str(error)) from error
    _check_envelope(envelope)
    return Entry(envelope, encoded)


def _check_envelope(envelope: Envelope) -> None:
    if envelope.format != FORMAT:
        raise ProtocolError("bad-envelope", reason=f"format {envelope.format}")
    if envelope.epoch < 0 or envelope.seq < 0:
        raise ProtocolError("bad-envelope", reason="negative epoch or seq")
    names = (envelope.journal, envelope.id, envelope.kind, envelope.reverses or "-")
    if any(not 0 < len(one) <= NAME_LENGTH_MAX for one in (*names, *envelope.depends_on)):
        raise ProtocolError("bad-envelope", reason="length of an id")
    try:
        occurred_at = datetime.fromisoformat(envelope.occurred_at)
        if envelope.business_date is not None:
            date.fromisoformat(envelope.business_date)
    except ValueError as error:
        raise ProtocolError("bad-envelope", reason="time") from error
    if occurred_at.tzinfo is None or not _HYBRID_TIME.fullmatch(envelope.hlc):
        raise ProtocolError("bad-envelope", reason="time")


def chain_hash(previous_hash: bytes, encoded: bytes) -> bytes:
    """SHA-256 over the prefix, the previous entry's hash and this entry's bytes."""
    assert len(previous_hash) == HASH_BYTES
    return hashlib.sha256(ENTRY_PREFIX + previous_hash + encoded).digest()


def genesis_hash(certificate: bytes) -> bytes:
    """What stands as previous hash at seq 0 of an epoch: it binds the chain to its certificate."""
    return hashlib.sha256(EPOCH_PREFIX + certificate).digest()


def format_occurred_at(at: datetime) -> str:
    """An aware time as entries write it."""
    assert at.tzinfo is not None
    return at.isoformat(timespec="milliseconds")
