"""Where a proved push belongs among the chains that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.protocol.message import PUSH_ENTRIES_MAX
from sync_server.journal.chains import Chain, ChainReader
from sync_server.journal.holes import Hole
from sync_server.ledger.kept import Link
from sync_server.sync.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """The chain a push goes on from, and how much of it is kept already."""

    chain: Chain
    known: frozenset[int] = frozenset()
    """Numbers of entries of the push that are kept with the same hash."""
    forks_at: int | None = None
    """The number from which the push contradicts the chain."""
    hash_at_fork: bytes = b""
    """What both build on there."""
    contradicted: EntryId | None = None
    """The first kept entry that the push contradicts."""
    digs: Hole | None = None
    """What lies between the chain and the push, which the till has no more."""
    fills: Hole | None = None
    """The hole that entries of the push lie in."""


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
        _follow(reader, chain, batch.links)
        for chain in candidates
        if reader.hash_before(chain, first) == request.prev_hash
    ]
    if placings:
        # The chain that knows most of it; one it continues goes before one it leaves.
        return max(placings, key=lambda placing: (len(placing.known), placing.forks_at is None))
    if request.oldest_seq == first:
        for chain in candidates:
            if first > chain.next_seq:
                return Placing(chain=chain, digs=_gap(chain, batch))
    raise _elsewhere(reader, candidates[0], first)


def _follow(reader: ChainReader, chain: Chain, links: Sequence[Link]) -> Placing:
    if not links:
        return Placing(chain=chain)
    stored = {link.seq: link for link in reader.links(chain, links[0].seq, links[-1].seq + 1)}
    holes = reader.holes(chain)
    known: set[int] = set()
    filled: Hole | None = None
    for link in links:
        kept = stored.get(link.seq)
        hole = next((hole for hole in holes if hole.misses(link.seq)), None)
        is_last = hole is not None and link.seq == hole.stop_seq - 1
        if hole is not None and not (is_last and link.hash != hole.hash_at_end):
            filled = filled or hole
        elif hole is not None:
            # It does not lead to what is kept behind the hole. All of it is on a branch.
            first = next(one for one in links if hole.misses(one.seq))
            return _leaves(chain, first, known, None)
        elif kept is not None and kept.hash != link.hash:
            # What would fill a hole on the way here belongs to the branch as well.
            first = next((one for one in links if filled and filled.misses(one.seq)), link)
            return _leaves(chain, first, known, kept.id)
        elif kept is not None:
            known.add(link.seq)
    return Placing(chain=chain, known=frozenset(known), fills=filled)


def _leaves(chain: Chain, link: Link, known: set[int], contradicted: EntryId | None) -> Placing:
    return Placing(
        chain=chain,
        known=frozenset(seq for seq in known if seq < link.seq),
        forks_at=link.seq,
        hash_at_fork=link.prev_hash,
        contradicted=contradicted,
    )


def _gap(chain: Chain, batch: Batch) -> Hole:
    return Hole(
        journal=chain.journal,
        epoch=chain.epoch,
        first_seq=chain.next_seq,
        stop_seq=batch.request.first_seq,
        hash_before=chain.head_hash,
        hash_at_end=batch.request.prev_hash,
    )


def _elsewhere(reader: ChainReader, chain: Chain, first_seq: int) -> ProtocolError:
    if first_seq > chain.next_seq:
        return ProtocolError("gap", next_seq=chain.next_seq, head_hash=chain.head_hash)
    # Left the kept chain somewhere before: the till sends again from further back, step by step,
    # until the last common entry is in the push.
    back = max(0, first_seq - PUSH_ENTRIES_MAX)
    hash_before = reader.hash_before(chain, back)
    if hash_before is None:  # in a hole: from where it begins
        hole = next(hole for hole in reader.holes(chain) if hole.misses(back - 1))
        back, hash_before = hole.first_seq, hole.hash_before
    return ProtocolError("unknown-parent", next_seq=back, head_hash=hash_before)
