"""Two enrolments that are one person: verified, merged, and undone to the point.

The alias keeps its random id and its entries; what it has goes to the other, and what tills that do
not know of the merge still book for it follows in the transaction that takes it in. Everything that
moved is kept per merge, so undoing it gives every balance what it would have without the merge.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, select, update

from shared.errors import DomainError
from shared.ids import EntryId, MemberId, random_id
from shared.ledger.account import DEBT_LOT, AccountKind
from shared.ledger.booking_member import MERGED
from shared.trade.member import BalanceMoved, MembersMerged, MembersUnmerged
from shared.trade.server import ExceptionEffect
from shared.trade.writing import Writing
from sync_server.database.schema import (
    balances,
    leases,
    member_keys,
    members,
    merge_moves,
    merges,
)
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.leases.claims import LeaseState
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import aliases_among, open_merge_of
from sync_server.members.key_claims import tell_apart
from sync_server.members.regions import enter_regions_of
from sync_server.members.roll import concerns, touch
from sync_server.members.segments import in_batches
from sync_server.points.recovery import Recovery

MOVES_MAX: Final = 200
"""In one fact: an entry has 64 KiB."""
STORED = (AccountKind.STORED_VALUE, AccountKind.STORED_BONUS)


class Verified(StrEnum):
    """How it is known that two enrolments are one person."""

    PHONE = "phone"
    """The member had the phone in hand."""
    OFFICE = "office"
    """Head office confirms it."""


@dataclass(frozen=True, slots=True)
class Merging:
    """Merges members and undoes it."""

    database: Database
    own: OwnJournal
    recovery: Recovery

    def merge(self, alias: MemberId, into: MemberId, *, verified: Verified) -> str:
        """Make ``alias`` an alias of ``into``; the merge's id.

        Raises DomainError ``unknown-member``, ``merge-same-member``, ``already-merged`` where one
        of them is an alias, ``merge-stored-value`` and ``merge-leases-open``.
        """
        if alias == into:
            raise DomainError("merge-same-member", member=alias)
        with self.database.writing() as work:
            for member in (alias, into):
                _check_free(work, member)
            _check_movable(work, alias)
            merge_id = random_id()
            fact = MembersMerged(
                merge_id=merge_id,
                from_member=alias,
                into_member=into,
                verified_by=verified.value,
                moved=(),
            )
            first = self._move(work, fact, _held(work, alias), at_least_one=True)
            keys = _keys_of(work, alias)
            row = {
                "merge_id": merge_id,
                "from_member": alias,
                "into_member": into,
                "merged_by": first,
                "key_hashes": " ".join(keys),
                "undone_by": None,
            }
            work.insert(merges, [row])
            _give_keys(work, keys, into)
            enter_regions_of(work, alias, into)
            self.recovery.settle(work, [into], cause=EntryId(first))
        return merge_id

    def unmerge(self, merge_id: str) -> None:
        """Undo a merge: both have what they would have without it, spent lots below zero.

        Raises DomainError ``unknown-merge``, ``merge-undone`` and ``merge-not-last`` where what
        came of it was merged in its turn; ``unknown-member`` where one was erased meanwhile.
        """
        with self.database.writing() as work:
            merge = _merge(work, merge_id)
            if merge.undone_by is not None:
                raise DomainError("merge-undone", merge=merge_id)
            if open_merge_of(work, merge.into_member) is not None:
                raise DomainError("merge-not-last", member=merge.into_member)
            for member in (merge.from_member, merge.into_member):
                _check_present(work, member)
            moved = _moved(work, merge_id)
            parts = _parts(moved) or [()]
            undone = [
                Writing(
                    MembersUnmerged(
                        merge_id=merge_id,
                        from_member=merge.from_member,
                        into_member=merge.into_member,
                        moved=part,
                    ),
                    depends_on=(EntryId(merge.merged_by),),
                )
                for part in parts
            ]
            entries = self.own.write(work, undone)
            work.connection.execute(
                update(merges)
                .where(merges.c.shard == work.shard, merges.c.merge_id == merge_id)
                .values(undone_by=entries[0], key_hashes="")
            )
            both = [MemberId(merge.from_member), MemberId(merge.into_member)]
            self.recovery.settle(work, both, cause=EntryId(entries[0]))
            tell_apart(work, merge.from_member, merge.into_member, merge.key_hashes.split())
            self.own.raise_exceptions(work, list(_shortages(work, merge, moved, entries[0])))

    def follow(self, work: Work, readings: Sequence[Reading]) -> None:
        """Bring on what was just booked for aliases."""
        touched = {member for reading in readings for member in concerns(reading.fact)}
        waiting = [MemberId(alias) for alias in sorted(aliases_among(work, touched))]
        while waiting:
            merge = open_merge_of(work, waiting.pop())
            if merge is None:
                continue
            fact = MembersMerged(
                merge_id=merge.merge_id,
                from_member=merge.from_member,
                into_member=merge.into_member,
                verified_by="",
                moved=(),
            )
            held = _held(work, merge.from_member)
            if held:
                self._move(work, fact, held, at_least_one=False)
                waiting.append(merge.into_member)

    def _move(
        self, work: Work, fact: MembersMerged, held: Sequence[BalanceMoved], *, at_least_one: bool
    ) -> str:
        parts = _parts(held) or ([()] if at_least_one else [])
        facts = [
            MembersMerged(
                merge_id=fact.merge_id,
                from_member=fact.from_member,
                into_member=fact.into_member,
                verified_by=fact.verified_by,
                moved=part,
            )
            for part in parts
        ]
        entries = self.own.write(work, [Writing(one) for one in facts])
        _keep_moves(work, fact.merge_id, held)
        return entries[0]


def _check_free(work: Work, member: MemberId) -> None:
    _check_present(work, member)
    merge = open_merge_of(work, member)
    if merge is not None:
        raise DomainError("already-merged", member=member, into=merge.into_member)


def _check_present(snapshot: Snapshot, member: MemberId) -> None:
    found = select(members.c.member_id).where(
        members.c.shard == snapshot.shard,
        members.c.member_id == member,
        members.c.gone.is_(False),
    )
    if snapshot.connection.execute(found).first() is None:
        raise DomainError("unknown-member", member=member)


def _check_movable(snapshot: Snapshot, alias: MemberId) -> None:
    """Money is never moved by a merge, and what a till may spend offline must be back first."""
    stored = select(balances.c.amount).where(
        balances.c.shard == snapshot.shard,
        balances.c.owner == alias,
        balances.c.account.in_([kind.value for kind in STORED]),
        balances.c.amount != 0,
    )
    if snapshot.connection.execute(stored.limit(1)).first() is not None:
        raise DomainError("merge-stored-value", member=alias)
    leased = select(leases.c.lease_id).where(
        leases.c.shard == snapshot.shard,
        leases.c.account.in_([kind.value for kind in AccountKind]),
        leases.c.owner == alias,
        leases.c.state == LeaseState.OPEN.value,
    )
    if snapshot.connection.execute(leased.limit(1)).first() is not None:
        raise DomainError("merge-leases-open", member=alias)


def _held(snapshot: Snapshot, member: MemberId) -> list[BalanceMoved]:
    columns = balances.c
    statement = select(columns.account, columns.lot, columns.unit, columns.amount).where(
        columns.shard == snapshot.shard,
        columns.owner == member,
        columns.account.in_([kind.value for kind in MERGED]),
        columns.amount != 0,
    )
    ordered = statement.order_by(columns.account, columns.lot, columns.unit)
    return [_moved_row(row) for row in snapshot.connection.execute(ordered)]


def _moved_row(row: Row[*tuple[Any, ...]]) -> BalanceMoved:
    return BalanceMoved(account=row.account, lot=row.lot, unit=row.unit, amount=row.amount)


def _parts(moved: Sequence[BalanceMoved]) -> list[tuple[BalanceMoved, ...]]:
    return [tuple(moved[at : at + MOVES_MAX]) for at in range(0, len(moved), MOVES_MAX)]


def _keep_moves(work: Work, merge_id: str, held: Sequence[BalanceMoved]) -> None:
    if not held:
        return
    rows = [
        {
            "merge_id": merge_id,
            "account": one.account,
            "lot": one.lot,
            "unit": one.unit,
            "amount": one.amount,
        }
        for one in held
    ]
    work.put(merge_moves, rows, "amount = merge_moves.amount + excluded.amount")


def _moved(snapshot: Snapshot, merge_id: str) -> list[BalanceMoved]:
    columns = merge_moves.c
    statement = (
        select(columns.account, columns.lot, columns.unit, columns.amount)
        .where(columns.shard == snapshot.shard, columns.merge_id == merge_id, columns.amount != 0)
        .order_by(columns.account, columns.lot, columns.unit)
    )
    return [_moved_row(row) for row in snapshot.connection.execute(statement)]


def _merge(snapshot: Snapshot, merge_id: str) -> Row[Any]:
    row = snapshot.connection.execute(
        select(merges).where(merges.c.shard == snapshot.shard, merges.c.merge_id == merge_id)
    ).first()
    if row is None:
        raise DomainError("unknown-merge", merge=merge_id)
    return row


def _keys_of(snapshot: Snapshot, member: MemberId) -> list[str]:
    columns = member_keys.c
    statement = select(columns.key_hash).where(
        columns.shard == snapshot.shard, columns.member_id == member
    )
    return sorted(snapshot.connection.execute(statement).scalars())


def _give_keys(work: Work, keys: Iterable[str], member: MemberId) -> None:
    """Phone and card find the other from now on."""
    for part in in_batches([MemberId(key) for key in keys]):
        work.connection.execute(
            update(member_keys)
            .where(member_keys.c.shard == work.shard, member_keys.c.key_hash.in_(part))
            .values(member_id=member)
        )
    touch(work, [member])


def _shortages(
    snapshot: Snapshot, merge: Row[Any], moved: Sequence[BalanceMoved], entry: EntryId
) -> Iterator[Finding]:
    """What was spent of the alias' lots while they were the other's."""
    lots = {one.lot for one in moved if one.account == AccountKind.POINTS} - {DEBT_LOT}
    columns = balances.c
    statement = select(columns.lot, columns.unit, columns.amount).where(
        columns.shard == snapshot.shard,
        columns.owner == merge.into_member,
        columns.account == AccountKind.POINTS.value,
        columns.amount < 0,
    )
    short = [row for row in snapshot.connection.execute(statement) if row.lot in lots]
    if not short:
        return
    by_unit: dict[str, int] = {}
    for row in short:
        by_unit[row.unit] = by_unit.get(row.unit, 0) + row.amount
    yield Finding(
        rule=Rule.UNMERGED_SHORT,
        natural_key=f"unmerged-short:{merge.merge_id}",
        facts=(EntryId(merge.merged_by), entry),
        member_id=merge.into_member,
        effects=tuple(
            ExceptionEffect(
                account=AccountKind.POINTS, owner=merge.into_member, unit=unit, amount=amount
            )
            for unit, amount in sorted(by_unit.items())
        ),
    )
