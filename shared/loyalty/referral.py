"""Referral: both sides are paid once, for the friend's first sale that counts."""

from shared.loyalty.engagement import Referral
from shared.trade.fact import ReferralPaid


def counts(total_minor: int, minimum_minor: int) -> bool:
    """Whether a sale of so much is worth a referral; one that costs nothing never is."""
    return total_minor >= max(1, minimum_minor)


def paid_for(
    rule: Referral | None, referrer_id: str, total_minor: int, *, friends: int
) -> ReferralPaid | None:
    """What a friend's sale pays, if it counts.

    ``friends`` is how many of the referrer's have counted before.
    """
    if rule is None or not referrer_id or not counts(total_minor, rule.minimum_minor):
        return None
    if rule.per_member and friends >= rule.per_member:
        return None
    return ReferralPaid(
        referrer_id=referrer_id,
        for_friend=rule.points_for_friend,
        for_referrer=rule.points_for_referrer,
        minimum=rule.minimum_minor,
    )
