"""Tax of whole classes: rounded once per class, then shared over its lines exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm

from shared.loyalty.programme import Rate, TaxBase, TaxClass
from shared.money import divide_rounded
from shared.pricing.quote import ComponentShare
from shared.shares import largest_remainder

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Weights:
    """A class's net price and rates as whole-number parts of one price.

    ``shelf`` is the part that stands on the shelf, ``net + sum(rates)`` the part that is paid.
    """

    net: int
    rates: tuple[int, ...]
    shelf: int

    @property
    def paid(self) -> int:
        """The tax-included part."""
        return self.net + sum(self.rates)


@lru_cache(maxsize=64)
def weigh(tax_class: TaxClass) -> Weights:
    """How a price of this class is composed."""
    rates: list[Fraction] = []
    for rate in tax_class.rates:
        base = 1 + sum(rates) if rate.base is TaxBase.NET_AND_EARLIER else Fraction(1)
        rates.append(base * Fraction(rate.rate_ppm, PPM))
    whole = lcm(*(rate.denominator for rate in rates))
    parts = tuple(int(rate * whole) for rate in rates)
    included = [part for part, rate in zip(parts, tax_class.rates, strict=True) if rate.included]
    return Weights(whole, parts, whole + sum(included))


def included_amounts(tax_class: TaxClass, shelf: Sequence[int]) -> list[int]:
    """Tax-included amounts of a class's lines from their shelf amounts.

    Excluded tax is added once to the class's sum and shared over the lines; where nothing is
    excluded the amounts stay as they are.
    """
    weights = weigh(tax_class)
    if not shelf or weights.paid == weights.shelf:
        return list(shelf)
    added = divide_rounded(sum(shelf) * (weights.paid - weights.shelf), weights.shelf)
    return [a + b for a, b in zip(shelf, largest_remainder(added, shelf), strict=True)]


@dataclass(frozen=True, slots=True)
class ClassSplit:
    """The tax of a class, whole and per line; tuples inside follow its rates."""

    net: int
    taxes: tuple[int, ...]
    line_nets: tuple[int, ...]
    line_taxes: tuple[tuple[int, ...], ...]


def split_class(tax_class: TaxClass, taxed: Sequence[int]) -> ClassSplit:
    """Split a class's tax-included line amounts into net and taxes.

    The tax of the sum is rounded once; its rates get parts by largest remainder. Each rate is then
    shared over what the lines still have, so no line's net is below zero and all shares sum. Lines
    below zero, for what the customer hands in, bear the tax of their own sum.
    """
    weights = weigh(tax_class)
    total = sum(taxed)
    tax = divide_rounded(total * sum(weights.rates), weights.paid)
    if min(taxed, default=0) >= 0:
        taxes = largest_remainder(tax, weights.rates) if weights.rates else []
        line_taxes, left = _share_taxes(taxes, taxed)
        return ClassSplit(total - tax, tuple(taxes), tuple(left), line_taxes)
    back = [max(0, -amount) for amount in taxed]
    tax_back = divide_rounded(sum(back) * sum(weights.rates), weights.paid)
    split = [
        (largest_remainder(part, weights.rates) if weights.rates else [], amounts)
        for part, amounts in ((tax + tax_back, [max(0, a) for a in taxed]), (tax_back, back))
    ]
    (sold, sold_left), (in_, in_left) = (_share_taxes(*one) for one in split)
    return ClassSplit(
        total - tax,
        tuple(a - b for a, b in zip(split[0][0], split[1][0], strict=True)),
        tuple(a - b for a, b in zip(sold_left, in_left, strict=True)),
        tuple(
            tuple(a - b for a, b in zip(one, other, strict=True))
            for one, other in zip(sold, in_, strict=True)
        ),
    )


def _share_taxes(
    taxes: Sequence[int], amounts: Sequence[int]
) -> tuple[tuple[tuple[int, ...], ...], list[int]]:
    """Taxes by rate over the lines, and what they leave of these."""
    left = list(amounts)
    by_rate: list[list[int]] = []
    for amount in taxes:
        shares = largest_remainder(amount, left)
        left = [have - share for have, share in zip(left, shares, strict=True)]
        by_rate.append(shares)
    return (tuple(zip(*by_rate, strict=True)) if by_rate else ((),) * len(left)), left


def line_levies(tax_class: TaxClass, units: int) -> tuple[ComponentShare, ...]:
    """The levies on so many units; weighed goods have none."""
    return tuple(
        ComponentShare(levy.id, levy.amount_minor * units) for levy in tax_class.levies if units
    )


def included_levy(tax_class: TaxClass, units: int) -> int:
    """How much of a shelf amount is levy that the price already contains."""
    return sum(levy.amount_minor * units for levy in tax_class.levies if levy.included)


def rate_shares(rates: Sequence[Rate], amounts: Sequence[int]) -> tuple[ComponentShare, ...]:
    """Amounts with the names of their rates."""
    return tuple([ComponentShare(r.id, a) for r, a in zip(rates, amounts, strict=True)])
