"""Goods that come back although nobody knows their sale."""

from collections import Counter

from shared.errors import DomainError
from shared.ids import StoreId
from shared.pricing.basket import BasketLine
from shared.returning.goods_back import unreceipted_return
from shared.workbench import later_steps as told
from shared.workbench.result import RefundState, TenderState
from shared.workbench.shop import Shop


def take_back(shop: Shop, step: told.ReturnWithoutReceipt) -> None:
    """Today's list price in cash, with an approval and within the programme's limits."""
    if not step.goods:
        raise DomainError("nothing-to-return")
    if not step.is_approved:
        raise DomainError("approval-needed", action="return-without-receipt")
    lines = [_line(shop, str(number), one) for number, one in enumerate(step.goods, start=1)]
    today = shop.at.date()
    back = unreceipted_return(
        lines,
        shop.programme,
        at=shop.at,
        store=StoreId(shop.store),
        given_today=shop.without_receipt[today],
    )
    shop.without_receipt[today] += back.total
    taxes: Counter[str] = Counter()
    for row in back.taxes:
        taxes[row.tax_class] += row.tax
    cash = sum(one.amount for one in back.refunds)
    shop.drawer -= cash
    shop.day.tenders["cash"] -= cash
    shop.day.give_back(back.total, taxes)
    shop.refund = RefundState(
        sale="",
        amount_minor=back.total,
        tax_minor=sum(taxes.values()),
        tenders=(TenderState(tender="cash", amount_minor=cash, change_minor=0, points=0),),
        points_taken_back=0,
        points_given_back=0,
    )


def _line(shop: Shop, name: str, one: told.Handed) -> BasketLine:
    units = (0 if one.grams else 1) if one.units is None else one.units
    return BasketLine(id=name, goods=shop.article(one.goods), units=units, grams=one.grams)
