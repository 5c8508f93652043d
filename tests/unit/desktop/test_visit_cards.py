"""Visit cards at the till: stamps of a sale, full cards, and what goes when goods come back."""

import msgspec
import pytest

from shared.errors import DomainError
from shared.loyalty.coupon_code import issued_coupon_code
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import AmountOff
from shared.loyalty.engagement import Referral, VisitCard
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import CashRounding, Earning
from shared.pricing.sale_basket import Measured, judge
from shared.returning.lines import SoldBy
from tests.pricing_builders import names, offer, programme
from tests.property.test_returns_by_what_is_kept import judged
from tests.support.desk import BISCUIT_CODE, WATER_CODE
from tests.support.enrolled_till import BISCUITS, LOOKUP_KEY, WATER

DAY_S = 24 * 3600
GOODS = {str(one.sku): one for one in (BISCUITS, WATER)}


def card(**more):
    told = {"stamps": 3, "goods": GoodsSet(skus=(str(BISCUITS.sku),)), "per_unit": True, **more}
    return VisitCard(id="card", names=names("card"), **told)


def selling(make_desk, *cards, **more):
    rules = {"cash_rounding": CashRounding(step_minor=1), "earning": Earning(), **more}
    return make_desk(programme(visit_cards=cards, **rules))


def stamps(desk, member):
    held = desk.member(member).cards.get("card")
    return held.stamps if held else 0


def audit(desk, sale):
    """What a second pricing of the fact finds, by the till's own programme."""
    rules = desk.till.pricing().programme
    return judge(sale.fact, desk.clock.now().astimezone(desk.till.identity.zone), rules, GOODS)


def audit_return(desk, sale, back, *before):
    rules = desk.till.pricing().programme
    at = desk.clock.now().astimezone(desk.till.identity.zone)
    by = SoldBy(rules, at, GOODS)
    return judged(back.fact, sale.fact, before, sold_by=by, own=rules)


def test_a_full_card_gives_its_points_and_the_next_one_begins(make_desk):
    desk = selling(make_desk, card(points=50))
    li = desk.enrol()
    first = desk.sell(BISCUIT_CODE, BISCUIT_CODE, WATER_CODE, member=li)
    assert (stamps(desk, li), desk.member(li).points) == (2, 0)
    second = desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=li)
    assert (stamps(desk, li), desk.member(li).points) == (1, 50)
    told = second.fact.member.points
    assert (told.opening, told.earned, told.closing) == (0, 50, 50)
    assert [(one.rule, one.points) for one in told.by_rule] == [("card", 50)]
    assert audit(desk, first) == audit(desk, second) == []


def test_stamps_and_points_go_with_the_goods_to_where_they_were_before(make_desk):
    desk = selling(make_desk, card(points=50))
    li = desk.enrol()
    desk.sell(BISCUIT_CODE, member=li)
    sale = desk.sell(*[BISCUIT_CODE] * 4, member=li)
    assert (stamps(desk, li), desk.member(li).points) == (2, 50)
    backs = []
    seen = []
    for _ in range(4):
        back = desk.take_back(sale, (1, 1))
        assert audit_return(desk, sale, back, *backs) == []
        backs.append(back.fact)
        seen.append((stamps(desk, li), desk.member(li).points))
    assert seen == [(1, 50), (0, 50), (2, 0), (1, 0)]


def test_a_return_that_leaves_stamps_or_points_is_found(make_desk):
    desk = selling(make_desk, card(points=50))
    li = desk.enrol()
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=li)
    back = desk.take_back(sale, (1, 3))
    forged = back._replace(fact=msgspec.structs.replace(back.fact, cards=()))
    found = {one.measured: one.amount for one in audit_return(desk, sale, forged)}
    assert found[Measured.POINTS] == 50
    kept = back._replace(fact=msgspec.structs.replace(back.fact, cards=(), points_taken=()))
    found = {one.measured: one.amount for one in audit_return(desk, sale, kept)}
    # Three stamps less and one full card less are no difference to the running card.
    assert found == {Measured.POINTS: 50}


def test_a_card_that_says_more_than_its_goods_is_found(make_desk):
    desk = selling(make_desk, card(points=50))
    li = desk.enrol()
    sale = desk.sell(BISCUIT_CODE, member=li)
    (told,) = sale.fact.cards
    more = msgspec.structs.replace(told, added=2)
    forged = sale._replace(fact=msgspec.structs.replace(sale.fact, cards=(more,)))
    assert [(one.measured, one.amount) for one in audit(desk, forged)] == [(Measured.STAMPS, 1)]


