"""What the goods that a customer keeps would have cost: for returns that are priced again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.loyalty.programme import Programme
from shared.money import divide_rounded
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.earning import earn
from shared.pricing.engine import price
from shared.pricing.quote import EarningQuote, LineQuote, Quote
from shared.shares import largest_remainder


@dataclass(frozen=True, slots=True)
class Kept:
    """The quote of what is kept: lines by their id in the sale's basket; none for what is gone."""

    lines: Mapping[str, LineQuote]
    earning: EarningQuote | None

    @property
    def total_minor(self) -> int:
        """What it would have cost."""
        return sum(line.pay_minor for line in self.lines.values())

    @property
    def points(self) -> int:
        """What it would have earned."""
        return self.earning.points_total if self.earning else 0

    @property
    def growth(self) -> int:
        """What it would have counted for growth."""
        return self.earning.growth_total if self.earning else 0

    @property
    def spend(self) -> int:
        """What it would have counted as spent."""
        return self.earning.spend_minor if self.earning else 0


def price_kept(
    basket: Basket,
    programme: Programme,
    returned: Mapping[str, int],
    *,
    paid_with_points: int = 0,
) -> Kept:
    """Price what is left of a sale by the sale's own programme, tier and time.

    ``returned`` are units or grams by line. What points had paid of the whole counts for what is
    kept in its part, and earns as the programme says. Raises what ``price`` raises.
    """
    left = kept_basket(basket, returned)
    if not left.lines:
        return Kept({}, None)
    quote = price(left, programme)
    lines = {line.line: line for line in quote.lines}
    if not paid_with_points or any(rule.running_sale for rule in programme.redemptions):
        return Kept(lines, quote.earning)
    whole = sum(line.pay_minor for line in price(kept_basket(basket, {}), programme).lines)
    covered = min(_share(paid_with_points, quote.total_minor, whole), quote.total_minor)
    values = largest_remainder(covered, [line.pay_minor for line in quote.lines])
    return Kept(lines, earn(left, quote.lines, programme, values))


def given_on_top(quote: Quote) -> Counter[str]:
    """Units at 0 beside the lines, by article."""
    units: Counter[str] = Counter()
    for one in quote.added:
        units[one.goods] += one.units if one.goods else 0
    return units


def gifts_unearned(
    basket: Basket, programme: Programme, returned: Mapping[str, int], held: Counter[str]
) -> Counter[str]:
    """Units of gifts that the customer holds though what is kept of a sale does not give them.

    ``held`` are units by article, ``returned`` those of goods by line. Raises what ``price``
    raises.
    """
    left = kept_basket(basket, returned)
    return held - (given_on_top(price(left, programme)) if left.lines else Counter[str]())


def kept_basket(basket: Basket, returned: Mapping[str, int]) -> Basket:
    """The lines that are kept, without what the customer had handed in.

    An amount off the whole, by hand or for points, is for what is kept only in its part.
    """
    lines = []
    for line in basket.lines:
        left = line.quantity - returned.get(line.id, 0)
        if left and not line.comes_in:
            lines.append(_part_of(line, left))
    whole = sum(line.shelf_minor for line in basket.lines if not line.comes_in)
    part = sum(line.shelf_minor for line in lines)
    kept = replace(basket, lines=tuple(lines))
    if basket.discount is not None:
        amount = _share(basket.discount.amount_minor, part, whole)
        kept = replace(kept, discount=replace(basket.discount, amount_minor=amount))
    if basket.points_off is not None:
        value = _share(basket.points_off.value_minor, part, whole)
        kept = replace(kept, points_off=replace(basket.points_off, value_minor=value))
    return kept


def _part_of(line: BasketLine, left: int) -> BasketLine:
    """Some units, or grams; an amount for the whole line is for them in their part."""
    label, discount = line.label_minor, line.discount
    if label is not None:
        label = _share(label, left, line.quantity)
    if discount is not None:
        amount = _share(discount.amount_minor, left, line.quantity)
        discount = replace(discount, amount_minor=amount)
    units, grams = (left, 0) if line.units else (0, left)
    return replace(line, units=units, grams=grams, label_minor=label, discount=discount)


def _share(amount: int, part: int, whole: int) -> int:
    return divide_rounded(amount * part, whole) if whole else 0
