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
from shared.pricing.kept import gifts_unearned
from shared.pricing.tax import rate_shares, split_class
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
    every = (*(line for one in returns for line in one.lines), *lines)
    back = Counter[int]()
    charged = Counter[int]()
    for line in every:
        back[line.of_line] += line.quantity
        charged[line.of_line] -= line.amount
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
        charges[gift.line] = units * gift.list_price - charged[gift.line]
    money = sum(line.amount - line.points_paid for line in lines)
    return _charged(lines, gifts, _at_most(charges, money), programme)


def _at_most(charges: dict[int, int], money: int) -> dict[int, int]:
    """A return costs the customer nothing: what is over is charged with the next one."""
    over = max(0, sum(charges.values()) - money)
    found = {}
    for line, charge in reversed(charges.items()):
        less = min(over, max(0, charge))
        over -= less
        found[line] = charge - less
    return found


def _charged(
    lines: Sequence[ReturnLine],
    gifts: Sequence[SaleLine],
    charges: dict[int, int],
    programme: Programme,
) -> list[ReturnLine]:
    found = list(lines)
    for gift in gifts:
        charge = charges[gift.line]
        if not charge:
            continue
        at = next((n for n, line in enumerate(found) if line.of_line == gift.line), None)
        taxes = _taxes(charge, gift.tax_class, programme)
        if at is None:
            found.append(_line(len(found) + 1, gift, charge, taxes))
        else:
            found[at] = msgspec.structs.replace(found[at], amount=-charge, taxes=taxes)
    return found


def _taxes(charge: int, tax_class: str, programme: Programme) -> tuple[LineTax, ...]:
    """The tax in what is charged; with the sign of what goes back."""
    known = programme.tax_class(tax_class)
    split = split_class(known, [abs(charge)])
    sign = -1 if charge > 0 else 1
    return tuple(
        LineTax(component=share.component, tax=sign * share.amount_minor)
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
