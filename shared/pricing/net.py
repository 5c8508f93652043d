"""Offers that are stated without tax: what they see of tax-included amounts, and what they take.

A tax class is turned into its net sum, rounded once, and what is taken of that back into a
tax-included amount, rounded once as well; lines share it as they share everything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.money import divide_rounded
from shared.shares import largest_remainder


@dataclass(frozen=True, slots=True)
class NetPart:
    """Which part of a tax-included amount is net: ``net / paid``, the same for a tax class."""

    tax_class: str
    net: int
    paid: int

    def without_tax(self, paid: int) -> int:
        """The net part of a tax-included amount."""
        return divide_rounded(paid * self.net, self.paid)

    def with_tax(self, net: int) -> int:
        """The tax-included amount of a net one."""
        return divide_rounded(net * self.paid, self.net)


def net_sum(amounts: Mapping[int, int], nets: Mapping[int, NetPart]) -> int:
    """The net part of tax-included amounts by line, rounded once per tax class."""
    return sum(part.without_tax(sum(own.values())) for part, own in _by_class(amounts, nets))


def net_off(
    amounts: Mapping[int, int], nets: Mapping[int, NetPart], off_of: Callable[[int], int]
) -> dict[int, int]:
    """What is taken off tax-included amounts where ``off_of`` says how much of their net sum is."""
    classes = _by_class(amounts, nets)
    sums = [part.without_tax(sum(own.values())) for part, own in classes]
    whole = sum(sums)
    off = min(off_of(whole), whole)
    if off == whole:
        return {index: amount for index, amount in amounts.items() if amount}
    taken: dict[int, int] = {}
    for (part, own), net in zip(classes, largest_remainder(off, sums), strict=True):
        paid = min(part.with_tax(net), sum(own.values()))
        shares = largest_remainder(paid, list(own.values()))
        taken.update(zip(own, shares, strict=True))
    return {index: amount for index, amount in taken.items() if amount}


def _by_class(
    amounts: Mapping[int, int], nets: Mapping[int, NetPart]
) -> list[tuple[NetPart, dict[int, int]]]:
    classes: dict[str, tuple[NetPart, dict[int, int]]] = {}
    for index, amount in amounts.items():
        part = nets[index]
        classes.setdefault(part.tax_class, (part, {}))[1][index] = amount
    return [classes[name] for name in sorted(classes)]
