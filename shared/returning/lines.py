"""The lines of a return: by the shares of the sale, or by what the goods that are kept cost now.

Tills write them, the server's audit makes them again, and the workbench plays them, with this one
function.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.programme import Programme, ReturnPolicy
from shared.loyalty.returns import ReturnShare, return_share
from shared.pricing.basket import Basket
from shared.pricing.engine import ENGINE, price
from shared.pricing.known import is_told
from shared.pricing.sale_basket import MINUTES_BEFORE, sale_basket
from shared.returning.gifts_charged import with_gifts_charged
from shared.returning.history import units_back, without_goods
from shared.returning.kept import given_on_top
from shared.returning.kept_lines import by_what_is_kept
from shared.returning.without_goods import fitted
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
    basket: Basket | None = None
    """The basket itself, where it is at hand: its lines are called as the fact numbers them."""

    def asks_to_price_again(self, sale: SaleCompleted) -> bool:
        """Whether its policy asks for it, and it is known what its price saw."""
        is_asked = self.programme.returns.policy is ReturnPolicy.RE_PRICE
        return is_asked and self.knows_what_it_saw(sale)

    def knows_what_it_saw(self, sale: SaleCompleted) -> bool:
        """Whether the fact of the sale, or the basket, says all that its price depended on."""
        return self.basket is not None or is_told(sale, self.programme)

    def needs_the_basket(self, sale: SaleCompleted) -> bool:
        """Whether what comes back depends on more than the shares of its lines."""
        has_gifts = any(line.given_by for line in sale.lines)
        return self.asks_to_price_again(sale) or (has_gifts and self.knows_what_it_saw(sale))

    def basket_again(self, sale: SaleCompleted) -> Basket | None:
        """The basket of a sale at the minute at which it costs and gives what it did then.

        None where the goods, the engine or the hour are others by now.
        """
        if self.basket is not None:
            return self.basket
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
            lines = by_what_is_kept(lines, sale, returns, sold_by.programme, basket)
    if without_goods(returns):
        lines = fitted(lines, sale, returns)
    if is_forgotten:
        lines = [_without_points(line) for line in lines]
    if sold_by is None or basket is None:
        return lines
    return with_gifts_charged(lines, sale, returns, sold_by.programme, basket)


def _by_shares(
    sale: SaleCompleted, returns: Sequence[SaleReturned], wanted: Sequence[Wanted]
) -> list[ReturnLine]:
    sold = {line.line: line for line in sale.lines}
    done = units_back(returns)
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


def _without_points(line: ReturnLine) -> ReturnLine:
    """A line of somebody who is not known any more: everything goes back as money."""
    return msgspec.structs.replace(line, points=0, growth=0, spend=0, points_paid=0, points_spent=0)
