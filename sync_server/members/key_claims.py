"""Who is found by a phone or card: the first to claim it, until they have it no more.

Everybody's claims are kept, also of those who came second: a number that its holder gives up, or
that was of somebody erased, goes to the next who says to have it.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, select

from shared.ids import EntryId, MemberId
from shared.trade.profile import MemberProfile, lookup_hashes
from sync_server.database.among import among
from sync_server.database.schema import key_claims, member_keys, members
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.finding import Finding, Rule
from sync_server.members.aliases import aliases_among, one_person, stands_for
from sync_server.members.roll import touch
from sync_server.members.segments import in_batches


def claim_keys(
    work: Work,
    profiles: Mapping[MemberId, MemberProfile],
    told_by: Mapping[MemberId, EntryId],
    lookup_key: bytes,
) -> list[Finding]:
    """Bring claims and keys up to these profiles; who has a key of somebody else's is found."""
    wanted = {
        member: list(dict.fromkeys(lookup_hashes(lookup_key, profile)))
        for member, profile in profiles.items()
    }
    claimed = _claims_of(work, list(wanted))
    dropped = [
        (key, member)
        for member, keys in claimed.items()
        for key in keys
        if key not in wanted.get(member, ())
    ]
    gained = [
        (key, member)
        for member, keys in wanted.items()
        for key in keys
        if key not in claimed.get(member, ())
    ]
    _add(work, gained)
    drop_claims(work, dropped)
    return _duplicates(work, gained, told_by)


def drop_claims(work: Work, dropped: Sequence[tuple[str, MemberId]]) -> None:
    """Members have these keys no more: each goes to the next who claims it."""
    for key, member in dropped:
        work.connection.execute(
            delete(key_claims).where(
                key_claims.c.shard == work.shard,
                key_claims.c.key_hash == key,
                key_claims.c.member_id == member,
            )
        )
        _hand_on(work, key)


def claims_of(snapshot: Snapshot, member: MemberId) -> list[str]:
    """The keys a member says to have."""
    return _claims_of(snapshot, [member]).get(member, [])


def _add(work: Work, gained: Sequence[tuple[str, MemberId]]) -> None:
    if not gained:
        return
    numbers = work.take(len(gained))
    work.insert_new(
        key_claims,
        [
            {"key_hash": key, "member_id": member, "claim_seq": number}
            for (key, member), number in zip(gained, numbers, strict=True)
        ],
    )
    owners = _owners(work, [member for _key, member in gained])
    work.insert_new(
        member_keys, [{"key_hash": key, "member_id": owners[member]} for key, member in gained]
    )
    touch(work, {owner for member, owner in owners.items() if owner != member})


def _owners(snapshot: Snapshot, ids: Sequence[MemberId]) -> dict[MemberId, MemberId]:
    """Whom each stands for: what an alias has finds the other."""
    aliases = aliases_among(snapshot, dict.fromkeys(ids))
    return {one: stands_for(snapshot, one) if one in aliases else one for one in ids}


def tell_apart(work: Work, alias: MemberId, into: MemberId, had: Iterable[str]) -> None:
    """A merge was undone: the alias gets what it had then and still says to have, and whatever
    nobody says to have who is one with the other."""
    before = set(had)
    keys = before.union(*(claims_of(work, one) for one in one_person(work, alias)))
    for key in sorted(keys):
        if key in before and _holder(work, key) == into and alias in _claiming(work, key):
            _set_holder(work, key, alias)
        else:
            _hand_on(work, key)
    touch(work, [alias])


def _hand_on(work: Work, key: str) -> None:
    """Give a key to whoever has the oldest claim, unless its holder, or an alias, still has one."""
    holder, owners = _holder(work, key), _claiming(work, key)
    if holder not in owners:
        _set_holder(work, key, owners[0] if owners else None)


def _claiming(snapshot: Snapshot, key: str) -> list[MemberId]:
    """Whom those stand for who say to have a key, the oldest claim first."""
    columns = key_claims.c
    statement = select(columns.member_id).where(
        columns.shard == snapshot.shard, columns.key_hash == key
    )
    ordered = statement.order_by(columns.claim_seq, columns.member_id)
    found = snapshot.connection.execute(ordered).scalars().all()
    return [stands_for(snapshot, MemberId(member)) for member in found]


def _holder(snapshot: Snapshot, key: str) -> MemberId | None:
    return _holders(snapshot, [key]).get(key)


def _set_holder(work: Work, key: str, member: MemberId | None) -> None:
    before = _holder(work, key)
    of_key = (member_keys.c.shard == work.shard, member_keys.c.key_hash == key)
    work.connection.execute(delete(member_keys).where(*of_key))
    if member is not None:
        work.insert(member_keys, [{"key_hash": key, "member_id": member}])
    touch(work, [one for one in (before, member) if one is not None])


def _claims_of(snapshot: Snapshot, ids: Sequence[MemberId]) -> dict[MemberId, list[str]]:
    found: dict[MemberId, list[str]] = {}
    columns = key_claims.c
    for some in in_batches(ids):
        statement = select(columns.member_id, columns.key_hash).where(
            columns.shard == snapshot.shard, among(columns.member_id, some)
        )
        in_order = statement.order_by(columns.key_hash)
        for member, key in snapshot.connection.execute(in_order):
            found.setdefault(MemberId(member), []).append(key)
    return found


def _duplicates(
    work: Work, gained: Sequence[tuple[str, MemberId]], told_by: Mapping[MemberId, EntryId]
) -> list[Finding]:
    holders = _holders(work, [key for key, _member in gained])
    owners = _owners(work, [member for _key, member in gained])
    lost = [(holders[key], member) for key, member in gained if holders[key] != owners[member]]
    enrolled_by = _enrolled_by(work, {holder for holder, _member in lost})
    return [
        _duplicate(holder, enrolled_by.get(holder), member, told_by[member])
        for holder, member in lost
    ]


def _holders(snapshot: Snapshot, keys: Sequence[str]) -> dict[str, MemberId]:
    columns = member_keys.c
    found: dict[str, MemberId] = {}
    for some in in_batches([MemberId(key) for key in keys]):
        statement = select(columns.key_hash, columns.member_id).where(
            columns.shard == snapshot.shard, among(columns.key_hash, some)
        )
        rows = snapshot.connection.execute(statement)
        found.update((key, MemberId(member)) for key, member in rows)
    return found


def _enrolled_by(work: Work, member_ids: set[MemberId]) -> dict[MemberId, EntryId]:
    columns = members.c
    statement = select(columns.member_id, columns.enrolled_by).where(
        columns.shard == work.shard,
        columns.member_id.in_(member_ids),
        columns.enrolled_by.is_not(None),
    )
    return {MemberId(m): EntryId(entry) for m, entry in work.connection.execute(statement)}


def _duplicate(
    holder: MemberId, holder_entry: EntryId | None, member: MemberId, entry: EntryId
) -> Finding:
    first, second = sorted((holder, member))
    return Finding(
        rule=Rule.DUPLICATE_MEMBER_KEY,
        natural_key=f"duplicate-member-key:{first}:{second}",
        facts=(holder_entry, entry) if holder_entry else (entry,),
        member_id=member,
    )
