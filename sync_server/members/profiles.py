"""Members' personal data as columns and keyed hashes, from the attachments of enrolments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, select, update

from shared.ids import EntryId, MemberId
from shared.trade.profile import MemberProfile, lookup_hashes
from shared.trade.till import MemberEnrolled
from sync_server.database.schema import member_keys, members
from sync_server.database.transaction import Work
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.members.roll import touch
from sync_server.sync.attachments import Proved

PROFILE_ROLE = "profile"
_profiles = msgspec.json.Decoder(MemberProfile)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An enrolment fact, with the personal data where it came along and can be read."""

    reading: Reading
    fact: MemberEnrolled
    profile: MemberProfile | None


def enrolments(readings: Iterable[Reading], proved: Sequence[Proved]) -> list[Enrolment]:
    """The enrolments among these facts and those whose attachment arrived late."""
    profiles = {
        reading.id: profile
        for reading, ref, attachment in proved
        if ref.role == PROFILE_ROLE and (profile := read_profile(attachment.content))
    }
    late = [reading for reading, _ref, _attachment in proved]
    unique = {reading.id: reading for reading in [*readings, *late]}
    return [
        Enrolment(reading, reading.fact, profiles.get(reading.id))
        for reading in unique.values()
        if isinstance(reading.fact, MemberEnrolled)
    ]


def read_profile(content: bytes) -> MemberProfile | None:
    """A profile as attachments hold it (JSON); None where it cannot be read."""
    try:
        profile = _profiles.decode(content)
    except msgspec.MsgspecError:
        return None
    return None if any("\0" in text for text in msgspec.structs.astuple(profile)) else profile


def enrol(work: Work, new: Sequence[Enrolment], lookup_key: bytes) -> list[Finding]:
    """Write profiles and claim their keys; the first to claim a key has it."""
    if not new:
        return []
    statement = (
        update(members)
        .where(
            members.c.shard == work.shard,
            members.c.member_id == bindparam("member"),
            members.c.gone.is_(False),
            # A second enrolment under one id must not replace who somebody is.
            members.c.enrolled_by.is_(None) | (members.c.enrolled_by == bindparam("entry")),
        )
        .values(
            name=bindparam("to_name"),
            phone=bindparam("to_phone"),
            card=bindparam("to_card"),
            birthday=bindparam("to_birthday"),
            email=bindparam("to_email"),
            store_id=bindparam("to_store"),
            enrolled_at=bindparam("at"),
            enrolled_by=bindparam("by"),
        )
    )
    work.connection.execute(statement, [_columns(enrolment) for enrolment in new])
    # A profile may come later than its entry, which tills have read without it.
    touch(work, dict.fromkeys(enrolment.fact.member_id for enrolment in new))
    return _claim_keys(work, new, lookup_key)


def _columns(enrolment: Enrolment) -> dict[str, str]:
    profile = enrolment.profile or MemberProfile()
    return {
        "member": enrolment.fact.member_id,
        "to_name": profile.name,
        "to_phone": profile.phone,
        "to_card": profile.card,
        "to_birthday": profile.birthday,
        "to_email": profile.email,
        "to_store": enrolment.fact.store_id,
        "at": enrolment.reading.envelope.occurred_at,
        "by": enrolment.reading.id,
        "entry": enrolment.reading.id,
    }


def _claim_keys(work: Work, new: Sequence[Enrolment], lookup_key: bytes) -> list[Finding]:
    wanted = [
        (key, enrolment)
        for enrolment in new
        if enrolment.profile is not None
        for key in lookup_hashes(lookup_key, enrolment.profile)
    ]
    if not wanted:
        return []
    claims = [{"key_hash": key, "member_id": e.fact.member_id} for key, e in wanted]
    work.insert_new(member_keys, claims)
    holders = _holders(work, [key for key, _enrolment in wanted])
    lost = [(holders[key], e) for key, e in wanted if holders[key] != e.fact.member_id]
    enrolled_by = _enrolled_by(work, {holder for holder, _enrolment in lost})
    return [_duplicate(holder, enrolled_by.get(holder), enrolment) for holder, enrolment in lost]


def _holders(work: Work, keys: Sequence[str]) -> dict[str, MemberId]:
    columns = member_keys.c
    statement = select(columns.key_hash, columns.member_id).where(
        columns.shard == work.shard, columns.key_hash.in_(keys)
    )
    return {key: MemberId(member) for key, member in work.connection.execute(statement)}


def _enrolled_by(work: Work, member_ids: set[MemberId]) -> dict[MemberId, EntryId]:
    columns = members.c
    statement = select(columns.member_id, columns.enrolled_by).where(
        columns.shard == work.shard,
        columns.member_id.in_(member_ids),
        columns.enrolled_by.is_not(None),
    )
    return {MemberId(m): EntryId(entry) for m, entry in work.connection.execute(statement)}


def _duplicate(holder: MemberId, holder_entry: EntryId | None, lost: Enrolment) -> Finding:
    first, second = sorted((holder, lost.fact.member_id))
    facts = (holder_entry, lost.reading.id) if holder_entry else (lost.reading.id,)
    return Finding(
        rule=Rule.DUPLICATE_MEMBER_KEY,
        natural_key=f"duplicate-member-key:{first}:{second}",
        facts=facts,
        member_id=lost.fact.member_id,
    )
