"""Facts that tell a member's profile: read, kept with how they came here, and found again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from shared.clock import HybridTime, hybrid_milliseconds
from shared.ids import EntryId, MemberId
from shared.trade.profile_change import MemberChanged, ProfileChange, ProfileWriting
from shared.trade.till import MemberEnrolled
from sync_server.database.schema import attachments, profile_facts
from sync_server.database.transaction import Snapshot, Work
from sync_server.journal.own import WITNESS_AHEAD_MS_MAX
from sync_server.ledger.kept import Reading
from sync_server.members.segments import in_batches
from sync_server.sync.attachments import Proved

PROFILE_ROLE = "profile"
_changes = msgspec.json.Decoder(ProfileChange)


@dataclass(frozen=True, slots=True)
class ProfileFact:
    """A fact about a profile, with the attachment where it came along."""

    reading: Reading
    fact: MemberEnrolled | MemberChanged
    attachment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How facts about profiles came here."""

    now_ms: int
    is_ahead: bool = False
    """The till's clock was more than ten minutes ahead of the server's when it sent them."""
    from_till: bool = True

    def suspects(self, hlc: HybridTime) -> bool:
        """Whether a fact's time cannot be believed."""
        return self.is_ahead or is_ahead(hlc, self.now_ms)


def is_ahead(hlc: HybridTime, now_ms: int) -> bool:
    """Whether a hybrid time lies further in the future than clocks may differ."""
    return hybrid_milliseconds(hlc) - now_ms > WITNESS_AHEAD_MS_MAX


def profile_facts_among(readings: Iterable[Reading], proved: Sequence[Proved]) -> list[ProfileFact]:
    """Facts about profiles among these, and those whose attachment arrived late."""
    told = {
        reading.id: attachment.id for reading, ref, attachment in proved if ref.role == PROFILE_ROLE
    }
    late = [reading for reading, _ref, _attachment in proved]
    unique = {reading.id: reading for reading in [*readings, *late]}
    return [
        ProfileFact(reading, reading.fact, told.get(reading.id, ""))
        for reading in unique.values()
        if isinstance(reading.fact, MemberEnrolled | MemberChanged)
    ]


def read_change(content: bytes) -> ProfileChange | None:
    """What an attachment says (JSON); None where it cannot be read."""
    try:
        change = _changes.decode(content)
    except msgspec.MsgspecError:
        return None
    return None if any("\0" in text for text in change.fields().values()) else change


def keep_facts(work: Work, new: Sequence[ProfileFact], arrival: Arrival) -> None:
    """Keep facts, or the attachment of one that came without it."""
    if not new:
        return
    statement = work.upsert(profile_facts)
    statement = statement.on_conflict_do_update(
        index_elements=list(profile_facts.primary_key),
        set_={"attachment_id": statement.excluded.attachment_id},
        # What is known stays as it was judged when it came first.
        where=profile_facts.c.attachment_id == "",
    )
    rows = [
        {
            "shard": work.shard,
            "member_id": one.fact.member_id,
            "entry_id": one.reading.id,
            "hlc": one.reading.envelope.hlc,
            "is_enrolment": isinstance(one.fact, MemberEnrolled),
            "is_suspect": arrival.suspects(one.reading.envelope.hlc),
            "attachment_id": one.attachment_id,
        }
        for one in new
    ]
    work.connection.execute(statement, rows)


def read_writings(
    snapshot: Snapshot, ids: Sequence[MemberId]
) -> dict[MemberId, list[ProfileWriting]]:
    """All that is known of members' profiles."""
    found: dict[MemberId, list[ProfileWriting]] = defaultdict(list)
    columns = profile_facts.c
    for some in in_batches(ids):
        statement = (
            select(profile_facts, attachments.c.content)
            .outerjoin(
                attachments,
                (attachments.c.shard == columns.shard)
                & (attachments.c.attachment_id == columns.attachment_id),
            )
            .where(columns.shard == snapshot.shard, columns.member_id.in_(some))
        )
        for row in snapshot.connection.execute(statement):
            change = read_change(row.content) if row.content is not None else None
            writing = ProfileWriting(
                EntryId(row.entry_id),
                HybridTime(row.hlc),
                change or ProfileChange(),
                is_enrolment=row.is_enrolment,
                is_suspect=row.is_suspect,
            )
            found[MemberId(row.member_id)].append(writing)
    return found
