"""Where a proved push belongs among the chains that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.protocol.message import PUSH_ENTRIES_MAX
from sync_server.journal.chains import Chain, ChainReader
from sync_server.sync.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """The chain a push goes on from, and how much of it is kept already."""

    chain: Chain
    known: int
    """Entries of the push that are kept with the same hash."""
    forks_at: int | None = None
    """The number from which the push contradicts the chain."""
    hash_at_fork: bytes = b""
    """What both build on there."""
    contradicted: EntryId | None = None
    """The first kept entry that the push contradicts."""


def place_batch(reader: ChainReader, chains: Sequence[Chain], batch: Batch) -> Placing:
    """Find the chain that a push continues, repeats or leaves.

    Raises ProtocolError ``unknown-journal``; ``gap`` and ``unknown-parent`` carry ``next_seq`` and
    ``head_hash``, from where the till goes on.
    """
    request = batch.request
    candidates = [chain for chain in chains if chain.written_epoch == request.epoch]
    if not candidates or candidates[0].certificate != batch.request.certificate.payload:
        raise ProtocolError("unknown-journal", journal=request.journal)
    first = request.first_seq
    placings = [
        _follow(reader, chain, batch)
        for chain in candidates
        if reader.hash_before(chain, first) == request.prev_hash
    ]
    if placings:
        # The chain that knows most of it; one it continues goes before one it leaves.
        return max(placings, key=lambda placing: (placing.known, placing.forks_at is None))
    raise _elsewhere(reader, candidates[0], first)


def _follow(reader: ChainReader, chain: Chain, batch: Batch) -> Placing:
    first = batch.request.first_seq
    stored = reader.links(chain, first, batch.next_seq)
    known = 0
    for link, kept in zip(batch.links, stored, strict=False):
        if link.hash != kept.hash:
            return Placing(
                chain=chain,
                known=known,
                forks_at=link.seq,
                hash_at_fork=link.prev_hash,
                contradicted=kept.id,
            )
        known += 1
    return Placing(chain=chain, known=known)


def _elsewhere(reader: ChainReader, chain: Chain, first_seq: int) -> ProtocolError:
    if first_seq > chain.next_seq:
        return ProtocolError("gap", next_seq=chain.next_seq, head_hash=chain.head_hash)
    # Left the kept chain somewhere before: the till sends again from further back, step by step,
    # until the last common entry is in the push.
    back = max(0, first_seq - PUSH_ENTRIES_MAX)
    head_hash = reader.hash_before(chain, back)
    assert head_hash is not None
    return ProtocolError("unknown-parent", next_seq=back, head_hash=head_hash)
