"""A till that prices again what is kept gives back what the workbench does, to the cent and tax."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.services.basket import Pricing
from desktop.store.members import Member
from shared.ids import EntryId, LotId, MemberId, StoreId, TillId
from shared.ledger.booking_ticket import post_return, post_sale
from shared.loyalty.lots import Lot
from shared.loyalty.programme import CashRounding, Redemption, ReturnPolicy, Returns
from shared.pricing.engine import price
from shared.pricing.redemption import offered, redeem
from shared.returning.goods_back import ReturnTicket, TakingBack
from shared.returning.judging import judge_return
from shared.returning.lines import SoldBy, Wanted
from shared.returning.sold import ReturnableSale
from shared.trade.fact import BundleRef
from shared.workbench import later_steps as later
from shared.workbench import scenario as told
from shared.workbench.playing import do, open_shop
from shared.workbench.scenario import Scenario
from tests.pricing_builders import basket, earning, goods, line, programme
from tests.property.test_workbench_returns import CLASSES, GOODS, OFFERS
from tests.support.priced_facts import sale_of

REF = BundleRef(version=1, sha256="0" * 64)
NOON = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - a wall clock
MEMBER = MemberId("m")
POINTS = 300
AUTOMATIC = tuple(one for one in OFFERS if not one.costs_points)
RULES = programme(
    *AUTOMATIC,
    tax_classes=CLASSES,
    earning=earning(points=3),
    redemption=Redemption(points_per_block=10, value_per_block_minor=9),
    returns=Returns(policy=ReturnPolicy.RE_PRICE),
    cash_rounding=CashRounding(),
)
ARTICLES = {
    one.sku: goods(one.sku, one.price_minor, one.tax_class, no_points=one.no_points)
    for one in GOODS
}
LOT = Lot(lot=LotId("lot-1"), points=POINTS, earned_on=date(2026, 1, 1))
SOLD_BY = SoldBy(RULES, NOON, ARTICLES)
PRICING = Pricing(REF, RULES, StoreId("s1"), TillId("till"))


def sold_at_a_till(bought, points):
    lines = [
        line(ARTICLES[sku], units, id=str(number))
        for number, (sku, units) in enumerate(bought, start=1)
    ]
    shopping = replace(basket(*lines), at=NOON)
    quote, payment = price(shopping, RULES), None
    if points and offered(shopping, quote, RULES, [LOT]).points:
        most = offered(shopping, quote, RULES, [LOT]).points
        payment = redeem(shopping, quote, min(points, most), RULES, [LOT])
    sale = sale_of(shopping, RULES, REF, member=MEMBER, payment=payment)
    return ReturnableSale(EntryId("sale"), NOON, sale, ()), payment


def sold_at_the_workbench(bought, payment):
    person = told.Person(
        id="m", lots=(told.StartLot(lot="lot-1", points=POINTS, earned_on=LOT.earned_on),)
    )
    shop = open_shop(Scenario(at=NOON, goods=GOODS, steps=(), programme=RULES, members=(person,)))
    do(shop, told.SetMember(member="m"))
    for number, (sku, units) in enumerate(bought, start=1):
        do(shop, told.Add(goods=sku, units=units, line=str(number)))
    if payment is not None:
        do(shop, told.SpendPoints(points=payment.points))
    do(shop, told.Pay())
    do(shop, told.Complete(sale="s"))
    return shop


def taken_back(sold, number, member, sold_by=SOLD_BY, pricing=PRICING):
    taking = TakingBack(sold, pricing.programme, member, today=NOON.date(), sold_by=sold_by)
    back = taking.of_goods([Wanted(number, 1)])
    ticket = ReturnTicket(
        receipt_no=f"r{len(sold.returns)}",
        ticket_id="t",
        store_id=sold.sale.store_id,
        till_id=sold.sale.till_id,
        shift_id=sold.sale.shift_id,
        operator_id=sold.sale.operator_id,
        currency="CNY",
        programme=REF,
        original=sold,
        reason="",
    )
    fact = back.fact(ticket)
    return replace(sold, returns=(*sold.returns, fact)), fact


def judged(fact, sale, *before, sold_by=SOLD_BY, **more):
    values = {"own": RULES, "is_forgotten": False, **more}
    return judge_return(fact, sale, before, sold_by, **values)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3)), min_size=1, max_size=4),
    st.sampled_from([0, 0, 50, 200]),
    st.data(),
)
def test_every_step_is_that_of_the_workbench_and_all_of_them_give_back_all(bought, points, data):
    sold, payment = sold_at_a_till(bought, points)
    shop = sold_at_the_workbench(bought, payment)
    member = Member(MEMBER, "", "", "", tier="member", lots=(LOT,), spending=(), balance_as_of="")
    units = [number for number, (_, count) in enumerate(bought, start=1) for _ in range(count)]
    books: Counter = Counter()
    for posting in post_sale(EntryId("sale"), sold.sale):
        books[posting.account] += posting.amount
    for number in data.draw(st.permutations(units)):
        before = sold.returns
        sold, fact = taken_back(sold, number, member)
        assert judged(fact, sold.sale, before) == []
        do(shop, later.Return(sale="s", lines=(later.Units(line=str(number), units=1),)))
        assert fact.total == shop.refund.amount_minor >= 0
        assert sum(one.amount for one in fact.refunds) == fact.total
        assert sum(one.points for one in fact.lines) == shop.refund.points_taken_back
        given = sum(one.points for one in fact.refunds)
        assert given == shop.refund.points_given_back
        postings = list(post_return(EntryId(fact.receipt_no), fact))
        assert sum(one.amount for one in postings if one.account.unit.startswith("CNY")) == 0
        for posting in postings:
            books[posting.account] += posting.amount
    assert sum(one.total for one in sold.returns) == sold.sale.total
    money = {account: left for account, left in books.items() if account.unit.startswith("CNY")}
    assert set(money.values()) <= {0}
