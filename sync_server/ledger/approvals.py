"""Approvals are good for one thing: one that stands in two facts of a kind was replayed.

A price typed by hand is a fact of its own and part of its sale, with the same approval: so kinds
are counted apart.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from shared.ids import EntryId
from sync_server.database.schema import approvals
from sync_server.database.transaction import Work
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading, approvals_of


class _Use(NamedTuple):
    approval_id: str
    kind: str


def find_replayed_approvals(work: Work, readings: Sequence[Reading]) -> list[Finding]:
    """Note what was approved; approvals that another fact of the kind has used before."""
    uses = [
        (_Use(one.approval_id, reading.fact.kind), reading.id)
        for reading in readings
        for one in approvals_of(reading.fact)
    ]
    if not uses:
        return []
    first = _known(work, [use.approval_id for use, _entry in uses])
    known = set(first)
    found = list(_replayed(uses, first))
    new = [
        {"approval_id": use.approval_id, "kind": use.kind, "entry_id": entry}
        for use, entry in first.items()
        if use not in known
    ]
    work.insert(approvals, new)
    return found


def _replayed(
    uses: Sequence[tuple[_Use, EntryId]], first: dict[_Use, EntryId]
) -> Iterator[Finding]:
    for use, entry in uses:
        before = first.setdefault(use, entry)
        if before != entry:
            yield Finding(
                rule=Rule.APPROVAL_REPLAYED,
                natural_key=f"approval-replayed:{use.approval_id}:{entry}",
                facts=(before, entry),
            )


def _known(work: Work, ids: Sequence[str]) -> dict[_Use, EntryId]:
    columns = approvals.c
    statement = select(columns.approval_id, columns.kind, columns.entry_id).where(
        columns.shard == work.shard, columns.approval_id.in_(set(ids))
    )
    rows = work.connection.execute(statement)
    return {_Use(row.approval_id, row.kind): EntryId(row.entry_id) for row in rows}
