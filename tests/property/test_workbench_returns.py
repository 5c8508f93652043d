"""Returns, exchanges and refunds in any order give back exactly what the sale took."""

import contextlib
from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.loyalty.accounts import StoredValue
from shared.loyalty.effects import AmountOff, Ladder, PercentOff, RoundDown, SetPrice, Step
from shared.loyalty.programme import CashRounding, Redemption, ReturnPolicy, Returns, Treatment
from shared.workbench import later_steps as later
from shared.workbench import scenario as told
from shared.workbench.playing import do, open_shop
from shared.workbench.scenario import Scenario
from tests.pricing_builders import earning, offer, only, programme, rate, tax_class

CLASSES = (
    tax_class("standard", rate(130_000, included=True)),
    tax_class("excluded", rate(88_750, included=False)),
)
OFFERS = (
    offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),), repeats=True)),
    offer("set", SetPrice(units=3, price_minor=20_00), only("A")),
    offer("tenth", PercentOff(basis_points_off=1_000), only("B")),
    offer("net", AmountOff(off_minor=1_11), net=True),
    offer("round", RoundDown(step_minor=5), rank=9),
    offer("reward", AmountOff(off_minor=3_33), costs_points=70),
)
GOODS = (
    told.Article(sku="A", price_minor=8_99, tax_class="standard"),
    told.Article(sku="B", price_minor=12_34, tax_class="excluded"),
    told.Article(sku="C", price_minor=5_00, tax_class="standard", no_points=True),
)


def shop_of(policy, points, wallet):
    rules = programme(
        *OFFERS,
        tax_classes=CLASSES,
        earning=earning(points=3),
        redemption=(
            Redemption(id="pay", points_per_block=10, value_per_block_minor=9),
            Redemption(
                id="lower",
                points_per_block=10,
                value_per_block_minor=7,
                treatment=Treatment.PRICE_REDUCTION,
            ),
        ),
        stored_value=StoredValue(),
        returns=Returns(policy=policy),
        cash_rounding=CashRounding(),
    )
    lots = (
        told.StartLot(points=points, earned_on=date(2026, 1, 1), last_day=date(2027, 5, 5)),
        told.StartLot(points=90, earned_on=date(2026, 2, 1)),
    )
    member = told.Person(
        id="m", lots=lots, principal_minor=wallet, bonus_minor=wallet // 2, referred_by=""
    )
    scenario = Scenario(
        at=datetime(2026, 11, 22, 12),  # noqa: DTZ001 - a wall clock
        goods=GOODS,
        steps=(),
        programme=rules,
        members=(member,),
    )
    return open_shop(scenario)


def balances(shop):
    account = shop.accounts["m"]
    return (
        {lot.lot: lot.points for lot in account.lots if lot.points},
        account.wallet,
        sum(one.spend_minor for one in account.spending),
        sum(one.growth for one in account.spending),
        shop.drawer,
    )


def sell(shop, bought, data):
    do(shop, told.SetMember(member="m"))
    for number, (sku, units) in enumerate(bought):
        do(shop, told.Add(goods=sku, units=units, line=str(number)))
    if data.draw(st.booleans()):
        do(shop, told.Reward(offer="reward"))
    if data.draw(st.integers(0, 3)) == 0:
        amount = data.draw(st.integers(1, 9_99))
        do(shop, told.Discount(amount_minor=amount, basis_points=data.draw(st.integers(0, 900))))
    if data.draw(st.booleans()):
        with contextlib.suppress(DomainError):
            rule = data.draw(st.sampled_from(["pay", "lower"]))
            do(shop, told.SpendPoints(points=data.draw(st.integers(1, 150)), rule=rule))
    tenders = data.draw(st.permutations(["stored-value", "card"]))
    for tender in tenders[: data.draw(st.integers(0, 2))]:
        due, _ = shop.due(shop.quote())
        most = min(due, shop.accounts["m"].wallet.total) if tender == "stored-value" else due
        if amount := data.draw(st.integers(0, most)):
            do(shop, told.Pay(tender=tender, amount_minor=amount))
    do(shop, told.Pay())
    with contextlib.suppress(DomainError):
        do(shop, told.Complete(sale="s"))
    return shop.sold.get("s")


def paid_back(sold):
    return sum(refund.amount for one in sold.returns for refund in one.refunds)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4)), min_size=1, max_size=4),
    st.sampled_from(list(ReturnPolicy)),
    st.integers(0, 400),
    st.integers(0, 30_00),
    st.data(),
)
def test_everything_returned_in_any_parts_restores_every_account(
    bought, policy, points, wallet, data
):
    shop = shop_of(policy, points, wallet)
    before = balances(shop)
    sold = sell(shop, bought, data)
    if sold is None:
        return
    given_back = 0
    left = [str(number) for number, (_, units) in enumerate(bought) for _ in range(units)]
    for line in data.draw(st.permutations(left)):
        if sold.total_minor > sold.refunded_minor and data.draw(st.integers(0, 9)) == 0:
            amount = data.draw(st.integers(1, sold.total_minor - sold.refunded_minor))
            do(shop, later.RefundAmount(sale="s", amount_minor=amount))
            given_back += shop.refund.amount_minor
        do(shop, later.Return(sale="s", lines=(later.Units(line=line, units=1),)))
        assert shop.refund.amount_minor >= 0
        given_back += shop.refund.amount_minor
        assert given_back == sold.refunded_minor <= sold.total_minor
    assert given_back == sold.total_minor
    assert paid_back(sold) == sum(one.amount for one in sold.fact.tenders)
    assert balances(shop) == before


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4)), min_size=1, max_size=4),
    st.sampled_from(list(ReturnPolicy)),
    st.data(),
)
def test_the_order_of_partial_returns_does_not_matter(bought, policy, data):
    left = [str(number) for number, (_, units) in enumerate(bought) for _ in range(units)]
    back = data.draw(
        st.lists(st.sampled_from(left), max_size=len(left)).filter(
            lambda some: all(some.count(one) <= left.count(one) for one in some)
        )
    )
    ends = []
    for order in (back, data.draw(st.permutations(back))):
        shop = shop_of(policy, 0, 0)
        do(shop, told.SetMember(member="m"))
        for number, (sku, units) in enumerate(bought):
            do(shop, told.Add(goods=sku, units=units, line=str(number)))
        do(shop, told.Pay())
        do(shop, told.Complete(sale="s"))
        for line in order:
            do(shop, later.Return(sale="s", lines=(later.Units(line=line, units=1),)))
        ends.append((shop.sold["s"].refunded_minor, balances(shop)))
    if policy is ReturnPolicy.LINE_SHARES:
        assert ends[0] == ends[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_an_exchange_is_a_return_and_a_sale(first, second, data):
    units = data.draw(st.integers(1, first))
    together, apart = (shop_of(ReturnPolicy.LINE_SHARES, 0, 0) for _ in range(2))
    for shop in (together, apart):
        do(shop, told.SetMember(member="m"))
        do(shop, told.Add(goods="B", units=first, line="b"))
        do(shop, told.Pay())
        do(shop, told.Complete(sale="s"))
    back = (later.Units(line="b", units=units),)
    do(apart, later.Return(sale="s", lines=back))
    for shop in (together, apart):
        do(shop, told.SetMember(member="m"))
        do(shop, told.Add(goods="A", units=second))
        if shop is together:
            do(shop, later.Exchange(sale="s", lines=back))
        do(shop, told.Pay())
        do(shop, told.Complete(sale="n"))
    assert balances(together) == balances(apart)
