"""What came back of a sale before: units and money, with goods and without."""

from collections import Counter
from collections.abc import Iterable, Sequence

from shared.trade.fact import Measure
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def bought(sale: SaleCompleted) -> list[SaleLine]:
    """The lines that were rung up and sold: neither given on top nor handed in."""
    return [line for line in sale.lines if not line.given_by and not line.comes_in]


def worth(sale: SaleCompleted) -> int:
    """What the goods cost, before anything was set off that the customer handed in."""
    return total(bought(sale), "amount")


def lines_of(returns: Iterable[SaleReturned], now: Iterable[ReturnLine] = ()) -> list[ReturnLine]:
    """The lines of earlier returns, and those that come back now."""
    return [*(line for one in returns for line in one.lines), *now]


def total(lines: Iterable[ReturnLine | SaleLine], field: str) -> int:
    """A figure of several lines."""
    return sum(getattr(line, field) for line in lines)


def units_back(returns: Iterable[SaleReturned], now: Iterable[ReturnLine] = ()) -> Counter[int]:
    """Units or grams of each line that came back."""
    units: Counter[int] = Counter()
    for line in lines_of(returns, now):
        units[line.of_line] += line.quantity
    return units


def units_kept(sale: SaleCompleted, returns: Iterable[SaleReturned]) -> Counter[str]:
    """Units by SKU of what was bought and is kept; a weighed line counts as one.

    What offers gave on top was not bought, nor what came in.
    """
    back, units = units_back(returns), Counter[str]()
    for line in bought(sale):
        left = line.quantity - back[line.line]
        units[line.goods_id] += min(1, left) if line.measure is Measure.GRAM else left
    return units


def money_back(returns: Iterable[SaleReturned], now: Iterable[ReturnLine] = ()) -> int:
    """What was given back of the goods' price; a gift that is charged is none of them."""
    return total((line for line in lines_of(returns, now) if not line.given_by), "amount")


def with_goods(returns: Iterable[SaleReturned]) -> list[SaleReturned]:
    """Those with which goods came back."""
    return [one for one in returns if _has_goods(one)]


def without_goods(returns: Sequence[SaleReturned]) -> int:
    """The money that was refunded though no goods came back."""
    return money_back(one for one in returns if not _has_goods(one))


def is_nothing_kept(
    sale: SaleCompleted, returns: Sequence[SaleReturned], now: Sequence[ReturnLine]
) -> bool:
    """Whether all goods are back, or all that was paid for them."""
    units = units_back(returns, now)
    is_all_back = all(units[line.line] >= line.quantity for line in bought(sale))
    return is_all_back or 0 < worth(sale) <= money_back(returns, now)


def is_last(
    sale: SaleCompleted, returns: Sequence[SaleReturned], now: Sequence[ReturnLine]
) -> bool:
    """Whether these lines are those with which nothing is kept any more of what was paid for.

    Gifts may come back after everything else: that is not the end of the sale a second time.
    """
    units, all_units = units_back((), now), units_back(returns, now)
    sold = bought(sale)
    return any(units[line.line] for line in sold) and all(
        all_units[line.line] >= line.quantity for line in sold
    )


def _has_goods(returned: SaleReturned) -> bool:
    return any(line.quantity for line in returned.lines)
