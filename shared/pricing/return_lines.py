"""The lines of a return: by the shares of the sale, or by what the goods that are kept cost now.

Tills write them, and the server's audit makes them again, with this one function. Where an offer no
longer holds for what the customer keeps, the kept goods cost more than their share of the sale.
That stands in the return as a line of its own, with no units and an amount below zero, so that
turnover and tax of every class stay exact; when those goods come back as well, it goes the other
way.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.programme import Programme, ReturnPolicy
from shared.loyalty.returns import ReturnShare, return_share
from shared.money import divide_rounded
from shared.pricing.basket import Basket
from shared.pricing.engine import ENGINE, price
from shared.pricing.gifts_charged import with_gifts_charged
from shared.pricing.kept import Kept, given_on_top, price_kept
from shared.pricing.known import is_told
from shared.pricing.quote import LineQuote
from shared.pricing.sale_basket import MINUTES_BEFORE, sale_basket
from shared.shares import largest_remainder
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True)
class Wanted:
    """Some units (or grams) of a line that come back."""

    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class SoldBy:
    """What a sale was priced with: its programme, the time, and the goods by SKU."""

    programme: Programme
    at: datetime
    goods: Mapping[str, Goods]

    def asks_to_price_again(self, sale: SaleCompleted) -> bool:
        """Whether its policy asks for it, and the fact of the sale says what its price saw."""
        is_asked = self.programme.returns.policy is ReturnPolicy.RE_PRICE
        return is_asked and is_told(sale, self.programme)

    def knows_what_it_saw(self, sale: SaleCompleted) -> bool:
        """Whether the fact of the sale says all that its price depended on."""
        return is_told(sale, self.programme)

    def needs_the_basket(self, sale: SaleCompleted) -> bool:
        """Whether what comes back depends on more than the shares of its lines."""
        has_gifts = any(line.given_by for line in sale.lines)
        return self.asks_to_price_again(sale) or (has_gifts and is_told(sale, self.programme))

    def basket_again(self, sale: SaleCompleted) -> Basket | None:
        """The basket of a sale at the minute at which it costs and gives what it did then.

        None where the goods, the engine or the hour are others by now.
        """
        is_known = all(line.goods_id in self.goods for line in sale.lines)
        return _basket_again(sale, self) if is_known and sale.engine == ENGINE else None


def lines_back(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    wanted: Sequence[Wanted],
    sold_by: SoldBy | None,
    *,
    is_forgotten: bool = False,
) -> list[ReturnLine]:
    """What comes back, after what came back before: each line's exact share of money, tax, points.

    Where the programme that the sale was ``sold_by`` says so, what is kept is priced again instead;
    gifts that it does not give any more are charged. Neither is done where the sale cannot be
    priced again to what it was. Of a member who ``is_forgotten`` no points are taken or given.
    Raises DomainError ``no-such-line`` and ``return-exceeds-sale``.
    """
    lines = _by_shares(sale, returns, wanted)
    basket = None
    if sold_by is not None and sold_by.needs_the_basket(sale):
        basket = sold_by.basket_again(sale)
        if basket is not None and sold_by.asks_to_price_again(sale):
            lines = _by_what_is_kept(lines, sale, returns, sold_by.programme, basket)
    if is_forgotten:
        lines = [_without_points(line) for line in lines]
    if sold_by is None or basket is None:
        return lines
    return with_gifts_charged(lines, sale, returns, sold_by.programme, basket)


def _by_shares(
    sale: SaleCompleted, returns: Sequence[SaleReturned], wanted: Sequence[Wanted]
) -> list[ReturnLine]:
    sold = {line.line: line for line in sale.lines}
    done = Counter[int]()
    for back in (line for one in returns for line in one.lines):
        done[back.of_line] += back.quantity
    lines: list[ReturnLine] = []
    for number, want in enumerate(wanted, start=1):
        line = sold.get(want.line)
        if line is None:
            raise DomainError("no-such-line")
        if line.comes_in:
            raise DomainError("return-exceeds-sale", quantity=want.quantity, left=0, line=line.line)
        share = return_share(line, want.quantity, returned_before=done[line.line])
        done[line.line] += want.quantity
        lines.append(_return_line(number, line, share))
    return lines


def _return_line(number: int, line: SaleLine, share: ReturnShare) -> ReturnLine:
    return ReturnLine(
        line=number,
        of_line=line.line,
        goods_id=line.goods_id,
        names=line.names,
        quantity=share.quantity,
        measure=line.measure,
        amount=share.amount,
        tax_class=line.tax_class,
        taxes=share.taxes,
        levy=share.levy,
        points=share.points,
        growth=share.growth,
        spend=share.spend,
        points_paid=share.points_paid,
        points_spent=share.points_spent,
        given_by=line.given_by,
    )


def _by_what_is_kept(
    lines: Sequence[ReturnLine],
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    programme: Programme,
    basket: Basket,
) -> list[ReturnLine]:
    """The lines of a return by their shares, changed to what is given back by what is kept."""
    bought = tuple(line for line in sale.lines if not line.comes_in)
    sale = msgspec.structs.replace(sale, lines=bought)
    returned: Counter[str] = Counter()
    for back in (*(line for one in returns for line in one.lines), *lines):
        returned[str(back.of_line)] += back.quantity
    paid = sum(line.points_paid for line in sale.lines)
    kept = price_kept(basket, programme, returned, paid_with_points=paid)
    before = _Before(returns, {line.line for line in sale.lines if line.given_by})
    found = [
        line
        for sold in sale.lines
        for line in _money(sold, _own(lines, sold), kept.lines.get(str(sold.line)), before)
    ]
    found = _never_below_zero(found, lines)
    numbered = [
        msgspec.structs.replace(line, line=number) for number, line in enumerate(found, start=1)
    ]
    return _with_points(numbered, sale, kept, before, returned)


def _basket_again(sale: SaleCompleted, sold_by: SoldBy) -> Basket | None:
    basket = sale_basket(sale, sold_by.at, sold_by.programme, sold_by.goods)
    paid = {str(line.line): line.amount for line in sale.lines if not line.given_by}
    given = Counter[str]()
    for line in sale.lines:
        given[line.goods_id] += line.quantity if line.given_by else 0
    for minutes in MINUTES_BEFORE:
        earlier = replace(basket, at=basket.at - timedelta(minutes=minutes))
        try:
            quote = price(earlier, sold_by.programme)
        except DomainError:
            return None
        costs = {line.line: line.pay_minor for line in quote.lines}
        if costs == paid and given_on_top(quote) == given:
            return earlier
    return None


class _Before:
    """What earlier returns of the sale gave back, by line and in all.

    What was charged for ``gifts`` (their lines) is no part of what the goods cost.
    """

    def __init__(self, returns: Sequence[SaleReturned], gifts: Collection[int]) -> None:
        self.lines = [
            msgspec.structs.replace(line, amount=0, taxes=()) if line.of_line in gifts else line
            for one in returns
            for line in one.lines
        ]

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


def _never_below_zero(found: list[ReturnLine], lines: Sequence[ReturnLine]) -> list[ReturnLine]:
    """A return costs the customer nothing: what it would cost is left to the next one."""
    missing = -sum(line.amount for line in found)
    if missing <= 0:
        return found
    first = lines[0].of_line
    return [
        msgspec.structs.replace(line, amount=line.amount + missing)
        if line.of_line == first
        else line
        for line in found
    ]


def _with_points(
    lines: list[ReturnLine],
    sale: SaleCompleted,
    kept: Kept,
    before: _Before,
    returned: Mapping[str, int],
) -> list[ReturnLine]:
    """Points, growth and spend that go: what the sale gave, less what the kept goods would have.

    Points that had paid go back as the money does, and those of rewards with the goods they are on.
    """
    amounts = [max(0, line.amount) for line in lines]
    whole = sum(line.amount for line in sale.lines)
    paid = sum(line.points_paid for line in sale.lines)
    until = before.whole("amount") + sum(line.amount for line in lines)
    paid_until = divide_rounded(paid * until, whole) if whole else paid
    paid_now = min(max(0, paid_until - before.whole("points_paid")), sum(amounts))
    paid_until = before.whole("points_paid") + paid_now
    points = sum(tender.points for tender in sale.tenders if tender.amount)
    spent = (divide_rounded(points * paid_until, paid) if paid else 0) + sum(
        divide_rounded(cost * returned.get(str(line.line), 0), line.quantity)
        for line, cost in zip(sale.lines, _rewards(sale, points), strict=True)
    )
    now = {
        "points": sum(line.points for line in sale.lines) - kept.points,
        "growth": sum(line.growth for line in sale.lines) - kept.growth,
        "spend": sum(line.spend for line in sale.lines) - kept.spend,
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


def _rewards(sale: SaleCompleted, points: int) -> list[int]:
    """What rewards cost in points, by line: what is not the line's share of those that paid."""
    paid = [line.points_paid for line in sale.lines]
    shares = largest_remainder(points, paid) if any(paid) else [0] * len(paid)
    return [line.points_spent - share for line, share in zip(sale.lines, shares, strict=True)]


def _without_points(line: ReturnLine) -> ReturnLine:
    """A line of somebody who is not known any more: everything goes back as money."""
    return msgspec.structs.replace(line, points=0, growth=0, spend=0, points_paid=0, points_spent=0)
