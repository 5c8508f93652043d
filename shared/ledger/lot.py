"""When a lot began and when it lapses: beside the balances, also a function of the entry alone."""

from datetime import datetime
from typing import NamedTuple

from shared.ids import LotId, MemberId
from shared.journal.entry import Envelope
from shared.trade.fact import Fact
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


def lot_terms(envelope: Envelope, fact: Fact) -> LotTerms | None:
    """The lot that an entry opens, if it opens one."""
    earned_on = datetime.fromisoformat(envelope.occurred_at).date().isoformat()
    if isinstance(fact, ValueToppedUp):
        if not fact.points or fact.training:
            return None
        return LotTerms(LotId(envelope.id), fact.member_id, earned_on, fact.points_expire_on)
    if not isinstance(fact, SaleCompleted) or fact.member is None or fact.training:
        return None
    return LotTerms(
        LotId(envelope.id),
        MemberId(fact.member.member_id),
        earned_on,
        fact.member.points.expires_on,
    )
