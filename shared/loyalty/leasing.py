"""How balances are spent where the server cannot be asked first: as the programme states it."""

from dataclasses import dataclass

from shared.loyalty.document import Document

WHOLE = 10_000


class Leases(Document, frozen=True, kw_only=True):
    """Rights to spend without a network, granted to one till at a time.

    A till that sees a member online is given ``share_basis_points`` of an account for ``hours``;
    what a basket needs beyond it is given for ``at_once_minutes``. Stored value and gift cards are
    spent by lease only; points too where ``for_points``. Then a till may also spend
    ``budget_points`` of members it cannot ask about, at most ``budget_per_member`` of one; 0 is no
    such budget. While a till does not reach the server, coupons give at most
    ``coupons_offline_minor`` with one sale; None is any amount.
    """

    share_basis_points: int = 5_000
    hours: int = 24
    at_once_minutes: int = 15
    for_points: bool = False
    budget_points: int = 0
    budget_per_member: int = 0
    coupons_offline_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as the server sees it before it grants, in the account's unit."""

    posted: int
    """What the ledger says that can be spent."""
    held: int
    """What this till's lease has left."""
    leased: int
    """What all leases on the account have left, this till's included."""

    @property
    def available(self) -> int:
        """What nobody holds."""
        return max(0, self.posted - self.leased)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a till's lease is to have left, and for how long."""

    left: int
    minutes: int


def granted(standing: Standing, rules: Leases, wanted: int = 0) -> Grant | None:
    """What a till is given of an account; None where it already has that, or nothing is left.

    ``wanted`` is what the basket on its screen needs; 0 asks for the usual share. It never gives
    more than nobody else holds.
    """
    usual = max(0, standing.posted) * rules.share_basis_points // WHOLE
    aim = wanted or usual
    left = min(aim, standing.held + standing.available)
    if left <= standing.held:
        return None
    minutes = rules.hours * 60 if left <= usual else min(rules.at_once_minutes, rules.hours * 60)
    return Grant(left=left, minutes=minutes)
