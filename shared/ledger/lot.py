"""When lots began and until when they can be spent, as entries tell: beside the balances."""

from datetime import datetime
from typing import NamedTuple

from shared.ids import LotId, MemberId
from shared.journal.entry import Envelope
from shared.trade.benefit import ActionCounted
from shared.trade.fact import Fact
from shared.trade.partner import PartnerReturned, PartnerSold
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.value import ValueToppedUp


class LotTerms(NamedTuple):
    """A sale, or a top-up, as a lot: of points, and of spend towards tiers."""

    lot: LotId
    member_id: MemberId
    earned_on: str
    """ISO date on the store's calendar; empty where only a return has told of the lot so far."""
    expires_on: str | None
    """The last day on which its points can be spent; null: they never lapse."""

    def joined(self, other: "LotTerms") -> "LotTerms":
        """What two entries say of one lot, whichever came first.

        Its own entry decides whether it lapses at all; of days the later one holds.
        """
        first, second = (self, other) if self.earned_on else (other, self)
        if first.expires_on is None and first.earned_on:
            return first
        days = [day for day in (first.expires_on, second.expires_on) if day is not None]
        return first._replace(expires_on=max(days, default=None))


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


def lots_living_on(fact: Fact) -> tuple[LotTerms, ...]:
    """Lots that had lapsed and live for another while, because spent points came back to them."""
    if isinstance(fact, PartnerReturned):
        member, back = fact.member_id, list(fact.lots)
    elif isinstance(fact, SaleReturned) and fact.member is not None:
        member = MemberId(fact.member.member_id)
        back = [draw for refund in fact.refunds for draw in refund.lots]
    else:
        return ()
    return tuple(LotTerms(draw.lot, member, "", draw.last_day) for draw in back if draw.last_day)
