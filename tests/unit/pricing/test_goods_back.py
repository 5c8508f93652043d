"""What a return comes to at a till, where the books know less, or otherwise, than the workbench."""

from dataclasses import replace
from datetime import date

import msgspec

from desktop.store.members import Member
from shared.ids import CouponId, EntryId
from shared.loyalty.effects import AmountOff
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import Floor, Returns
from shared.pricing.basket import CouponClaim
from shared.returning.goods_back import TakingBack
from shared.returning.lines import SoldBy, Wanted
from shared.returning.offers_kept import offers_kept
from shared.returning.sold import ReturnableSale
from shared.trade.fact import CardStamped, CouponIssued, LotDraw, OfferApplied
from tests.pricing_builders import basket, line, names, offer, programme
from tests.property.test_returns_by_what_is_kept import LOT, MEMBER, NOON, REF
from tests.support.priced_facts import sale_of
from tests.unit.pricing.test_judging_returns import SHARES, TEA, sold

TODAY = date(2026, 12, 1)


def test_points_that_come_back_to_a_lapsed_lot_are_there_to_be_taken():
    floor = msgspec.structs.replace(SHARES, returns=Returns(points_floor=Floor.ZERO))
    of = sold(floor, points=20)
    lapsed = replace(LOT, points=0, last_day=date(2026, 11, 30))
    member = Member(MEMBER, "", "", "", "member", lots=(lapsed,), spending=(), balance_as_of="")
    back = TakingBack(of, floor, member, today=TODAY).of_goods([Wanted(1, 3)])
    assert sum(line.points for line in back.lines) == 61
    assert back.points_taken == (LotDraw(lot=LOT.lot, points=20),)


def test_a_used_coupon_goes_back_as_the_programme_of_the_sale_says():
    off = offer("off", AmountOff(off_minor=1_00), claimed=True)

    def rules(*, goes_back):
        coupon = Coupon(
            id="c", version=1, names=names("c"), offer="off", valid_days=9, goes_back=goes_back
        )
        return programme(off, coupons=(coupon,))

    then, now = rules(goes_back=True), rules(goes_back=False)
    claim = CouponClaim("c", CouponId("code"))
    shopping = replace(basket(line(TEA, id="1")), at=NOON, claims=(claim,))
    of = ReturnableSale(EntryId("sale"), NOON, sale_of(shopping, then, REF), ())
    assert of.sale.offers[0].coupon_id == "code"
    known = SoldBy(then, NOON, {"TEA": TEA})
    back = TakingBack(of, now, None, today=TODAY, sold_by=known).of_goods([Wanted(1, 1)])
    assert back.coupons_given_back == ("code",)
    assert not TakingBack(of, now, None, today=TODAY).of_goods([Wanted(1, 1)]).coupons_given_back


def test_the_coupon_of_a_full_card_keeps_no_other_offer_in_use():
    of = sold(SHARES).sale
    card = CardStamped(card="card", names={}, size=3, before=2, added=1, filled=1)
    issued = [
        CouponIssued(coupon_id=CouponId(code), offer_id="off", valid_from="", valid_until="")
        for code in ("by-offer", "by-card")
    ]
    issuing = OfferApplied(offer_id="issuing", version=1, names={}, amount=0)
    sale = msgspec.structs.replace(
        of,
        offers=(*of.offers, issuing),
        coupons_issued=tuple(issued),
        cards=(msgspec.structs.replace(card, coupons=(CouponId("by-card"),)),),
    )
    back = TakingBack(
        ReturnableSale(
            EntryId("sale"), NOON, sale, (), coupons_used=frozenset({CouponId("by-card")})
        ),
        SHARES,
        None,
        today=TODAY,
    ).of_goods([Wanted(1, 3)])
    assert offers_kept(sale, [])["issuing"] == 1
    assert back.coupons_voided == ("by-offer",)
    assert offers_kept(sale, [back]) == {}
