"""Which claimed coupons may try to work, and why the others cannot."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shared.ids import CouponId
from shared.loyalty.offers import Offer
from shared.loyalty.programme import Programme
from shared.pricing.basket import CouponClaim
from shared.pricing.quote import Explanation, Reason


@dataclass(frozen=True, slots=True)
class Claiming:
    """Coupons by the offer they claim, and refusals in words to be."""

    by_offer: dict[str, list[CouponId]]
    refused: tuple[Explanation, ...]

    def of_offer(self, offer: Offer) -> list[CouponId | None]:
        """How often an offer may try to apply: once by itself, or once per coupon."""
        return list(self.by_offer.get(offer.id, ())) if offer.claimed else [None]


def claiming(claims: Iterable[CouponClaim], programme: Programme) -> Claiming:
    """Sort claims out by coupon definition; those beyond ``per_sale`` are refused by lowest use."""
    coupons = {coupon.id: coupon for coupon in programme.coupons}
    by_offer: dict[str, list[CouponId]] = {}
    refused: list[Explanation] = []
    used: Counter[str] = Counter()
    for claim in sorted(claims, key=lambda claim: (claim.coupon, claim.instance)):
        coupon = coupons.get(claim.coupon)
        if coupon is None:
            reason, offer = Reason.UNKNOWN_COUPON, claim.coupon
        elif used[coupon.id] >= coupon.per_sale:
            reason, offer = Reason.TOO_MANY, coupon.offer
        else:
            used[coupon.id] += 1
            by_offer.setdefault(coupon.offer, []).append(claim.instance)
            continue
        refused.append(Explanation(offer=offer, reason=reason, coupon=claim.instance))
    return Claiming(by_offer, tuple(refused))
