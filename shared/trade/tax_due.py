"""Tax that becomes due by a fact, and its sums over a shift or a day. Amounts are minor units."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import singledispatch

from msgspec.structs import replace

from shared.trade.fact import Fact, TaxTotal
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.value import GiftCardClosed, GiftCardSold


@singledispatch
def tax_due(fact: Fact) -> Iterator[TaxTotal]:
    """Rows of what becomes due; below zero what is due no more."""
    del fact
    return iter(())


@tax_due.register
def _(fact: SaleCompleted) -> Iterator[TaxTotal]:
    if not fact.training:
        yield from fact.taxes
        for tender in fact.tenders:
            yield from map(_negative, tender.prepaid)


@tax_due.register
def _(fact: SaleReturned) -> Iterator[TaxTotal]:
    yield from map(_negative, _of_lines(fact))
    for refund in fact.refunds:
        yield from refund.prepaid


@tax_due.register
def _(fact: GiftCardSold) -> Iterator[TaxTotal]:
    yield from fact.taxes


@tax_due.register
def _(fact: GiftCardClosed) -> Iterator[TaxTotal]:
    yield from map(_negative, fact.taxes)


def tax_table(rows: Iterable[TaxTotal]) -> tuple[TaxTotal, ...]:
    """One row for each class, component and rate, in the order of their names; none of nothing."""
    nets: Counter[tuple[str, str, int]] = Counter()
    taxes: Counter[tuple[str, str, int]] = Counter()
    for row in rows:
        name = row.tax_class, row.component, row.rate_ppm
        nets[name] += row.net
        taxes[name] += row.tax
    return tuple(
        TaxTotal(
            tax_class=tax_class,
            component=component,
            rate_ppm=rate,
            net=nets[tax_class, component, rate],
            tax=taxes[tax_class, component, rate],
        )
        for tax_class, component, rate in sorted(nets)
        if nets[tax_class, component, rate] or taxes[tax_class, component, rate]
    )


def _negative(row: TaxTotal) -> TaxTotal:
    return replace(row, net=-row.net, tax=-row.tax)


def _of_lines(fact: SaleReturned) -> Iterator[TaxTotal]:
    """The table of a return, with goods that bear no tax: its own leaves them out."""
    yield from fact.taxes
    untaxed: Counter[str] = Counter()
    for line in fact.lines:
        untaxed[line.tax_class] += line.amount - line.levy
    for name in untaxed.keys() - {row.tax_class for row in fact.taxes}:
        yield TaxTotal(tax_class=name, component="", rate_ppm=0, net=untaxed[name], tax=0)
