"""Stored chains: where each epoch of a journal stands, and which branch a push belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select, update

from shared.ids import EntryId, JournalId
from shared.journal.certificate import Certificate, ForkPoint, decode_certificate
from shared.journal.entry import genesis_hash
from shared.journal.keys import KeyId
from shared.protocol.message import JournalHead
from sync_server.database.schema import entries, epochs, head_signatures, heads, shards
from sync_server.database.transaction import Snapshot, Work
from sync_server.journal.holes import Hole, open_holes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One epoch as the server keeps it; a branch shares its parent's entries below the fork."""

    journal: JournalId
    epoch: int
    written_epoch: int
    """The epoch its entries name; another one in a branch."""
    certificate: bytes
    fork: ForkPoint | None
    """Where a branch left which stored epoch; None for an epoch a till was enrolled with."""
    next_seq: int
    head_hash: bytes

    @property
    def first_seq(self) -> int:
        """The first entry stored under this epoch itself."""
        return self.fork.seq if self.fork else 0

    @property
    def genesis(self) -> bytes:
        """What stands before seq 0."""
        return genesis_hash(self.certificate)


@dataclass(frozen=True, slots=True)
class StoredLink:
    """What a chain has at one number."""

    seq: int
    hash: bytes
    id: EntryId | None


_CHAINS: Final = (
    select(epochs, heads.c.next_seq, heads.c.head_hash)
    .join(
        heads,
        (epochs.c.shard == heads.c.shard)
        & (epochs.c.journal == heads.c.journal)
        & (epochs.c.epoch == heads.c.epoch),
    )
    .where(epochs.c.shard == bindparam("shard"), epochs.c.journal == bindparam("journal"))
    .order_by(epochs.c.epoch)
)
_CHAINS_OF_EPOCH: Final = _CHAINS.where(epochs.c.written_epoch == bindparam("written"))
_MOVE_HEAD: Final = (
    update(heads)
    .where(
        heads.c.shard == bindparam("of_shard"),
        heads.c.journal == bindparam("of_journal"),
        heads.c.epoch == bindparam("of_epoch"),
    )
    .values(next_seq=bindparam("now_next"), head_hash=bindparam("now_hash"))
)
"""What every push asks and writes is made once: making it took longer than running it."""


def read_chains(
    snapshot: Snapshot, journal: JournalId, written_epoch: int | None = None
) -> list[Chain]:
    """The chains that carry an epoch's entries, the enrolled one first; or all of a journal."""
    told: dict[str, Any] = {"shard": snapshot.shard, "journal": journal}
    statement = _CHAINS
    if written_epoch is not None:
        statement, told["written"] = _CHAINS_OF_EPOCH, written_epoch
    return [_chain(row) for row in snapshot.connection.execute(statement, told)]


def _chain(row: Row[Any]) -> Chain:
    forked = row.forked_epoch is not None
    return Chain(
        journal=row.journal,
        epoch=row.epoch,
        written_epoch=row.written_epoch,
        certificate=row.certificate,
        fork=ForkPoint(row.forked_epoch, row.forked_seq) if forked else None,
        next_seq=row.next_seq,
        head_hash=row.head_hash,
    )


def heads_of(snapshot: Snapshot, caller: Certificate) -> tuple[JournalHead, ...]:
    """How far each branch of a till's epoch is here; the enrolled one first."""
    return tuple(
        JournalHead(next_seq=chain.next_seq, hash=chain.head_hash)
        for chain in read_chains(snapshot, caller.journal, caller.epoch)
    )


def find_certificate(snapshot: Snapshot, key_id: KeyId) -> Certificate | None:
    """The certificate of the epoch a key was enrolled with."""
    columns = epochs.c
    statement = select(columns.certificate).where(
        columns.shard == snapshot.shard,
        columns.key_id == key_id,
        columns.forked_epoch.is_(None),
    )
    found = snapshot.connection.execute(statement).scalar_one_or_none()
    return decode_certificate(found) if found is not None else None


