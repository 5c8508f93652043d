"""Members' personal data as columns, merged from the facts that tell it.

A profile is what its enrolment and all changes say, field by field the last one; it is made anew
from all of them whenever one arrives, so the order of arrival changes nothing. Of enrolments under
one id the first to arrive is who the member is: nobody takes over a member with a second one.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select, update

from shared.ids import EntryId, MemberId
from shared.trade.profile import MemberProfile
from shared.trade.profile_change import ProfileWriting, last_change, merge_profile
from shared.trade.till import MemberEnrolled
from sync_server.database.schema import members
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.finding import Finding, Rule
from sync_server.members.consents import keep_consents
from sync_server.members.differing import find_clocks, find_differing
from sync_server.members.key_claims import claim_keys
from sync_server.members.profile_facts import Arrival, ProfileFact, keep_facts, read_writings
from sync_server.members.roll import touch
from sync_server.members.segments import in_batches


def settle_profiles(
    work: Work, new: Sequence[ProfileFact], lookup_key: bytes, arrival: Arrival
) -> list[Finding]:
    """Take facts about profiles in: profiles, consents, and who is found by phone and card."""
    if not new:
        return []
    known = _members(work, {one.fact.member_id for one in new})
    here = [one for one in new if one.fact.member_id in known]
    findings, accepted = _enrol(work, here, known)
    keep_facts(work, accepted, arrival)
    keep_consents(work, [(one.reading.id, one.fact) for one in accepted])
    touched = list(dict.fromkeys(one.fact.member_id for one in accepted))
    writings = read_writings(work, touched)
    profiles = _write(work, touched, writings)
    # A profile may come later than its entry, which tills have read without it.
    touch(work, touched)
    told_by = {one.fact.member_id: one.reading.id for one in accepted}
    findings += claim_keys(work, profiles, told_by, lookup_key)
    if arrival.from_till:
        findings += [*find_differing(accepted, writings), *find_clocks(accepted, arrival)]
    return findings


def unlike_facts(snapshot: Snapshot) -> Iterator[MemberId]:
    """Members whose columns are not what the facts about them say; for ``verify``."""
    after = ""
    names = (*MemberProfile.__struct_fields__, "changed_hlc")
    while rows := _some_after(snapshot, after):
        ids = [MemberId(row.member_id) for row in rows]
        writings = read_writings(snapshot, ids)
        for member, row in zip(ids, rows, strict=True):
            told = writings.get(member, ())
            profile = merge_profile(told)
            said = (*msgspec.structs.astuple(profile), last_change(told) or "")
            if said != tuple(getattr(row, name) for name in names):
                yield member
        after = ids[-1]


def _some_after(snapshot: Snapshot, after: str) -> Sequence[Row[Any]]:
    statement = select(members).where(
        members.c.shard == snapshot.shard, members.c.member_id > after, members.c.gone.is_(False)
    )
    return snapshot.connection.execute(statement.order_by(members.c.member_id).limit(1000)).all()


def _members(snapshot: Snapshot, ids: set[MemberId]) -> dict[MemberId, Row[Any]]:
    """Those who are not erased; a fact about somebody erased tells nothing."""
    found: dict[MemberId, Row[Any]] = {}
    for some in in_batches(list(ids)):
        statement = select(members).where(
            members.c.shard == snapshot.shard,
            members.c.member_id.in_(some),
            members.c.gone.is_(False),
        )
        for row in snapshot.connection.execute(statement):
            found[MemberId(row.member_id)] = row
    return found


def _enrol(
    work: Work, new: Sequence[ProfileFact], known: Mapping[MemberId, Row[Any]]
) -> tuple[list[Finding], list[ProfileFact]]:
    """Note who was enrolled by what; the facts that count, and second enrolments found."""
    enrolled_by = {member: row.enrolled_by for member, row in known.items()}
    first: list[dict[str, object]] = []
    accepted: list[ProfileFact] = []
    findings: list[Finding] = []
    for one in new:
        member, entry = one.fact.member_id, one.reading.id
        if isinstance(one.fact, MemberEnrolled):
            if enrolled_by[member] is None:
                enrolled_by[member] = entry
                at, store = one.reading.envelope.occurred_at, one.fact.store_id
                first.append({"member": member, "by": entry, "at": at, "store": store})
            elif enrolled_by[member] != entry:
                findings.append(_enrolled_twice(member, EntryId(enrolled_by[member]), entry))
                continue
        accepted.append(one)
    if first:
        statement = (
            update(members)
            .where(members.c.shard == work.shard, members.c.member_id == bindparam("member"))
            .values(
                enrolled_by=bindparam("by"),
                enrolled_at=bindparam("at"),
                store_id=bindparam("store"),
            )
        )
        work.connection.execute(statement, first)
    return findings, accepted


def _write(
    work: Work,
    ids: Sequence[MemberId],
    writings: Mapping[MemberId, Sequence[ProfileWriting]],
) -> dict[MemberId, MemberProfile]:
    """Make profiles anew from all that tells them."""
    profiles = {member: merge_profile(writings.get(member, ())) for member in ids}
    if profiles:
        columns: dict[str, Any] = {
            name: bindparam(f"to_{name}") for name in MemberProfile.__struct_fields__
        }
        statement = (
            update(members)
            .where(members.c.shard == work.shard, members.c.member_id == bindparam("member"))
            .values(changed_hlc=bindparam("to_hlc"), **columns)
        )
        rows = [
            {
                "member": member,
                "to_hlc": last_change(writings.get(member, ())) or "",
                **{f"to_{n}": text for n, text in msgspec.structs.asdict(profile).items()},
            }
            for member, profile in profiles.items()
        ]
        work.connection.execute(statement, rows)
    return profiles


def _enrolled_twice(member: MemberId, first: EntryId, second: EntryId) -> Finding:
    return Finding(
        rule=Rule.ENROLLED_TWICE,
        natural_key=f"enrolled-twice:{member}:{second}",
        facts=(first, second),
        member_id=member,
    )
