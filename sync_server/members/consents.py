"""What members agreed to, kept decision by decision: which ones stand is worked out when read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from shared.ids import EntryId, MemberId
from shared.trade.consent import Consent, Decision, standing
from shared.trade.fact import Fact
from shared.trade.profile_change import MemberChanged
from sync_server.database.among import among
from sync_server.database.schema import consents
from sync_server.database.transaction import Snapshot, Work
from sync_server.members.aliases import aliases_below
from sync_server.members.segments import in_batches


def keep_consents(work: Work, facts: Iterable[tuple[EntryId, Fact]]) -> None:
    """Keep what facts decide; of one that is known already nothing new."""
    rows = [
        {
            "member_id": fact.member_id,
            "entry_id": entry,
            "consent": one.consent.value,
            "is_granted": one.is_granted,
            "seen": " ".join(one.seen),
        }
        for entry, fact in facts
        if isinstance(fact, MemberChanged)
        for one in fact.consents
    ]
    work.insert_new(consents, rows)


def standing_consents(
    snapshot: Snapshot, member_ids: Sequence[MemberId]
) -> dict[MemberId, tuple[Decision, ...]]:
    """The decisions that stand for members; what was decided as an alias counts for the person."""
    person = {one: one for one in member_ids} | aliases_below(snapshot, member_ids)
    decided: dict[MemberId, list[Decision]] = defaultdict(list)
    for member, decision in _decisions(snapshot, list(person)):
        decided[person[member]].append(decision)
    return {member: standing(decisions) for member, decisions in decided.items()}


def _decisions(
    snapshot: Snapshot, member_ids: Sequence[MemberId]
) -> Iterable[tuple[MemberId, Decision]]:
    columns = consents.c
    for some in in_batches(member_ids):
        statement = select(consents).where(
            columns.shard == snapshot.shard, among(columns.member_id, some)
        )
        for row in snapshot.connection.execute(statement):
            decision = Decision(
                EntryId(row.entry_id),
                Consent(row.consent),
                row.is_granted,
                frozenset(EntryId(one) for one in row.seen.split()),
            )
            yield MemberId(row.member_id), decision
