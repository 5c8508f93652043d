"""Stored value: what a top-up gives, which account pays, and what closing pays back.

Amounts are minor units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import DomainError
from shared.loyalty.accounts import SpendFirst, StoredValue, TopUpOffer
from shared.money import AMOUNT_MINOR_MAX, divide_rounded

WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Principal and bonus of one member."""

    principal: int = 0
    bonus: int = 0

    @property
    def total(self) -> int:
        """What it can pay."""
        return self.principal + self.bonus


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """A wallet after a top-up, and what came with it."""

    wallet: Wallet
    bonus: int = 0
    points: int = 0
    coupon: str = ""
    coupons: int = 0
    offer: str = ""


def top_up(
    wallet: Wallet, amount: int, rules: StoredValue, holds: Callable[[TopUpOffer], bool]
) -> ToppedUp:
    """Pay principal in; the reached offer with the highest minimum whose conditions hold applies.

    Raises DomainError ``top-up-amount`` for nothing or an absurd amount and ``stored-value-limit``
    where the wallet would hold more than it may.
    """
    if not 0 < amount <= AMOUNT_MINOR_MAX:
        raise DomainError("top-up-amount", amount=amount, highest=AMOUNT_MINOR_MAX)
    reached = [one for one in rules.top_ups if one.minimum_minor <= amount and holds(one)]
    best = max(reached, key=lambda one: (one.minimum_minor, one.id), default=None)
    bonus = times = 0
    if best is not None:
        times = amount // best.minimum_minor if best.repeats else 1
        bonus = best.bonus_minor * times + divide_rounded(amount * best.bonus_basis_points, WHOLE)
    filled = Wallet(principal=wallet.principal + amount, bonus=wallet.bonus + bonus)
    if rules.maximum_minor and filled.total > rules.maximum_minor:
        raise DomainError("stored-value-limit", amount=filled.total, highest=rules.maximum_minor)
    if best is None:
        return ToppedUp(wallet=filled)
    coupons = times if best.coupon else 0
    return ToppedUp(
        wallet=filled,
        bonus=bonus,
        points=best.points * times,
        coupon=best.coupon,
        coupons=coupons,
        offer=best.id,
    )


def spend(wallet: Wallet, amount: int, first: SpendFirst) -> Wallet:
    """What each account pays of an amount, as a wallet of these parts.

    Raises DomainError ``stored-value-not-enough``.
    """
    if amount > wallet.total:
        raise DomainError("stored-value-not-enough", amount=amount, balance=wallet.total)
    match first:
        case SpendFirst.PRINCIPAL:
            principal = min(amount, wallet.principal)
        case SpendFirst.BONUS:
            principal = max(0, amount - wallet.bonus)
        case SpendFirst.TOGETHER:
            whole = wallet.total or 1
            principal = divide_rounded(amount * wallet.principal, whole)
            principal = min(max(principal, amount - wallet.bonus), wallet.principal)
    return Wallet(principal=principal, bonus=amount - principal)


def minus(wallet: Wallet, paid: Wallet) -> Wallet:
    """What is left after a payment."""
    return Wallet(principal=wallet.principal - paid.principal, bonus=wallet.bonus - paid.bonus)


def plus(wallet: Wallet, back: Wallet) -> Wallet:
    """After a payment, or a part of it, came back."""
    return Wallet(principal=wallet.principal + back.principal, bonus=wallet.bonus + back.bonus)


def part_back(paid: Wallet, before: Wallet, amount: int, *, refunded: int) -> Wallet:
    """What goes back to each account of ``amount``, of which ``refunded`` in all with it.

    Principal by its share of what was paid, cumulatively: all returns together give back exactly
    what each account paid.
    """
    until = divide_rounded(paid.principal * refunded, paid.total)
    principal = until - before.principal
    return Wallet(principal=principal, bonus=amount - principal)


def closing(wallet: Wallet) -> tuple[int, int]:
    """What closing pays back, the principal, and what bonus it forfeits."""
    return wallet.principal, wallet.bonus


def held(wallets: Sequence[Wallet]) -> int:
    """What a shop owes for all of them: principal and bonus."""
    return sum(one.total for one in wallets)
