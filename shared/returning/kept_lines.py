"""The lines of a return by what the goods that are kept cost now.

Where an offer no longer holds for what the customer keeps, the kept goods cost more than their
share of the sale. That stands in the return as a line of its own, with no units and an amount below
zero, so that turnover and tax of every class stay exact; when those goods come back as well, it
goes the other way.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shared.loyalty.programme import Programme
from shared.money import divide_rounded
from shared.pricing.basket import Basket
from shared.pricing.quote import LineQuote
from shared.returning.history import bought, lines_of, units_back, with_goods, worth
from shared.returning.kept import Kept, price_kept
from shared.returning.rewards import line_rewards, points_that_paid
from shared.shares import largest_remainder
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def by_what_is_kept(
    lines: Sequence[ReturnLine],
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    programme: Programme,
    basket: Basket,
) -> list[ReturnLine]:
    """The lines of a return by their shares, changed to what is given back by what is kept."""
    units = units_back(returns, lines)
    paid = sum(line.points_paid for line in sale.lines)
    returned = {str(line): back for line, back in units.items()}
    kept = price_kept(basket, programme, returned, paid_with_points=paid)
    goods = [line for line in lines if not line.given_by]
    before = _Before(with_goods(returns))
    found = [
        line
        for sold in bought(sale)
        for line in _money(sold, _own(goods, sold), kept.lines.get(str(sold.line)), before)
    ]
    if sum(line.amount for line in found) < 0:
        # A return costs the customer nothing: what it would cost is left to the next one.
        found = [_for_nothing(line) for line in goods]
    found = _with_points(found, sale, kept, _Before(returns), units)
    found += [line for line in lines if line.given_by]
    return [
        msgspec.structs.replace(line, line=number) for number, line in enumerate(found, start=1)
    ]


class _Before:
    """What earlier returns of the sale gave back, by line and in all, without any gifts."""

    def __init__(self, returns: Sequence[SaleReturned]) -> None:
        self.lines = [line for line in lines_of(returns) if not line.given_by]

    def of(self, sold: SaleLine, field: str) -> int:
        """A figure of one line."""
        return sum(getattr(one, field) for one in self.lines if one.of_line == sold.line)

    def tax(self, sold: SaleLine, component: str) -> int:
        """A tax of one line."""
        own = (one for one in self.lines if one.of_line == sold.line)
        return sum(tax.tax for one in own for tax in one.taxes if tax.component == component)

    def whole(self, field: str) -> int:
        """A figure of the sale."""
        return sum(getattr(one, field) for one in self.lines)


def _own(lines: Sequence[ReturnLine], sold: SaleLine) -> list[ReturnLine]:
    return [line for line in lines if line.of_line == sold.line]


def _money(
    sold: SaleLine, own: Sequence[ReturnLine], kept: LineQuote | None, before: _Before
) -> Iterator[ReturnLine]:
    """What one line of the sale gives back now: what it cost, less what is kept of it."""
    taxes_kept = {tax.component: tax.amount_minor for tax in kept.taxes} if kept else {}
    amount = sold.amount - (kept.pay_minor if kept else 0) - before.of(sold, "amount")
    levy = sold.levy - (kept.levy_minor if kept else 0) - before.of(sold, "levy")
    taxes = tuple(
        LineTax(
            component=tax.component,
            tax=tax.tax - taxes_kept.get(tax.component, 0) - before.tax(sold, tax.component),
        )
        for tax in sold.taxes
    )
    if own:
        yield msgspec.structs.replace(
            own[0],
            quantity=sum(line.quantity for line in own),
            amount=amount,
            levy=levy,
            taxes=taxes,
        )
    elif amount or any(tax.tax for tax in taxes):
        yield ReturnLine(
            line=0,
            of_line=sold.line,
            goods_id=sold.goods_id,
            names=sold.names,
            quantity=0,
            measure=sold.measure,
            amount=amount,
            tax_class=sold.tax_class,
            taxes=taxes,
            levy=levy,
        )


def _for_nothing(line: ReturnLine) -> ReturnLine:
    """Goods that come back for nothing: there is no tax in it either."""
    taxes = tuple(msgspec.structs.replace(tax, tax=0) for tax in line.taxes)
    return msgspec.structs.replace(line, amount=0, taxes=taxes, levy=0)


def _with_points(
    lines: list[ReturnLine],
    sale: SaleCompleted,
    kept: Kept,
    before: _Before,
    units: Mapping[int, int],
) -> list[ReturnLine]:
    """Points, growth and spend that go: what the sale gave, less what the kept goods would have.

    Points that had paid go back as the money does, and those of rewards with the goods they are on.
    """
    if not lines:
        return lines
    sold = bought(sale)
    amounts = [max(0, line.amount) for line in lines]
    whole, paid = worth(sale), sum(line.points_paid for line in sold)
    until = before.whole("amount") + sum(line.amount for line in lines)
    paid_until = divide_rounded(paid * until, whole) if whole else paid
    paid_now = min(max(0, paid_until - before.whole("points_paid")), sum(amounts))
    rewards = line_rewards(sale)
    spent = points_that_paid(sale, before.whole("points_paid") + paid_now) + sum(
        divide_rounded(rewards[line.line] * units[line.line], line.quantity) for line in sold
    )
    now = {
        "points": sum(line.points for line in sold) - kept.points,
        "growth": sum(line.growth for line in sold) - kept.growth,
        "spend": sum(line.spend for line in sold) - kept.spend,
        "points_spent": spent,
    }
    now = {name: max(0, figure - before.whole(name)) for name, figure in now.items()}
    weights = [line.quantity for line in lines]
    by_line = {name: largest_remainder(figure, weights) for name, figure in now.items()}
    by_line["points_paid"] = largest_remainder(paid_now, amounts)
    return [
        msgspec.structs.replace(line, **{name: by_line[name][n] for name in by_line})
        for n, line in enumerate(lines)
    ]
