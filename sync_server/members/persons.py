"""Who is one person by now, for head office."""

from typing import NamedTuple

from shared.errors import DomainError
from shared.ids import MemberId
from sync_server.database.transaction import Snapshot
from sync_server.members.aliases import one_person, open_merge_of
from sync_server.members.rows import find_member


class Merge(NamedTuple):
    """An alias, and whom it is an alias of."""

    merge_id: str
    alias: MemberId
    into: MemberId


class Person(NamedTuple):
    """A member with the merges that are in force around it."""

    member: MemberId
    merges: tuple[Merge, ...]


def person_of(snapshot: Snapshot, member: MemberId) -> Person:
    """The merges that make a member and others one; DomainError ``unknown-member``."""
    if not find_member(snapshot, member):
        raise DomainError("unknown-member", member=member)
    found = [open_merge_of(snapshot, one) for one in one_person(snapshot, member)]
    merges = (
        Merge(merge.merge_id, MemberId(merge.from_member), MemberId(merge.into_member))
        for merge in found
        if merge is not None
    )
    return Person(member, tuple(merges))
