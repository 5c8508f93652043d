"""Coupons of a sale at the till that issued them: their days, for whom they are, when they end."""

from contextlib import suppress

import pytest

from desktop.presenters.sale_view import unlock_text
from desktop.presenters.text import name_of, say
from desktop.services.stored_value import By, paying
from shared.errors import DomainError
from shared.loyalty.accounts import StoredValue, TopUpOffer
from shared.loyalty.coupon_code import issued_coupon_code
from shared.loyalty.effects import AmountOff, Gift, IssueCoupon
from shared.loyalty.leasing import Leases
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import CashRounding
from shared.pricing.quote import Reason
from shared.trade.fact import TenderKind
from tests.pricing_builders import names, offer, programme
from tests.support.desk import BISCUIT_CODE
from tests.support.enrolled_till import LOOKUP_KEY

DAY_S = 24 * 3600


def selling(make_desk, **coupon):
    rule = Coupon(id="off", version=1, names=names("off"), offer="off", **coupon)
    return make_desk(
        programme(
            offer("issuing", IssueCoupon(coupon="off")),
            offer("off", AmountOff(off_minor=1_00), claimed=True),
            coupons=(rule,),
            cash_rounding=CashRounding(step_minor=1),
        )
    )


def code_of(sale):
    return issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 1)


def refused(desk, code):
    with pytest.raises(DomainError) as caught:
        desk.scan(code)
    return caught.value.code


def test_a_coupon_works_on_its_days_only(make_desk):
    desk = selling(make_desk, valid_days=2, from_days=1)
    code = code_of(desk.sell(BISCUIT_CODE))
    assert refused(desk, code) == "coupon-not-yet"
    desk.clock.advance(seconds=DAY_S)
    desk.scan(BISCUIT_CODE, code)
    assert desk.counter.checkout.basket.quote.total_minor == 11_50
    desk.counter.checkout.clear()
    desk.clock.advance(seconds=DAY_S)
    assert refused(desk, code) == "coupon-lapsed"


def test_a_personal_coupon_is_for_the_member_of_its_sale(make_desk):
    desk = selling(make_desk, valid_days=9, personal=True)
    member = desk.enrol()
    code = code_of(desk.sell(BISCUIT_CODE, member=member))
    assert refused(desk, code) == "coupon-of-another"
    desk.counter.checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE, code)
    assert desk.counter.checkout.basket.quote.total_minor == 11_50


def test_a_personal_coupon_of_another_till_needs_a_member(make_desk):
    """Whose it is this till cannot know; head office finds out."""
    desk = selling(make_desk, valid_days=9, personal=True)
    elsewhere = issued_coupon_code(LOOKUP_KEY, "off", "an-entry-of-another-till", 1)
    desk.scan(BISCUIT_CODE, elsewhere)
    quote = desk.counter.checkout.basket.quote
    assert quote.total_minor == 12_50
    reasons = {one.coupon: one.reason for one in quote.explanations if one.coupon}
    assert list(reasons.values()) == [Reason.MEMBERS_ONLY]
    desk.counter.checkout.basket.attach(desk.member(desk.enrol()))
    assert desk.counter.checkout.basket.quote.total_minor == 11_50


def test_a_coupon_for_several_sales_ends_with_the_sale_that_issued_it(make_desk):
    desk = selling(make_desk, valid_days=9, uses=3)
    sale = desk.sell(BISCUIT_CODE)
    code = code_of(sale)
    for _ in range(2):
        assert desk.sell(BISCUIT_CODE, code).fact.total == 11_50
    back = desk.take_back(sale, (1, 1)).fact
    assert len(back.coupons_voided) == 1
    assert refused(desk, code) == "coupon-used"


def test_a_personal_coupon_stays_behind_with_its_member(make_desk):
    desk = selling(make_desk, valid_days=9, personal=True)
    member = desk.enrol()
    code = code_of(desk.sell(BISCUIT_CODE, member=member))
    basket = desk.counter.checkout.basket
    basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE, code)
    full = 12_50
    assert basket.quote.total_minor < full
    basket.attach(None)
    assert basket.quote.total_minor == full
    basket.attach(desk.member(member))
    assert basket.quote.total_minor < full


def test_a_coupon_lapses_in_a_basket_that_is_left_open(make_desk):
    desk = selling(make_desk, valid_days=1)
    code = code_of(desk.sell(BISCUIT_CODE))
    desk.scan(BISCUIT_CODE, code)
    desk.clock.advance(seconds=5 * DAY_S)
    desk.scan(BISCUIT_CODE)
    assert desk.counter.checkout.basket.quote.total_minor == 25_00


def for_every_ten(make_desk):
    """A desk where each 10.00 gives a coupon."""
    return make_desk(
        programme(
            offer("issuing", IssueCoupon(coupon="off", per_minor=10_00)),
            offer("off", AmountOff(off_minor=1_00), claimed=True),
            coupons=(Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9),),
            cash_rounding=CashRounding(step_minor=1),
        )
    )


def issued(sale):
    return [one.coupon_id for one in sale.fact.coupons_issued]


def test_coupons_that_what_is_kept_would_not_have_given_are_void(make_desk):
    desk = for_every_ten(make_desk)
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    first, second, third = issued(sale)
    backs = [desk.take_back(sale, (1, 1)).fact.coupons_voided for _ in range(3)]
    assert backs == [(third,), (second,), (first,)]
    assert refused(desk, code_of(sale)) == "coupon-used"


