"""What follows when all offers have worked: a hand discount on the whole, then points as one.

And before that the floor: what the customer hands in counts against the total, and offers never
take more than is left above it, of a tax class or of the basket.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from shared.loyalty.programme import Programme
from shared.money import divide_rounded
from shared.pricing.basket import WHOLE, Basket
from shared.pricing.effects import Taking
from shared.pricing.quote import LineDiscount, OfferTotal
from shared.pricing.ringing import Ringing
from shared.pricing.search import Choice
from shared.shares import largest_remainder

BY_HAND: Final = "manual"
"""The id under which a discount typed by hand stands among the offers."""


def within_reach(choice: Choice, ringing: Ringing) -> Choice:
    """The choice with what would take the basket, or a tax class, below zero cut off its end."""
    if not any(ringing.back):
        return choice
    room = _Room(ringing)
    takings = [room.let_in(taking) for taking in choice.takings]
    if takings == list(choice.takings):
        return choice
    # With nothing left to pay no choice is better; else another one might cut off less.
    is_proved = choice.is_proved and not room.left
    return Choice(tuple(one for one in takings if one.total), is_proved, choice.attempts)


class _Room:
    """How much may still be taken off each tax class, and off all together."""

    def __init__(self, ringing: Ringing) -> None:
        self._class_of = {i: known.id for i, known in enumerate(ringing.classes)}
        self._by_class = {
            known.id: max(0, sum(ringing.listed[i] - ringing.back[i] for i in positions))
            for known, positions in ringing.by_class
        }
        self.left = max(0, sum(ringing.listed) - sum(ringing.back))

    def let_in(self, taking: Taking) -> Taking:
        """As much of a taking as there is room for."""
        amounts: dict[int, int] = {}
        for index, amount in taking.amounts.items():
            name = self._class_of[index]
            part = min(amount, self._by_class[name], self.left)
            self._by_class[name] -= part
            self.left -= part
            if part:
                amounts[index] = part
        return taking if amounts == taking.amounts else replace(taking, amounts=amounts)


def further_discounts(
    basket: Basket, programme: Programme, ringing: Ringing, left: Sequence[int]
) -> list[tuple[OfferTotal, dict[int, int]]]:
    """Discounts beside the offers, by position; ``left`` is what these leave of each line."""
    found: list[tuple[OfferTotal, dict[int, int]]] = []
    rest = list(left)
    floor = max(0, sum(rest) - sum(ringing.back))
    if basket.discount is not None:
        may = [
            0 if line.goods.no_discount else amount
            for line, amount in zip(ringing.lines, rest, strict=True)
        ]
        share = divide_rounded(sum(may) * basket.discount.basis_points, WHOLE)
        off = min(share + basket.discount.amount_minor, sum(may), floor)
        found.append(_shared(OfferTotal(BY_HAND, 1, off), may))
        rest = _less(rest, found[-1][1])
        floor -= off
    if basket.points_off is not None:
        rules = {rule.id: rule for rule in programme.redemptions}
        excluded = rules[basket.points_off.rule].excluded
        may = [
            0 if excluded is not None and excluded.contains(line.goods) else amount
            for line, amount in zip(ringing.lines, rest, strict=True)
        ]
        off = min(basket.points_off.value_minor, sum(may), floor)
        total = OfferTotal(basket.points_off.rule, 1, off, None, basket.points_off.points)
        found.append(_shared(total, may))
    return [one for one in found if one[0].amount_minor]


def _shared(total: OfferTotal, weights: Sequence[int]) -> tuple[OfferTotal, dict[int, int]]:
    shares = largest_remainder(total.amount_minor, weights) if weights else []
    return total, {index: share for index, share in enumerate(shares) if share}


def _less(amounts: Sequence[int], shares: dict[int, int]) -> list[int]:
    return [amount - shares.get(index, 0) for index, amount in enumerate(amounts)]


def line_discounts(
    takings: Sequence[Taking], further: Sequence[tuple[OfferTotal, dict[int, int]]], lines: int
) -> list[tuple[LineDiscount, ...]]:
    """Every line's shares, in the order in which they were taken."""
    shares: list[list[LineDiscount]] = [[] for _ in range(lines)]
    for taking in takings:
        offer, version = taking.candidate.offer.id, taking.candidate.offer.version
        coupon, units_of = taking.candidate.coupon, taking.units.get
        for index, amount in taking.amounts.items():
            shares[index].append(LineDiscount(offer, version, amount, units_of(index, 0), coupon))
    for total, amounts in further:
        for index, amount in amounts.items():
            shares[index].append(LineDiscount(total.offer, total.version, amount))
    return [tuple(own) for own in shares]
