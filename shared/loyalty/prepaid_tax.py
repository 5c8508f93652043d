"""Tax that was due when a gift card was sold, and what of it goes with each payment of the card.

Every component is rounded by itself, by what is left of what the card was worth: so all payments of
a card together use up exactly what was due, whatever their sizes. Amounts are minor units.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from shared.money import divide_rounded
from shared.shares import cumulative_share
from shared.trade.fact import TaxTotal, Tender

TaxTable = tuple[TaxTotal, ...]
"""Rows of one tax class, one for each component; of a class without rates one without tax."""


def tax_in(table: Iterable[TaxTotal]) -> int:
    """All tax of a table."""
    return sum(row.tax for row in table)


def class_of(table: Sequence[TaxTotal]) -> str:
    """The tax class of a card; empty for one that is taxed when it is spent."""
    return table[0].tax_class if table else ""


def tax_of(row: TaxTotal) -> tuple[str, str, int]:
    """Which tax a row is about: class, component and rate."""
    return row.tax_class, row.component, row.rate_ppm


def unused_by(as_sold: TaxTable, left: int, taxes: Mapping[tuple[str, str], int]) -> TaxTable:
    """A card's unused tax where it is known by class and component; never below nothing."""
    found = [max(0, taxes.get((row.tax_class, row.component), 0)) for row in as_sold]
    return _table(as_sold, found, left)


def tax_left(as_sold: TaxTable, left: int) -> TaxTable:
    """The tax table of what is ``left`` of a card, by how it was sold."""
    worth = as_sold[0].net + tax_in(as_sold) if as_sold else 0
    return _table(as_sold, [divide_rounded(row.tax * left, worth or 1) for row in as_sold], left)


def tax_used(as_sold: TaxTable, unused: TaxTable, left: int, amount: int) -> TaxTable:
    """The tax table of an ``amount`` that a card pays, of which ``left`` is left before.

    ``unused`` is what was not used up before. What returns and other tills have rounded otherwise
    is made good with the next payment, and the last one uses up everything.
    """
    after = tax_left(as_sold, left - amount)
    taxes = [max(0, has.tax - then.tax) for has, then in zip(unused, after, strict=True)]
    return _table(as_sold, taxes, amount)


def tax_given_back(paid: Sequence[Tender], refunded: int, amount: int) -> TaxTable:
    """What a refund of an ``amount`` puts back into the card that ``paid`` for a sale.

    ``refunded`` went back to it before: all refunds together put back what its payments used up.
    """
    rows = [row for one in paid for row in one.prepaid]
    names = dict.fromkeys(tax_of(row) for row in rows)
    whole = sum(one.amount for one in paid)
    table = [
        replace(
            next(row for row in rows if tax_of(row) == name),
            tax=sum(row.tax for row in rows if tax_of(row) == name),
        )
        for name in names
    ]
    before = min(refunded, whole)
    part = min(amount, whole - before)
    taxes = [cumulative_share(row.tax, before, part, whole) for row in table]
    return _table(table, taxes, amount)


def less(table: TaxTable, gone: TaxTable) -> TaxTable:
    """What is left of a card's unused tax."""
    return _sum(table, gone, -1)


def plus(table: TaxTable, back: TaxTable) -> TaxTable:
    """A card's unused tax, with what was put back."""
    return _sum(table, back, 1)


def _sum(table: TaxTable, other: TaxTable, sign: int) -> TaxTable:
    return tuple(
        replace(a, net=a.net + sign * b.net, tax=a.tax + sign * b.tax)
        for a, b in zip(table, other, strict=True)
    )


def _table(rows: Iterable[TaxTotal], taxes: Sequence[int], amount: int) -> TaxTable:
    net = amount - sum(taxes)
    return tuple(replace(row, net=net, tax=tax) for row, tax in zip(rows, taxes, strict=True))
