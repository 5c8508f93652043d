"""The worked examples that every implementation of the rules must give."""

from datetime import date

import pytest

from shared.ids import LotId
from shared.loyalty.effects import Ladder, PercentOff, Step
from shared.loyalty.lots import Lot
from shared.loyalty.offers import Group, GroupMode
from shared.loyalty.programme import Multiplier
from shared.loyalty.returns import Paid, return_share, split_refund
from shared.pricing.engine import price
from shared.pricing.redemption import redeem
from shared.pricing.sale_lines import sale_lines
from shared.trade.fact import TenderKind
from tests.pricing_builders import (
    basket,
    earning,
    goods,
    line,
    names,
    offer,
    only,
    programme,
    rate,
    tax_class,
)


def test_three_bottles_over_a_threshold_and_their_three_returns():
    ladder = Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),))
    bought = basket(line(goods("A", 12_50), 3))
    quote = price(bought, programme(offer("满30减5", ladder)))

    assert quote.total_minor == 32_50
    assert [share.amount_minor for share in quote.lines[0].taxes] == [3_74]
    assert quote.earning.points_total == 32

    (sold,) = sale_lines(bought, quote)
    shares = [return_share(sold, 1, returned_before=n) for n in range(3)]
    assert [share.amount for share in shares] == [10_83, 10_84, 10_83]
    assert [share.points for share in shares] == [11, 10, 11]
    assert sum(share.taxes[0].tax for share in shares) == 3_74


@pytest.mark.parametrize(("mode", "to_pay"), [(GroupMode.CHAIN, 72_00), (GroupMode.ADD, 70_00)])
def test_a_fifth_off_the_item_and_a_tenth_off_the_basket(mode, to_pay):
    item = offer("item", PercentOff(basis_points_off=20_00), only("A"), group="both")
    whole = offer("whole", PercentOff(basis_points_off=10_00), group="both")
    rules = programme(item, whole, groups=(Group(id="both", mode=mode),))

    assert price(basket(line(goods("A", 100_00))), rules).total_minor == to_pay


@pytest.mark.parametrize(("offers", "points"), [((), 164), ((10_00,), 147)])
def test_points_are_rounded_down_once_after_the_multiplier(offers, points):
    five_times = Multiplier(id="five", names=names("five"), basis_points=50_000, goods=only("A"))
    percents = [offer("basket", PercentOff(basis_points_off=points)) for points in offers]
    rules = programme(*percents, earning=earning(points=2, multipliers=(five_times,)))
    quote = price(basket(line(goods("A", 8_00)), line(goods("B", 42_00))), rules)

    assert quote.earning.points_total == points
    assert sum(quote.earning.line_points) == points


def test_a_percentage_works_on_the_amount_with_excluded_tax():
    rules = programme(
        offer("tenth", PercentOff(basis_points_off=10_00)),
        tax_classes=(tax_class("sales", rate(150_000, included=False)),),
    )
    quote = price(basket(line(goods("A", 25_00, tax="sales"))), rules)

    assert quote.lines[0].gross_minor == 28_75
    assert quote.offers[0].amount_minor == 2_88
    assert quote.total_minor == 25_87
    assert quote.lines[0].net_minor == 22_50


def test_half_of_a_sale_paid_with_points_and_cash_comes_back_as_it_was_paid():
    rules = programme()
    bought = basket(line(goods("A", 50_00), 2))
    quote = price(bought, rules)
    lot = Lot(lot=LotId("lot"), points=9000, earned_on=date(2026, 1, 1))
    payment = redeem(bought, quote, 3000, rules, [lot])
    (sold,) = sale_lines(bought, quote, payment=payment)

    share = return_share(sold, 1, returned_before=0)

    assert (share.points_paid, share.points_spent, share.money) == (15_00, 1500, 35_00)
    cash = Paid(tender=TenderKind.CASH, amount=70_00)
    assert [refund.amount for refund in split_refund(share.money, [cash])] == [35_00]
    assert payment.earning.points_total == 70
