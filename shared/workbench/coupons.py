"""Codes of coupons: as they were issued, and what stands against them on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.errors import DomainError
from shared.loyalty.programme import Programme
from shared.pricing.basket import CouponClaim
from shared.pricing.claims import claims_on
from shared.pricing.quote import Reason


@dataclass(slots=True, kw_only=True)
class Code:
    """A code that was issued; ``member`` where only they may use it."""

    code: str
    coupon: str
    member: str = ""
    from_day: date | None = None
    last_day: date | None = None
    uses_left: int = 1


def made(programme: Programme, coupon: str, code: str, member: str, today: date) -> Code:
    """A new code, from today on."""
    rule = next(one for one in programme.coupons if one.id == coupon)
    return Code(
        code=code,
        coupon=coupon,
        member=member if rule.personal else "",
        from_day=today + timedelta(days=rule.from_days) if rule.from_days else None,
        last_day=today + timedelta(days=rule.valid_days - 1),
        uses_left=rule.uses,
    )


def check(held: Code, member: str | None, today: date) -> None:
    """Raise what stands against a code on a day.

    DomainError ``coupon-used-up``, ``coupon-not-yet``, ``coupon-lapsed`` or ``coupon-of-another``.
    """
    if held.uses_left <= 0:
        raise DomainError("coupon-used-up", code=held.code)
    if held.from_day is not None and today < held.from_day:
        raise DomainError("coupon-not-yet", code=held.code, on=held.from_day.isoformat())
    if held.last_day is not None and today > held.last_day:
        raise DomainError("coupon-lapsed", code=held.code, on=held.last_day.isoformat())
    if held.member and held.member != member:
        raise DomainError("coupon-of-another", code=held.code)


def standing(
    claims: Iterable[CouponClaim], codes: Mapping[str, Code], member: str | None, today: date
) -> tuple[CouponClaim, ...]:
    """Claims as they stand now: another basket may have used a code since it was claimed."""
    gone = {code for code, known in codes.items() if known.uses_left <= 0}
    return tuple(
        replace(claim, against=Reason.USED_UP) if claim.instance in gone else claim
        for claim in claims_on(claims, member or "", today)
    )
