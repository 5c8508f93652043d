"""Segments: groups of members that head office makes, for offers that name them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from shared.errors import DomainError
from shared.ids import MemberId
from sync_server.database.among import among
from sync_server.database.schema import member_segments, members
from sync_server.database.transaction import Database, Snapshot
from sync_server.members.roll import touch

NAME_LENGTH_MAX = 60
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Segments:
    """Puts members into segments and takes them out; tills hear of it with the members' rows."""

    database: Database

    def put(self, segment: str, member_ids: Iterable[MemberId]) -> int:
        """Members who belong to a segment from now on; returns how many did not before.

        Raises DomainError ``bad-segment`` and ``unknown-member``.
        """
        return self._set(segment, member_ids, active=True)

    def take_out(self, segment: str, member_ids: Iterable[MemberId]) -> int:
        """Members who belong to it no more; that they once did stays known to the audit."""
        return self._set(segment, member_ids, active=False)

    def _set(self, segment: str, member_ids: Iterable[MemberId], *, active: bool) -> int:
        segment = segment.strip()
        if not segment or len(segment) > NAME_LENGTH_MAX or not segment.isprintable():
            raise DomainError("bad-segment", segment=segment[:NAME_LENGTH_MAX])
        wanted = list(dict.fromkeys(member_ids))
        with self.database.writing() as work:
            known = _present(work, wanted)
            for member in wanted:
                if member not in known:
                    raise DomainError("unknown-member", member=member)
            belong = segments_of(work, wanted)
            changed = [one for one in wanted if (segment in belong.get(one, ())) is not active]
            columns = member_segments.c
            for ids in in_batches(changed):
                if active:
                    rows = [{"member_id": one, "segment": segment, "active": True} for one in ids]
                    work.insert_new(member_segments, rows)
                work.connection.execute(
                    update(member_segments)
                    .where(
                        columns.shard == work.shard,
                        columns.segment == segment,
                        among(columns.member_id, ids),
                    )
                    .values(active=active)
                )
            touch(work, changed)
        return len(changed)


def segments_of(
    snapshot: Snapshot, member_ids: Sequence[MemberId], *, ever: bool = False
) -> dict[MemberId, list[str]]:
    """The segments of members, now or at any time."""
    found: dict[MemberId, list[str]] = defaultdict(list)
    columns = member_segments.c
    for ids in in_batches(member_ids):
        statement = select(columns.member_id, columns.segment).where(
            columns.shard == snapshot.shard, among(columns.member_id, ids)
        )
        if not ever:
            statement = statement.where(columns.active.is_(True))
        in_order = statement.order_by(columns.segment)
        for member, segment in snapshot.connection.execute(in_order).all():
            found[MemberId(member)].append(segment)
    return found


def _present(snapshot: Snapshot, member_ids: Sequence[MemberId]) -> set[str]:
    known: set[str] = set()
    for ids in in_batches(member_ids):
        statement = select(members.c.member_id).where(
            members.c.shard == snapshot.shard,
            members.c.member_id.in_(ids),
            members.c.gone.is_(False),
        )
        known.update(snapshot.connection.execute(statement).scalars())
    return known


def in_batches(ids: Sequence[MemberId]) -> Iterable[Sequence[MemberId]]:
    """A list in parts that one statement can name."""
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
