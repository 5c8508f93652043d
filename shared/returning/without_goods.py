"""Money that goes back without goods, and what goods are worth after some of it went back so.

Nothing is given back a second time, and money never goes back for what points had paid, nor the
other way round; the last part takes all that is left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shared.errors import DomainError
from shared.money import Rounding, divide_rounded
from shared.returning.history import bought, total, units_back, without_goods, worth
from shared.returning.left import left_of
from shared.returning.rewards import points_that_paid, rewards_of
from shared.shares import largest_remainder
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleReturned

TAKEN = ("points", "growth", "spend")
"""What the customer loses again."""


def amount_back(
    sale: SaleCompleted, returns: Sequence[SaleReturned], amount: int
) -> list[ReturnLine]:
    """An amount, over all lines by what is left of each; what goes with it is rounded down in all.

    Raises DomainError ``refund-exceeds-sale``.
    """
    left = left_of(sale, returns)
    most = total(left, "amount")
    if not 0 < amount <= most:
        raise DomainError("refund-exceeds-sale", amount=amount, left=most)
    whole, so_far = worth(sale), without_goods(returns)

    def taken(figure: int) -> int:
        until = divide_rounded(figure * (so_far + amount), whole, Rounding.DOWN)
        return until - divide_rounded(figure * so_far, whole, Rounding.DOWN)

    sold = bought(sale)
    lines = [msgspec.structs.replace(line, levy=0) for line in left]
    for field in ("amount", *TAKEN, "points_paid"):
        wanted = amount if field == "amount" else taken(total(sold, field))
        lines = _spread(lines, field, min(wanted, total(left, field)), field)
    tax = taken(sum(one.tax for line in sold for one in line.taxes))
    by_class = {name: max(0, own) for name, own in _tax_by_class(left).items()}
    part = min(tax, sum(by_class.values()))
    shares = largest_remainder(part, list(by_class.values()))
    lines = _with_taxes(lines, dict(zip(by_class, shares, strict=True)))
    return fitted(lines, sale, returns, refunding=amount)


def fitted(
    lines: Sequence[ReturnLine],
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    *,
    refunding: int = 0,
) -> list[ReturnLine]:
    """The lines of a return, no more than is left of the sale after what went back without goods.

    ``refunding`` is what these lines themselves give back without goods.
    """
    left = left_of(sale, returns)
    goods = [line for line in lines if not line.given_by]
    gifts = [line for line in lines if line.given_by]
    amount = total(goods, "amount")
    if amount >= total(left, "amount"):
        return _numbered([*_all_that_is_left(left, goods), *gifts])
    for field in TAKEN:
        most = total(left, field)
        if total(goods, field) > most:
            goods = _spread(goods, field, most, field)
    taxes = _tax_by_class(left)
    goods = _with_taxes(
        goods, {name: min(own, taxes[name]) for name, own in _tax_by_class(goods).items()}
    )
    # A refund without goods may have given back more of the points than what is kept asks for.
    paid_left = total(left, "points_paid")
    money_left = total(left, "amount") - paid_left
    paid = min(max(total(goods, "points_paid"), amount - money_left, 0), paid_left, amount)
    paid_until = total(bought(sale), "points_paid") - paid_left + paid
    units = units_back(returns, goods)
    spent = _spent_until(sale, paid_until, units, without_goods(returns) + refunding)
    before = total(bought(sale), "points_spent") - total(left, "points_spent")
    goods = _spread(goods, "points_paid", paid, "amount")
    goods = _spread(goods, "points_spent", max(0, spent - before), "amount")
    return _numbered([*goods, *gifts])


def _spent_until(
    sale: SaleCompleted, paid_until: int, units: Mapping[int, int], refunded: int
) -> int:
    """Points that are back: what had paid follows the money, rewards follow their goods."""
    whole = rewards_of(sale)
    beside = divide_rounded(whole * refunded, worth(sale), Rounding.DOWN)
    return points_that_paid(sale, paid_until) + min(whole, rewards_of(sale, units) + beside)


def _all_that_is_left(
    left: Iterable[ReturnLine], goods: Sequence[ReturnLine]
) -> Iterable[ReturnLine]:
    units = units_back((), goods)
    for line in left:
        whole = msgspec.structs.replace(line, quantity=units[line.of_line])
        if whole.quantity or whole != _nothing_of(line):
            yield whole


def _nothing_of(line: ReturnLine) -> ReturnLine:
    return ReturnLine(
        line=line.line,
        of_line=line.of_line,
        goods_id=line.goods_id,
        names=line.names,
        quantity=0,
        measure=line.measure,
        amount=0,
        tax_class=line.tax_class,
        taxes=tuple(msgspec.structs.replace(tax, tax=0) for tax in line.taxes),
    )


def _spread(lines: Sequence[ReturnLine], field: str, figure: int, weights: str) -> list[ReturnLine]:
    """A figure of a whole return, over its lines by their part of another figure."""
    if not lines:
        return []
    parts = largest_remainder(figure, [max(0, getattr(line, weights)) for line in lines])
    return [
        msgspec.structs.replace(line, **{field: part})
        for line, part in zip(lines, parts, strict=True)
    ]


def _tax_by_class(lines: Iterable[ReturnLine]) -> Counter[str]:
    found = Counter[str]()
    for line in lines:
        found[line.tax_class] += sum(tax.tax for tax in line.taxes)
    return found


def _with_taxes(lines: Sequence[ReturnLine], by_class: Mapping[str, int]) -> list[ReturnLine]:
    """The lines with so much tax of each class, by what each component of a line had of it."""
    own = _tax_by_class(lines)
    found = list(lines)
    for name, tax in by_class.items():
        if tax == own[name]:
            continue
        of_class = [n for n, line in enumerate(lines) if line.tax_class == name and line.taxes]
        weights = [max(0, one.tax) for n in of_class for one in lines[n].taxes]
        parts = iter(largest_remainder(tax, weights))
        for n in of_class:
            taxes = tuple(
                LineTax(component=one.component, tax=next(parts)) for one in lines[n].taxes
            )
            found[n] = msgspec.structs.replace(lines[n], taxes=taxes)
    return found


def _numbered(lines: Iterable[ReturnLine]) -> list[ReturnLine]:
    return [
        msgspec.structs.replace(line, line=number) for number, line in enumerate(lines, start=1)
    ]