class ChainReader:
    """Reads the hashes of a journal's chains, following branches below their fork."""

    def __init__(self, snapshot: Snapshot, chains: Sequence[Chain]) -> None:
        self._snapshot = snapshot
        self._by_epoch = {chain.epoch: chain for chain in chains}
        self._holes = open_holes(snapshot, chains[0].journal) if chains else []

    def hash_before(self, chain: Chain, seq: int) -> bytes | None:
        """The hash an entry ``seq`` of this chain builds on; None where it has not got there."""
        if seq == 0:
            return chain.genesis if chain.fork is None else self._parent_genesis(chain)
        if seq == chain.next_seq:
            return chain.head_hash
        links = self.links(chain, seq - 1, seq)
        if links:
            return links[0].hash
        ended = [hole for hole in self.holes(chain) if hole.stop_seq == seq]
        return ended[0].hash_at_end if ended else None

    def holes(self, chain: Chain) -> list[Hole]:
        """The holes of a chain that are not filled, also those of its parents below the fork."""
        own = [hole for hole in self._holes if hole.epoch == chain.epoch]
        if chain.fork is None:
            return own
        parents = self.holes(self._by_epoch[chain.fork.epoch])
        return [*(hole for hole in parents if hole.stop_seq <= chain.fork.seq), *own]

    def links(self, chain: Chain, start: int, stop: int) -> list[StoredLink]:
        """What the chain has in ``range(start, stop)``, in order."""
        found: list[StoredLink] = []
        if chain.fork is not None and start < chain.fork.seq:
            parent = self._by_epoch[chain.fork.epoch]
            found = self.links(parent, start, min(stop, chain.fork.seq))
        if start >= chain.next_seq:
            return found  # nobody need be asked: most pushes begin where the chain ends
        columns = entries.c
        statement = (
            select(columns.seq, columns.hash, columns.id, columns.repeats)
            .where(
                columns.shard == self._snapshot.shard,
                columns.journal == chain.journal,
                columns.epoch == chain.epoch,
                columns.seq >= start,
                columns.seq < stop,
            )
            .order_by(columns.seq)
        )
        rows = self._snapshot.connection.execute(statement)
        return found + [StoredLink(row.seq, row.hash, row.id or row.repeats) for row in rows]

    def _parent_genesis(self, chain: Chain) -> bytes:
        parent = chain
        while parent.fork is not None:
            parent = self._by_epoch[parent.fork.epoch]
        return parent.genesis


def next_epoch(work: Work, journal: JournalId) -> int:
    """The number of a journal's next epoch: above all that are kept or were given before."""
    newest = select(func.max(epochs.c.epoch)).where(
        epochs.c.shard == work.shard, epochs.c.journal == journal
    )
    found = work.connection.execute(newest).scalar_one()
    floor = work.connection.execute(
        select(shards.c.epoch_floor).where(shards.c.shard == work.shard)
    ).scalar_one()
    return max(int(floor), 0 if found is None else int(found) + 1)


def add_epoch(
    work: Work,
    *,
    certificate: Certificate,
    encoded: bytes,
    signed: bytes,
    created_at: str,
    written_epoch: int | None = None,
    start: tuple[int, bytes] | None = None,
) -> None:
    """Open an epoch; ``start`` is next seq and hash where it continues another (a branch)."""
    fork = certificate.forked_from if written_epoch is not None else None
    place = {"journal": certificate.journal, "epoch": certificate.epoch}
    row = {
        **place,
        "certificate": encoded,
        "certificate_signed": signed,
        "key_id": certificate.key_id,
        "written_epoch": certificate.epoch if written_epoch is None else written_epoch,
        "forked_epoch": fork.epoch if fork else None,
        "forked_seq": fork.seq if fork else None,
        "created_at": created_at,
    }
    next_seq, head_hash = start or (0, genesis_hash(encoded))
    work.insert(epochs, [row])
    work.insert(heads, [{**place, "next_seq": next_seq, "head_hash": head_hash}])


def move_head(
    work: Work, journal: JournalId, epoch: int, *, next_seq: int, head_hash: bytes
) -> None:
    """Note where an epoch stands after new entries."""
    work.connection.execute(
        _MOVE_HEAD,
        {
            "of_shard": work.shard,
            "of_journal": journal,
            "of_epoch": epoch,
            "now_next": next_seq,
            "now_hash": head_hash,
        },
    )


def keep_signature(
    work: Work,
    chain: Chain,
    *,
    seq: int,
    head_hash: bytes,
    key_id: KeyId,
    signature: bytes,
    received_at: str,
) -> None:
    """Store a head signature for ever; the same one again is fine."""
    row = {
        "journal": chain.journal,
        "epoch": chain.epoch,
        "seq": seq,
        "head_hash": head_hash,
        "key_id": key_id,
        "signature": signature,
        "received_at": received_at,
    }
    work.insert_new(head_signatures, [row])


def read_signature(snapshot: Snapshot, chain: Chain, seq: int) -> bytes | None:
    """The till's signature of one head of a chain; None where no push ended there."""
    columns = head_signatures.c
    return snapshot.connection.execute(
        select(columns.signature).where(
            columns.shard == snapshot.shard,
            columns.journal == chain.journal,
            columns.epoch == chain.epoch,
            columns.seq == seq,
        )
    ).scalar()