def test_one_stamp_a_day_and_again_when_it_came_back(make_desk):
    desk = selling(make_desk, card(once_a_day=True, points=50))
    li = desk.enrol()
    sale = desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=li)
    again = desk.sell(BISCUIT_CODE, member=li)
    assert stamps(desk, li) == 1
    assert [(one.added, one.after) for one in again.fact.cards] == [(0, 1)]
    assert audit(desk, again) == []
    desk.take_back(sale, (1, 1))
    assert stamps(desk, li) == 1
    desk.take_back(sale, (1, 1))
    assert stamps(desk, li) == 0
    desk.sell(BISCUIT_CODE, member=li)
    assert stamps(desk, li) == 1
    desk.clock.advance(seconds=DAY_S)
    desk.sell(BISCUIT_CODE, member=li)
    assert stamps(desk, li) == 2


def with_coupon(make_desk):
    return selling(
        make_desk,
        card(coupon="off"),
        offers=(offer("off", AmountOff(off_minor=1_00), claimed=True),),
        coupons=(Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9),),
    )


def test_the_coupon_of_a_card_that_is_not_full_any_more_is_void(make_desk):
    desk = with_coupon(make_desk)
    li = desk.enrol()
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=li)
    assert [one.coupon_id for one in sale.fact.coupons_issued] == [*sale.fact.cards[0].coupons]
    assert audit(desk, sale) == []
    back = desk.take_back(sale, (1, 1))
    assert back.fact.coupons_voided == sale.fact.cards[0].coupons
    assert audit_return(desk, sale, back) == []
    assert stamps(desk, li) == 2
    with pytest.raises(DomainError, match="coupon-used"):
        desk.scan(issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 1))


def test_a_reward_that_was_used_keeps_its_stamps(make_desk):
    desk = with_coupon(make_desk)
    li = desk.enrol()
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=li)
    desk.sell(WATER_CODE, issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 1), member=li)
    back = desk.take_back(sale, (1, 3))
    assert back.fact.coupons_voided == ()
    assert stamps(desk, li) == -3
    assert audit_return(desk, sale, back) == []


def referring(make_desk, **more):
    rule = Referral(points_for_friend=100, points_for_referrer=200, minimum_minor=20_00, **more)
    return selling(make_desk, referral=rule)


def brought(desk, by, phone):
    return desk.till.members.enrol(
        name="韩梅梅",
        phone=phone,
        referred_by=by,
        operator_id=desk.shift.operator_id,
        tier="member",
    )


def points(desk, *members):
    return [desk.member(one).points for one in members]


def test_both_sides_are_paid_for_the_first_sale_that_counts(make_desk):
    desk = referring(make_desk)
    li = desk.enrol(phone="13800138000")
    han = brought(desk, "13800138000", "13900139000")
    small = desk.sell(BISCUIT_CODE, member=han)
    assert small.fact.referral is None
    assert points(desk, li, han) == [0, 0]
    sale = desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=han)
    assert points(desk, li, han) == [200, 100]
    assert audit(desk, sale) == []
    desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=han)
    assert points(desk, li, han) == [200, 100]


def test_a_referral_is_open_again_when_its_sale_came_back(make_desk):
    desk = referring(make_desk)
    li = desk.enrol(phone="13800138000")
    han = brought(desk, "13800138000", "13900139000")
    sale = desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=han)
    back = desk.take_back(sale, (1, 1))
    assert points(desk, li, han) == [0, 0]
    assert audit_return(desk, sale, back) == []
    last = desk.take_back(sale, (1, 1))
    assert audit_return(desk, sale, last, back.fact) == []
    assert points(desk, li, han) == [0, 0]
    desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=han)
    assert points(desk, li, han) == [200, 100]


def test_only_so_many_friends_count(make_desk):
    desk = referring(make_desk, per_member=1)
    li = desk.enrol(phone="13800138000")
    first, second = (brought(desk, "13800138000", f"1390013900{n}") for n in range(2))
    for friend in (first, second):
        desk.sell(BISCUIT_CODE, BISCUIT_CODE, member=friend)
    assert points(desk, li, first, second) == [200, 100, 0]


def test_who_brought_a_member_has_to_be_known(make_desk):
    desk = referring(make_desk)
    with pytest.raises(DomainError, match="referrer-unknown"):
        brought(desk, "13700137000", "13900139000")
    assert desk.till.members.by_phone("13900139000") == []
