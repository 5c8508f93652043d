"""Offers that may be used so often only, at the till."""

import msgspec
from sqlalchemy import update

from desktop.store.schema import offer_uses
from shared.loyalty.effects import AmountOff, FurtherUnits, Gift, IssueCoupon
from shared.loyalty.offers import Coupon, Limits
from tests.pricing_builders import names, offer, only
from tests.support.till_errands import CARD, allow, by, enrol, sell, take_back
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

ONCE_A_DAY = offer(
    "once", AmountOff(off_minor=5_00), limits=Limits(per_member_and_day=1, in_total=2)
)
ONE_IN_ALL = Limits(in_total=1)
ONCE = offer("once", AmountOff(off_minor=5_00), limits=ONE_IN_ALL)


@by(ONCE_A_DAY)
def test_an_offer_that_may_be_used_so_often_counts_the_sales_of_this_till(selling: Hands) -> None:
    enrol(selling)
    assert sell(selling, RICE).total == 64_90
    selling.scan(CARD)
    assert sell(selling, RICE).total == 69_90
    assert sell(selling, RICE).total == 64_90
    assert sell(selling, RICE).total == 69_90


@by(ONCE_A_DAY)
def test_a_members_use_comes_back_with_all_it_was_for(selling: Hands) -> None:
    enrol(selling)
    first = sell(selling, RICE, CHIPS)
    assert first.total == 72_40
    take_back(selling, first, 2)
    selling.scan(CARD)
    second = sell(selling, RICE)
    assert second.total == 69_90
    take_back(selling, first)
    selling.scan(CARD)
    assert sell(selling, RICE).total == 64_90


@by(ONCE_A_DAY)
def test_only_the_members_own_use_comes_back(selling: Hands) -> None:
    assert sell(selling, RICE).total == 64_90
    enrol(selling)
    second = sell(selling, RICE)
    assert second.total == 64_90
    take_back(selling, second)
    assert sell(selling, RICE).total == 64_90
    assert sell(selling, RICE).total == 69_90


@by(offer("twice", AmountOff(off_minor=5_00), only("R1"), limits=Limits(in_total=2)))
def test_goods_that_the_offer_was_not_for_give_nothing_back(selling: Hands) -> None:
    first = sell(selling, RICE, CHIPS)
    take_back(selling, first, 1)
    assert sell(selling, RICE).total == 64_90
    selling.clock.advance(seconds=24 * 3600)
    third = sell(selling, RICE)
    assert third.total == 64_90
    take_back(selling, first, 2)
    assert sell(selling, RICE).total == 69_90
    take_back(selling, third)
    assert sell(selling, RICE).total == 64_90
    assert sell(selling, RICE).total == 69_90


@by(ONCE)
def test_a_use_that_was_never_counted_is_not_given_back(selling: Hands) -> None:
    sale = sell(selling, RICE)
    none = update(offer_uses).values(uses=0)
    selling.station.till.books.writer.run(lambda writing: writing.connection.execute(none))
    take_back(selling, sale)
    assert sell(selling, RICE).total == 64_90
    assert sell(selling, RICE).total == 69_90


@by(ONCE)
def test_a_use_comes_back_once_however_often_its_sale_does(selling: Hands) -> None:
    first = sell(selling, CHIPS, CHIPS)
    take_back(selling, first, 1, 1)
    second = sell(selling, RICE)
    assert second.total == 64_90
    assert sell(selling, RICE).total == 69_90
    selling.tap("undo")
    approve(selling)
    assert sell(selling, RICE).total == 69_90
    take_back(selling, second)
    assert sell(selling, RICE).total == 64_90


@by(ONCE)
def test_undoing_the_last_sale_gives_its_use_back(selling: Hands) -> None:
    assert sell(selling, RICE).total == 64_90
    selling.tap("undo")
    approve(selling)
    assert sell(selling, RICE).total == 64_90


def approve(hands: Hands) -> None:
    """A manager allows it."""
    allow(hands)
    assert hands.told == "till.sale.undone"


@by(offer("further", FurtherUnits(per_units=3), only("W1"), limits=ONE_IN_ALL))
def test_what_was_given_on_top_gives_the_use_back_when_it_is_charged(selling: Hands) -> None:
    first = sell(selling, WATER, WATER, WATER)
    assert [line.given_by for line in first.lines] == ["", "further"]
    assert take_back(selling, first, 1, 1, 1) == 4_00
    assert len(sell(selling, WATER, WATER, WATER).lines) == 2
    assert take_back(selling, first) == 2_00
    assert len(sell(selling, WATER, WATER, WATER).lines) == 1


@by(offer("rice", Gift(choices=("R1",)), only("W1"), limits=ONE_IN_ALL))
def test_a_gift_that_is_charged_in_part_keeps_the_use(selling: Hands) -> None:
    first = sell(selling, WATER)
    assert take_back(selling, first, 1) == 0
    assert len(sell(selling, WATER).lines) == 1
    assert take_back(selling, first, 2) == 2_00
    assert len(sell(selling, WATER).lines) == 2


FIVE = offer("five", AmountOff(off_minor=5_00), claimed=True)
GOES = Coupon(id="five", version=1, names=names("5.00 off"), offer="five", valid_days=30)
STAYS = msgspec.structs.replace(GOES, is_voided=False)
ISSUING = offer("issuing", IssueCoupon(coupon="five"), only("R1"), limits=ONE_IN_ALL)


@by(ISSUING, FIVE, coupons=(GOES,))
def test_a_coupon_that_is_voided_gives_the_use_back(selling: Hands) -> None:
    first = sell(selling, RICE, CHIPS)
    assert len(first.coupons_issued) == 1
    take_back(selling, first, 2)
    assert sell(selling, RICE).coupons_issued == ()
    take_back(selling, first)
    assert len(sell(selling, RICE).coupons_issued) == 1


@by(ISSUING, FIVE, coupons=(STAYS,))
def test_a_coupon_that_stays_good_keeps_the_use(selling: Hands) -> None:
    take_back(selling, sell(selling, RICE))
    assert sell(selling, RICE).coupons_issued == ()
