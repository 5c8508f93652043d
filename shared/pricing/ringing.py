"""Lines with their tax-included amounts, before any offer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.loyalty.programme import PriceList, Programme, TaxClass
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.conditions import hindrance
from shared.pricing.effects import OfferLine
from shared.pricing.net import NetPart
from shared.pricing.tax import included_amounts, included_levy, weigh


@dataclass(frozen=True, slots=True)
class Ringing:
    """Lines in canonical order with their tax-included amounts."""

    lines: list[BasketLine]
    classes: list[TaxClass]
    by_class: list[tuple[TaxClass, list[int]]]
    """Each tax class with the positions of its lines."""
    gross: list[int]
    """Of what is sold; what comes in has 0."""
    hand: list[int]
    back: list[int]
    """What is given for what comes in."""
    listed: list[int]
    """What offers begin with: tax-included amounts less hand-typed discounts."""
    open_lines: list[int]
    """Positions of the lines that offers may look at."""
    closed_lines: list[int]
    """All others."""

    @property
    def offer_lines(self) -> list[OfferLine]:
        """The lines as offers see them."""
        return [
            OfferLine(line.goods.sku, line.units, amount, line.grams)
            for line, amount in zip(self.lines, self.listed, strict=True)
        ]

    @property
    def nets(self) -> list[NetPart]:
        """Which part of each line is net."""
        weights = {known.id: weigh(known) for known, _ in self.by_class}
        parts = {name: NetPart(name, one.net, one.paid) for name, one in weights.items()}
        return [parts[known.id] for known in self.classes]


def canonical_order(basket: Basket) -> list[int]:
    """Positions in the basket, in an order that does not depend on who was entered first."""
    keys = [_canonical(line) for line in basket.lines]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _canonical(line: BasketLine) -> tuple[str, int, int, bool, int, bool, str]:
    """What orders lines: what they are, and their id only where they are the same."""
    amount = line.shelf_minor
    hand = line.hand_discount(amount) if line.discount else 0
    return line.goods.sku, amount, line.quantity, line.is_manual, hand, line.comes_in, line.id


def ring_up(basket: Basket, order: Sequence[int], programme: Programme) -> Ringing:
    """Amounts of all lines at the prices that hold here and now.

    Raises DomainError ``unknown-tax-class``.
    """
    lists = _lists_in_force(programme, basket)
    lines = [_at_list_price(basket.lines[index], lists) for index in order]
    return _ring_up(lines, programme)


def _lists_in_force(programme: Programme, basket: Basket) -> list[PriceList]:
    """Price lists that hold, the one that goes first in front."""
    held = [one for one in programme.price_lists if hindrance(one.conditions, basket) is None]
    return sorted(held, key=lambda one: (-one.priority, one.id))


def _at_list_price(line: BasketLine, lists: Sequence[PriceList]) -> BasketLine:
    """A line at the price of the first list that names it; typed and labelled prices stay."""
    if line.price_minor is not None or line.label_minor is not None:
        return line
    for one in lists:
        price = one.prices.get(line.goods.sku)
        if price is not None:
            return replace(line, goods=replace(line.goods, list_price_minor=price))
    return line


def _ring_up(lines: list[BasketLine], programme: Programme) -> Ringing:
    by_id = {known.id: known for known in programme.tax_classes}
    classes = [
        by_id.get(line.goods.tax_class) or programme.tax_class(line.goods.tax_class)
        for line in lines
    ]
    positions_by_class = _by_class(classes)
    gross, back = [0] * len(lines), [0] * len(lines)
    for tax_class, positions in positions_by_class:
        shelf = [lines[i].shelf_minor for i in positions]
        if tax_class.levies:
            levies = [included_levy(tax_class, lines[i].units) for i in positions]
            shelf = [max(0, a - levy) for a, levy in zip(shelf, levies, strict=True)]
        for part, meant in ((gross, False), (back, True)):
            own = [n for n, index in enumerate(positions) if lines[index].comes_in is meant]
            amounts = included_amounts(tax_class, [shelf[n] for n in own])
            for n, amount in zip(own, amounts, strict=True):
                part[positions[n]] = amount
    hand = [
        line.hand_discount(amount) if line.discount else 0
        for line, amount in zip(lines, gross, strict=True)
    ]
    listed = [amount - off for amount, off in zip(gross, hand, strict=True)]
    open_lines = [n for n, line in enumerate(lines) if line.is_open_to_offers]
    closed_lines = sorted(set(range(len(lines))).difference(open_lines))
    return Ringing(
        lines, classes, positions_by_class, gross, hand, back, listed, open_lines, closed_lines
    )


def _by_class(classes: Sequence[TaxClass]) -> list[tuple[TaxClass, list[int]]]:
    positions: dict[str, tuple[TaxClass, list[int]]] = {}
    for index, tax_class in enumerate(classes):
        positions.setdefault(tax_class.id, (tax_class, []))[1].append(index)
    return [positions[name] for name in sorted(positions)]
