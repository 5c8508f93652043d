"""The hash chain: appending to it and verifying it, the same on till and server."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.errors import ProtocolError
from shared.ids import EntryId, JournalId
from shared.journal.entry import (
    Entry,
    Envelope,
    chain_hash,
    decode_entry,
    encode_entry,
    genesis_hash,
)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a chain stands: the next entry's number and the hash it builds on."""

    journal: JournalId
    epoch: int
    next_seq: int
    hash: bytes

    @property
    def last_seq(self) -> int:
        """The newest entry's number; -1 before the first."""
        return self.next_seq - 1


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry with its place: the hash before it and its own."""

    entry: Entry
    previous_hash: bytes
    hash: bytes

    @property
    def envelope(self) -> Envelope:
        """The entry's envelope."""
        return self.entry.envelope

    @property
    def id(self) -> EntryId:
        """The entry's id."""
        return self.entry.envelope.id


def begin_chain(journal: JournalId, epoch: int, certificate: bytes) -> ChainHead:
    """The head of an epoch before its first entry."""
    return ChainHead(journal, epoch, 0, genesis_hash(certificate))


def append(head: ChainHead, envelope: Envelope) -> tuple[ChainHead, ChainedEntry]:
    """Encode an envelope written for this head and move the head past it."""
    assert (envelope.journal, envelope.epoch, envelope.seq) == (
        head.journal,
        head.epoch,
        head.next_seq,
    )
    return _extend(head, encode_entry(envelope))


def verify_next(head: ChainHead, encoded: bytes) -> tuple[ChainHead, ChainedEntry]:
    """Read the entry that should follow ``head``.

    Raises ProtocolError ``wrong-place`` unless journal, epoch and seq are the head's own. The hash
    that results is compared by the caller with a signed one: the bytes alone cannot prove it.
    """
    entry = decode_entry(encoded)
    envelope = entry.envelope
    if (envelope.journal, envelope.epoch, envelope.seq) != (
        head.journal,
        head.epoch,
        head.next_seq,
    ):
        raise ProtocolError(
            "wrong-place",
            expected=f"{head.epoch}/{head.next_seq}",
            found=f"{envelope.epoch}/{envelope.seq}",
        )
    return _extend(head, entry)


def verify_chain(head: ChainHead, entries: Iterable[tuple[bytes, bytes]]) -> ChainHead:
    """Walk stored ``(bytes, hash)`` rows from ``head`` on and return where they end.

    Raises ProtocolError ``broken-chain`` naming the first row whose hash is not that of its bytes.
    """
    for encoded, stored_hash in entries:
        next_head, chained = verify_next(head, encoded)
        if chained.hash != stored_hash:
            raise ProtocolError("broken-chain", epoch=head.epoch, seq=head.next_seq)
        head = next_head
    return head


def _extend(head: ChainHead, entry: Entry) -> tuple[ChainHead, ChainedEntry]:
    entry_hash = chain_hash(head.hash, entry.encoded)
    moved = replace(head, next_seq=head.next_seq + 1, hash=entry_hash)
    return moved, ChainedEntry(entry, head.hash, entry_hash)
