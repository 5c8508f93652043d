"""The lines of a return by what the goods that are kept cost now.

Where an offer no longer holds for what the customer keeps, the kept goods cost more than their
share of the sale. That stands in the return as a line of its own, with no units and an amount below
zero, so that turnover and tax of every class stay exact; when those goods come back as well, it
goes the other way.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shared.loyalty.programme import Programme
from shared.money import divide_rounded
from shared.pricing.basket import Basket
from shared.returning.history import bought, total, units_back, with_goods, worth
from shared.returning.kept import Kept, price_kept
from shared.returning.left import left_of
from shared.returning.rewards import points_that_paid, rewards_of
from shared.shares import largest_remainder
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleReturned


def by_what_is_kept(
    lines: Sequence[ReturnLine],
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    programme: Programme,
    basket: Basket,
) -> list[ReturnLine]:
    """The lines of a return by their shares, changed to what is given back by what is kept."""
    units = units_back(returns, lines)
    returned = {str(line): back for line, back in units.items()}
    paid = total(bought(sale), "points_paid")
    kept = price_kept(basket, programme, returned, paid_with_points=paid)
    goods = [line for line in lines if not line.given_by]
    now = units_back((), goods)
    found = [
        line
        for left in left_of(sale, with_goods(returns))
        if _is_told(line := _without(left, kept, now[left.of_line]))
    ]
    if total(found, "amount") < 0:
        # A return costs the customer nothing: what it would cost is left to the next one.
        found = [_for_nothing(line) for line in goods]
    found = _with_points(found, sale, kept, left_of(sale, returns), units)
    found += [line for line in lines if line.given_by]
    return [
        msgspec.structs.replace(line, line=number) for number, line in enumerate(found, start=1)
    ]


def _without(left: ReturnLine, kept: Kept, units: int) -> ReturnLine:
    """What one line of the sale gives back now: what is left of it, less what is kept of it."""
    quote = kept.lines.get(str(left.of_line))
    if quote is None:
        return msgspec.structs.replace(left, quantity=units)
    taxes = {tax.component: tax.amount_minor for tax in quote.taxes}
    return msgspec.structs.replace(
        left,
        quantity=units,
        amount=left.amount - quote.pay_minor,
        levy=left.levy - quote.levy_minor,
        taxes=tuple(
            LineTax(component=tax.component, tax=tax.tax - taxes.get(tax.component, 0))
            for tax in left.taxes
        ),
    )


def _is_told(line: ReturnLine) -> bool:
    return bool(line.quantity or line.amount or any(tax.tax for tax in line.taxes))


def _for_nothing(line: ReturnLine) -> ReturnLine:
    """Goods that come back for nothing: there is no tax in it either."""
    taxes = tuple(msgspec.structs.replace(tax, tax=0) for tax in line.taxes)
    return msgspec.structs.replace(line, amount=0, taxes=taxes, levy=0)


def _with_points(
    lines: list[ReturnLine],
    sale: SaleCompleted,
    kept: Kept,
    left: Sequence[ReturnLine],
    units: Mapping[int, int],
) -> list[ReturnLine]:
    """Points, growth and spend that go: what is ``left``, less what the kept goods would have.

    Points that had paid go back as the money does, and those of rewards with the goods they are on.
    """
    if not lines:
        return lines
    sold = bought(sale)
    amounts = [max(0, line.amount) for line in lines]
    whole, paid = worth(sale), total(sold, "points_paid")
    until = whole - total(left, "amount") + total(lines, "amount")
    paid_until = divide_rounded(paid * until, whole) if whole else paid
    paid_before = paid - total(left, "points_paid")
    paid_now = min(max(0, paid_until - paid_before), sum(amounts))
    spent = points_that_paid(sale, paid_before + paid_now) + rewards_of(sale, units)
    now = {
        "points": total(left, "points") - kept.points,
        "growth": total(left, "growth") - kept.growth,
        "spend": total(left, "spend") - kept.spend,
        "points_spent": spent - total(sold, "points_spent") + total(left, "points_spent"),
    }
    weights = [line.quantity for line in lines]
    by_line = {name: largest_remainder(max(0, part), weights) for name, part in now.items()}
    by_line["points_paid"] = largest_remainder(paid_now, amounts)
    return [
        msgspec.structs.replace(line, **{name: by_line[name][n] for name in by_line})
        for n, line in enumerate(lines)
    ]
