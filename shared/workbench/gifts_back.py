"""What offers gave on top when goods come back: given back with them, or charged."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import DomainError
from shared.pricing.tax import split_class
from shared.returning.kept import gifts_unearned
from shared.shares import cumulative_share, largest_remainder
from shared.workbench import later_steps as told
from shared.workbench.shop import Shop
from shared.workbench.sold import Sold


@dataclass(frozen=True, slots=True)
class Charge:
    """What is taken off a refund for gifts that stay, and the tax in it by tax class."""

    amount: int = 0
    taxes: Mapping[str, int] = field(default_factory=dict)


def gifts_coming(
    sold: Sold, step: told.Return | told.Exchange, coming: Counter[str] | None = None
) -> Counter[str]:
    """Units of gifts that come back, beside those that are ``coming`` already."""
    left = sold.gifts - sold.gifts_back - (coming or Counter())
    if not step.lines and not step.gifts:
        return left
    for goods, units in step.gifts.items():
        if units > left[goods]:
            raise DomainError("gifts-exceed-sale", goods=goods, quantity=units, left=left[goods])
    return Counter(step.gifts)


def gift_points(sold: Sold, gifts: Counter[str]) -> int:
    """Points that the gifts had cost go back with them."""
    return sum(
        cumulative_share(cost, sold.gifts_back[goods], gifts[goods], sold.gifts[goods])
        for goods, cost in sold.gift_costs.items()
        if gifts[goods]
    )


def charge_gifts(shop: Shop, sold: Sold, gifts: Counter[str], money: int) -> Charge:
    """What stays with the customer of gifts that the kept goods do not give, at list price.

    At most what is given back: a return never costs anything. One that was charged and comes back
    after all gives its price back.
    """
    if not sold.gifts:
        return Charge()
    sold.gifts_back += gifts
    held = sold.gifts - sold.gifts_back
    too_many = gifts_unearned(sold.basket, sold.programme, sold.returned, held)
    due: Counter[str] = Counter()
    for goods, units in too_many.items():
        due[shop.article(goods).tax_class] += shop.article(goods).list_price_minor * units
    charged = min(sum(due.values()) - sold.gifts_charged_minor, money)
    sold.gifts_charged_minor += charged
    is_paid = sold.gifts_charged_minor == sum(due.values())
    sold.gifts_paid = Counter(too_many) if is_paid else Counter()
    before, sold.gift_taxes = sold.gift_taxes, _gift_taxes(sold, due)
    return Charge(charged, more(sold.gift_taxes, before))


def _gift_taxes(sold: Sold, due: Counter[str]) -> Counter[str]:
    """The tax in all that was charged for gifts, shared over their classes by what they cost."""
    taxes: Counter[str] = Counter()
    shares = largest_remainder(sold.gifts_charged_minor, list(due.values())) if due else []
    for name, share in zip(due, shares, strict=True):
        taxes[name] = share - split_class(sold.programme.tax_class(name), [share]).net
    return taxes


def more(now: Counter[str], before: Counter[str]) -> dict[str, int]:
    """By how much each figure grew."""
    return {name: now[name] - before[name] for name in {**now, **before}}