def test_of_several_coupons_the_unused_ones_are_void_first(make_desk):
    desk = for_every_ten(make_desk)
    sale = desk.sell(*[BISCUIT_CODE] * 2)
    last = issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 2)
    assert desk.sell(BISCUIT_CODE, last).fact.total == 11_50
    assert desk.take_back(sale, (1, 1)).fact.coupons_voided == (issued(sale)[0],)


def test_no_sale_without_a_member_issues_a_personal_coupon(make_desk):
    desk = selling(make_desk, valid_days=9, personal=True)
    member = desk.enrol()
    desk.scan(BISCUIT_CODE)
    quote = desk.counter.checkout.basket.quote
    told = {one.offer: one.reason for one in quote.explanations}
    assert told["issuing"] is Reason.MEMBER_NEEDED
    hint = unlock_text(quote, desk.counter.checkout.basket.pricing.programme)
    assert hint == say("till.sale.unlock-member", offer=name_of(names("issuing")))
    desk.counter.checkout.clear()
    assert issued(desk.sell(BISCUIT_CODE)) == []
    assert len(issued(desk.sell(BISCUIT_CODE, member=member))) == 1


def test_a_coupon_of_a_top_up_is_good_once_on_its_days_for_its_member(make_desk):
    top_up = TopUpOffer(id="100", names=names("100"), minimum_minor=100_00, coupon="off")
    own = Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=2, personal=True)
    desk = make_desk(
        programme(
            offer("off", AmountOff(off_minor=1_00), claimed=True),
            coupons=(own,),
            stored_value=StoredValue(top_ups=(top_up,)),
        )
    )
    member = desk.enrol()
    shift = desk.returned_by().shift
    cash = paying(TenderKind.CASH, 100_00)
    by = By(shift, shift.operator_id)
    written = desk.counter.value.top_up(desk.till.pricing(), member, 100_00, cash, by)
    code = code_of(written)
    assert refused(desk, code) == "coupon-of-another"
    assert desk.sell(BISCUIT_CODE, code, member=member).fact.total == 11_50
    desk.counter.checkout.basket.attach(desk.member(member))
    assert refused(desk, code) == "coupon-used"


@pytest.mark.parametrize(
    ("most", "is_taken"), [(None, True), (1_00, True), (99, False), (0, False)]
)
def test_offline_coupons_take_off_no_more_than_the_programme_allows(make_desk, most, is_taken):
    desk = limited(make_desk, AmountOff(off_minor=1_00), most)
    desk.scan(BISCUIT_CODE, elsewhere_code())
    assert may_be_paid(desk) is is_taken


@pytest.mark.parametrize(("most", "is_taken"), [(25_00, True), (24_99, False)])
def test_gifts_of_coupons_count_at_list_prices(make_desk, most, is_taken):
    desk = limited(make_desk, Gift(choices=("B1",), units=2), most)
    desk.scan(BISCUIT_CODE, elsewhere_code())
    assert desk.counter.checkout.basket.quote.added[0].units == 2
    assert may_be_paid(desk) is is_taken


def test_other_offers_are_not_limited_offline(make_desk):
    desk = make_desk(
        programme(
            offer("all", AmountOff(off_minor=1_00)),
            leases=Leases(coupons_offline_minor=0),
            cash_rounding=CashRounding(step_minor=1),
        )
    )
    desk.scan(BISCUIT_CODE)
    assert desk.counter.checkout.basket.quote.total_minor == 11_50
    assert may_be_paid(desk)


def test_a_till_that_reaches_the_server_has_no_limit(make_desk, monkeypatch):
    desk = limited(make_desk, AmountOff(off_minor=1_00), 0)
    monkeypatch.setattr(desk.counter.checkout._readiness, "_is_offline", lambda: False)
    desk.scan(BISCUIT_CODE, elsewhere_code())
    assert may_be_paid(desk)


@pytest.fixture
def going_down(make_desk, monkeypatch):
    """A desk with a coupon beyond the limit, that was online when the customer began to pay."""
    desk = limited(make_desk, AmountOff(off_minor=1_00), 0)
    with monkeypatch.context() as online:
        online.setattr(desk.counter.checkout._readiness, "_is_offline", lambda: False)
        desk.scan(BISCUIT_CODE, elsewhere_code())
        desk.counter.checkout.check_ready()
        yield desk, online


def test_cash_on_the_counter_becomes_a_sale_though_the_line_goes_down(going_down):
    desk, online = going_down
    desk.counter.checkout.tender_cash(5_00)
    online.undo()
    desk.counter.checkout.tender_cash()
    assert desk.finish().fact.total == 11_50


def test_a_wallet_that_has_paid_is_taken_though_the_line_goes_down(going_down):
    desk, online = going_down
    online.undo()
    checkout = desk.counter.checkout
    checkout.tender(TenderKind.WALLET, 11_50, provider="wallet", attempt_id="an-attempt")
    assert desk.finish().fact.total == 11_50


def limited(make_desk, effect, most):
    return make_desk(
        programme(
            offer("off", effect, claimed=True),
            coupons=(Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9),),
            leases=Leases(coupons_offline_minor=most),
            cash_rounding=CashRounding(step_minor=1),
        )
    )


def elsewhere_code():
    return issued_coupon_code(LOOKUP_KEY, "off", "an-entry-of-another-till", 1)


def may_be_paid(desk):
    with suppress(DomainError):
        desk.counter.checkout.check_ready()
        return True
    assert refusal_to_pay(desk) == "coupons-beyond-offline"
    return False


def refusal_to_pay(desk):
    with pytest.raises(DomainError) as caught:
        desk.counter.checkout.check_ready()
    return caught.value.code
