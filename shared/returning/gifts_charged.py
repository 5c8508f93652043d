"""Gifts that stay with the customer though what is kept does not give them: charged at list price.

A charge stands in the return as a line of the gift without units and below zero. When the gift
comes back after all, its price goes back the same way.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from shared.errors import DomainError
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.tax import rate_shares, split_class
from shared.returning.history import lines_of, units_back
from shared.returning.kept import gifts_unearned
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def with_gifts_charged(
    lines: Sequence[ReturnLine],
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    programme: Programme,
    basket: Basket,
) -> list[ReturnLine]:
    """The lines of a return with what is charged for gifts, at most the money that goes back.

    ``basket`` is that of the sale.
    """
    gifts = [line for line in sale.lines if line.given_by]
    back = units_back(returns, lines)
    charged = {gift.line: _Charged(gift, returns) for gift in gifts}
    held: Counter[str] = Counter()
    for gift in gifts:
        held[gift.goods_id] += gift.quantity - back[gift.line]
    returned = {str(line): units for line, units in back.items()}
    try:
        unearned = gifts_unearned(basket, programme, returned, held)
    except DomainError:
        return list(lines)
    charges = {}
    for gift in gifts:
        units = min(unearned[gift.goods_id], gift.quantity - back[gift.line])
        unearned[gift.goods_id] -= units
        charges[gift.line] = units * gift.list_price - charged[gift.line].amount
    money = sum(line.amount - line.points_paid for line in lines)
    found = list(lines)
    for number, charge in _at_most(charges, money).items():
        if charge:
            _charge(found, charged[number], charge, programme)
    return found


def _at_most(charges: dict[int, int], money: int) -> dict[int, int]:
    """A return costs the customer nothing: what is over is charged with the next one."""
    over = max(0, sum(charges.values()) - money)
    found = {}
    for line, charge in reversed(charges.items()):
        less = min(over, max(0, charge))
        over -= less
        found[line] = charge - less
    return found


def _charge(lines: list[ReturnLine], so_far: "_Charged", charge: int, programme: Programme) -> None:
    taxes = so_far.taxes(charge, programme)
    own = so_far.gift.line
    at = next((n for n, line in enumerate(lines) if line.of_line == own), None)
    if at is None:
        lines.append(_line(len(lines) + 1, so_far.gift, charge, taxes))
    else:
        lines[at] = msgspec.structs.replace(lines[at], amount=-charge, taxes=taxes)


class _Charged:
    """What earlier returns have charged for a gift."""

    def __init__(self, gift: SaleLine, returns: Sequence[SaleReturned]) -> None:
        self.gift = gift
        own = [line for line in lines_of(returns) if line.of_line == gift.line]
        self.amount = -sum(line.amount for line in own)
        self._tax = Counter[str]()
        for tax in (tax for line in own for tax in line.taxes):
            self._tax[tax.component] -= tax.tax

    def taxes(self, charge: int, programme: Programme) -> tuple[LineTax, ...]:
        """The tax in what is charged, with the sign of what goes back.

        It is that of all that is charged by now less what was told of it before: a gift that comes
        back after all gives back what it cost, in tax as well.
        """
        known = programme.tax_class(self.gift.tax_class)
        split = split_class(known, [self.amount + charge])
        return tuple(
            LineTax(
                component=share.component,
                tax=self._tax[share.component] - share.amount_minor,
            )
            for share in rate_shares(known.rates, split.taxes)
        )


def _line(number: int, gift: SaleLine, charge: int, taxes: tuple[LineTax, ...]) -> ReturnLine:
    return ReturnLine(
        line=number,
        of_line=gift.line,
        goods_id=gift.goods_id,
        names=gift.names,
        quantity=0,
        measure=gift.measure,
        amount=-charge,
        tax_class=gift.tax_class,
        taxes=taxes,
        given_by=gift.given_by,
    )
