"""When a lot began and when it lapses: beside the balances, also a function of the entry alone."""

from datetime import datetime
from typing import NamedTuple

from shared.ids import LotId, MemberId
from shared.journal.entry import Envelope
from shared.trade.benefit import ActionCounted
from shared.trade.fact import Fact
from shared.trade.partner import PartnerSold
from shared.trade.ticket import SaleCompleted
from shared.trade.value import ValueToppedUp


class LotTerms(NamedTuple):
    """A sale, or a top-up, as a lot: of points, and of spend towards tiers."""

    lot: LotId
    member_id: MemberId
    earned_on: str
    """ISO date on the store's calendar."""
    expires_on: str | None
    """The last day on which its points can be spent; null: they never lapse."""


def lot_terms(envelope: Envelope, fact: Fact) -> tuple[LotTerms, ...]:
    """The lots that an entry opens, all under its own name: one for each member it concerns."""
    lot = LotId(envelope.id)
    earned_on = datetime.fromisoformat(envelope.occurred_at).date().isoformat()
    if isinstance(fact, ValueToppedUp):
        if not fact.points or fact.training:
            return ()
        return (LotTerms(lot, fact.member_id, earned_on, fact.points_expire_on),)
    if isinstance(fact, PartnerSold):
        return (LotTerms(lot, fact.member_id, fact.day, fact.points_expire_on),)
    if isinstance(fact, ActionCounted):
        points = fact.member.points
        return (LotTerms(lot, MemberId(fact.member.member_id), earned_on, points.expires_on),)
    if not isinstance(fact, SaleCompleted) or fact.member is None or fact.training:
        return ()
    members = [fact.member.member_id] + ([fact.referral.referrer_id] if fact.referral else [])
    expires_on = fact.member.points.expires_on
    return tuple(LotTerms(lot, MemberId(one), earned_on, expires_on) for one in members)
