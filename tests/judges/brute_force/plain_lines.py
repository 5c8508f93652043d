"""The lines of a basket as offers meet them, worked out again from the programme page.

Nothing here uses the price engine: a slip there is not repeated here. Every amount is an integer of
minor units; fractions are exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from shared.catalogue.goods import Goods
from shared.loyalty.programme import Programme, Rate, TaxBase, TaxClass
from shared.pricing.basket import Basket, BasketLine
from tests.judges.brute_force.plain_conditions import holds_for


def half_up(numerator: int, denominator: int) -> int:
    """A quotient that is not negative, rounded to the nearest, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def parted(total: int, weights: Sequence[int]) -> list[int]:
    """A total in parts by weight: whole parts first, what is left to the largest fractions."""
    whole = sum(weights)
    if not whole:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    fractions = [-(total * weight % whole) for weight in weights]
    for place in sorted(range(len(weights)), key=fractions.__getitem__)[: total - sum(parts)]:
        parts[place] += 1
    return parts


@dataclass(frozen=True, slots=True)
class PlainLine:
    """A line: ``listed`` is tax-included, after hand discounts and without levies."""

    sold: BasketLine
    goods: Goods
    gross: int
    listed: int
    levy: int
    tax_class: TaxClass
    net: Fraction
    """Which part of an amount is net."""

    @property
    def units(self) -> int:
        """0 where goods are weighed."""
        return self.sold.units


def plain_lines(basket: Basket, programme: Programme) -> list[PlainLine]:
    """The lines in the order that decides where everything else is equal."""
    prices = _list_prices(basket, programme)
    classes = {known.id: known for known in programme.tax_classes}
    sold = sorted(basket.lines, key=_order)
    taxed = [classes[line.goods.tax_class] for line in sold]
    shelf = [_shelf(line, prices, known) for line, known in zip(sold, taxed, strict=True)]
    gross = list(shelf)
    for known in {id(one): one for one in taxed}.values():
        places = [i for i, one in enumerate(taxed) if one is known]
        _, on_shelf, paid = _composition(known)
        added = (paid - on_shelf) / on_shelf * sum(shelf[i] for i in places)
        shares = parted(half_up(*added.as_integer_ratio()), [shelf[i] for i in places])
        for place, share in zip(places, shares, strict=True):
            gross[place] += share
    return [
        PlainLine(
            sold=line,
            goods=line.goods,
            gross=amount,
            listed=amount - _by_hand(line, amount),
            levy=sum(levy.amount_minor for levy in known.levies) * line.units,
            tax_class=known,
            net=1 / _composition(known)[2],
        )
        for line, known, amount in zip(sold, taxed, gross, strict=True)
    ]


def _order(line: BasketLine) -> tuple[object, ...]:
    amount = _own_shelf(line, line.goods.list_price_minor)
    quantity = line.units or line.grams
    typed = line.price_minor is not None or line.discount is not None
    return line.goods.sku, amount, quantity, typed, _by_hand(line, amount), line.id


def _list_prices(basket: Basket, programme: Programme) -> dict[str, int]:
    """Prices by article of the lists in force: the first list that names it decides."""
    prices: dict[str, int] = {}
    for one in sorted(programme.price_lists, key=lambda one: (-one.priority, one.id)):
        if all(holds_for(condition, basket) for condition in one.conditions):
            prices = one.prices | prices
    return prices


def _own_shelf(line: BasketLine, price: int) -> int:
    if line.price_minor is not None:
        price = line.price_minor
    elif line.label_minor is not None:
        return line.label_minor
    return half_up(price * line.grams, 1000) if line.grams else price * line.units


def _shelf(line: BasketLine, prices: dict[str, int], known: TaxClass) -> int:
    amount = _own_shelf(line, prices.get(line.goods.sku, line.goods.list_price_minor))
    inside = sum(levy.amount_minor for levy in known.levies if levy.included) * line.units
    return max(0, amount - inside)


def _by_hand(line: BasketLine, amount: int) -> int:
    if line.discount is None:
        return 0
    share = half_up(amount * line.discount.basis_points, 10_000)
    return min(amount, share + line.discount.amount_minor)


def _composition(known: TaxClass) -> tuple[Fraction, Fraction, Fraction]:
    """Net, shelf and paid price for a net price of one."""
    rates = [part for part in known.components if isinstance(part, Rate)]
    charged: list[Fraction] = []
    for rate in rates:
        base = 1 + sum(charged) if rate.base is TaxBase.NET_AND_EARLIER else Fraction(1)
        charged.append(base * Fraction(rate.rate_ppm, 1_000_000))
    shelf = 1 + sum(tax for tax, rate in zip(charged, rates, strict=True) if rate.included)
    return Fraction(1), Fraction(shelf), Fraction(1 + sum(charged))


def net_of(lines: Sequence[PlainLine], amounts: Sequence[int], meant: Callable[[int], bool]) -> int:
    """The net part of some lines' amounts, rounded once for each tax class."""
    sums: dict[str, Fraction] = {}
    for place, (line, amount) in enumerate(zip(lines, amounts, strict=True)):
        if meant(place):
            key = line.tax_class.id
            sums[key] = sums.get(key, Fraction(0)) + amount * line.net
    return sum(half_up(*one.as_integer_ratio()) for one in sums.values())
