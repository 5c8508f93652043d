"""Which claimed coupons and rewards may try to work, and why the others cannot."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from shared.ids import CouponId
from shared.loyalty.offers import Offer
from shared.loyalty.programme import Programme
from shared.pricing.basket import ANY_MEMBER, Basket, CouponClaim, RewardClaim
from shared.pricing.quote import Explanation, Reason
from shared.pricing.rulebook import rulebook
from shared.trade.fact import CouponIssued
from shared.trade.ticket import SaleCompleted
from shared.trade.value import ValueToppedUp


class Try(NamedTuple):
    """One attempt of an offer to apply: by itself, for a coupon, or for a reward's nth claim."""

    coupon: CouponId | None = None
    time: int = 0


@dataclass(frozen=True, slots=True)
class Claiming:
    """Attempts by the offer they claim, and refusals in words to be.

    ``beyond`` are rewards claimed more often than all of the member's ``points`` would pay.
    """

    by_offer: dict[str, list[Try]]
    refused: tuple[Explanation, ...]
    points: int = 0
    beyond: tuple[Offer, ...] = ()

    def of_offer(self, offer: Offer) -> list[Try]:
        """How often an offer may try to apply: once by itself, or once per claim."""
        is_claimed = offer.claimed or offer.is_reward
        return self.by_offer.get(offer.id, []) if is_claimed else [Try()]


def issued_to(fact: SaleCompleted | ValueToppedUp) -> str:
    """The member who got the coupons of a sale or a top-up; nobody where none was known."""
    if isinstance(fact, ValueToppedUp):
        return fact.member_id
    return fact.member.member_id if fact.member else ""


def as_issued(claim: CouponClaim, issued: CouponIssued, bearer: str) -> CouponClaim:
    """A claim with what the fact that issued it says; ``bearer`` where it is for one member."""
    return replace(
        claim,
        bearer=bearer,
        first_day=date.fromisoformat(issued.valid_from),
        last_day=date.fromisoformat(issued.valid_until),
    )


def claims_on(claims: Iterable[CouponClaim], member: str, today: date) -> tuple[CouponClaim, ...]:
    """Claims as they stand for a member, or for nobody, on a day."""
    return tuple(replace(claim, against=_against(claim, member, today)) for claim in claims)


def _against(claim: CouponClaim, member: str, today: date) -> Reason | None:
    if claim.bearer == ANY_MEMBER and not member:
        return Reason.MEMBERS_ONLY
    if claim.bearer not in ("", ANY_MEMBER, member):
        return Reason.NOT_FOR_THIS_MEMBER
    is_early = claim.first_day is not None and today < claim.first_day
    is_late = claim.last_day is not None and today > claim.last_day
    return Reason.NOT_NOW if is_early or is_late else None


def claiming(basket: Basket, programme: Programme) -> Claiming:
    """Sort claims out by what they claim, whatever their order."""
    by_offer: dict[str, list[Try]] = {}
    refused = [*_coupons(basket.claims, programme, by_offer)]
    if not basket.rewards:
        return Claiming(by_offer, tuple(refused))
    wanted, known = _wanted(basket.rewards), rulebook(programme).rewards
    refused += [
        Explanation(offer=unknown, reason=Reason.UNKNOWN_REWARD)
        for unknown in sorted(wanted.keys() - known.keys())
    ]
    points = basket.member.points if basket.member else 0
    rewards = [offer for offer in known.values() if offer.id in wanted]
    payable = {one.id: _payable(one, wanted[one.id], points) for one in rewards}
    for offer, times in payable.items():
        if times:
            by_offer[offer] = [Try(time=time) for time in range(1, times + 1)]
    beyond = tuple(offer for offer in rewards if payable[offer.id] < wanted[offer.id])
    return Claiming(by_offer, tuple(refused), points, beyond)


def _coupons(
    claims: Sequence[CouponClaim], programme: Programme, by_offer: dict[str, list[Try]]
) -> Iterable[Explanation]:
    """Those beyond ``per_sale`` are refused, the highest codes first."""
    if not claims:
        return
    coupons = rulebook(programme).coupons
    used: Counter[str] = Counter()
    for claim in sorted(claims, key=lambda claim: (claim.coupon, claim.instance)):
        coupon = coupons.get(claim.coupon)
        if coupon is None:
            reason, offer = Reason.UNKNOWN_COUPON, claim.coupon
        elif claim.against is not None:
            reason, offer = claim.against, coupon.offer
        elif used[coupon.id] >= coupon.per_sale:
            reason, offer = Reason.TOO_MANY, coupon.offer
        else:
            used[coupon.id] += 1
            by_offer.setdefault(coupon.offer, []).append(Try(coupon=claim.instance))
            continue
        yield Explanation(offer=offer, reason=reason, coupon=claim.instance)


def _payable(offer: Offer, wanted: int, points: int) -> int:
    """How often a reward can be paid if it gets all the points."""
    return min(wanted, max(points, 0) // offer.costs_points) if offer.costs_points else wanted


def points_missing(
    claims: Claiming, programme: Programme, short: Iterable[str], left: int
) -> list[Explanation]:
    """What is told of each reward that the points were too few for, with those that are left.

    ``short`` are the rewards that would have been given.
    """
    rewards = rulebook(programme).rewards
    asked = {*short, *(offer.id for offer in claims.beyond)}
    return [
        Explanation(
            offer=offer,
            reason=Reason.POINTS_MISSING,
            missing_points=rewards[offer].costs_points - left,
        )
        for offer in sorted(asked)
        if rewards[offer].costs_points > left
    ]


def _wanted(rewards: Iterable[RewardClaim]) -> dict[str, int]:
    wanted: Counter[str] = Counter()
    for reward in rewards:
        wanted[reward.offer] += reward.times
    return dict(wanted)
