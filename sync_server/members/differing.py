"""What head office should look at when tills change profiles: what they tell differently."""

from collections.abc import Iterator, Mapping, Sequence

from shared.ids import MemberId
from shared.trade.profile import month_day, normalize_phone
from shared.trade.profile_change import KEY_FIELDS, MemberChanged, ProfileWriting
from sync_server.ledger.finding import FACTS_MAX, Finding, Rule
from sync_server.members.profile_facts import Arrival, ProfileFact


def find_differing(
    new: Sequence[ProfileFact], writings: Mapping[MemberId, Sequence[ProfileWriting]]
) -> Iterator[Finding]:
    """A phone, card or birthday told otherwise than before, without a manager's approval.

    Two tills that know nothing of each other do so, and a till that keeps no rule.
    """
    to_come = {one.reading.id for one in new}
    for one in new:
        to_come.discard(one.reading.id)
        if not isinstance(one.fact, MemberChanged) or one.fact.approvals:
            continue
        told = writings.get(one.fact.member_id, ())
        own = next(each for each in told if each.entry_id == one.reading.id)
        others = [each for each in told if each is not own and each.entry_id not in to_come]
        for field in KEY_FIELDS:
            differing = [each for each in others if _differ(field, own, each)]
            if differing:
                ids = [each.entry_id for each in differing[: FACTS_MAX - 1]]
                yield Finding(
                    rule=Rule.PROFILE_DIFFERS,
                    natural_key=f"profile-differs:{field}:{own.entry_id}",
                    facts=(*ids, own.entry_id),
                    member_id=one.fact.member_id,
                )


def find_clocks(new: Sequence[ProfileFact], arrival: Arrival) -> Iterator[Finding]:
    """Changes by a clock that cannot be believed: they give way to all others."""
    for one in new:
        envelope = one.reading.envelope
        if isinstance(one.fact, MemberChanged) and arrival.suspects(envelope.hlc):
            yield Finding(
                rule=Rule.CLOCK_SUSPECT,
                natural_key=f"clock-suspect:{envelope.id}",
                facts=(envelope.id,),
                member_id=one.fact.member_id,
            )


def _differ(field: str, one: ProfileWriting, other: ProfileWriting) -> bool:
    """Whether both tell the field, and not the same."""
    mine, theirs = _told(field, one), _told(field, other)
    return mine is not None and bool(theirs) and mine != theirs


def _told(field: str, writing: ProfileWriting) -> str | None:
    text = writing.change.fields().get(field)
    if text is None:
        return None
    if field == "birthday":
        return month_day(text) or text
    return normalize_phone(text) if field == "phone" else text.strip()
