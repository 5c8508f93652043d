"""When a rule holds: time, place, member, goods, money and tender, joined by all, any and not."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.ids import TillId
from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
    Around,
    Birthday,
    FirstSale,
    Measured,
    Members,
    MonthDays,
    Not,
    NthVisit,
    Paying,
    Quantity,
    Segments,
    Spend,
    Stores,
    Tills,
)
from shared.loyalty.effects import AmountOff, PercentOff
from shared.pricing.basket import MemberContext, PlannedTender
from shared.pricing.conditions import around_birthday
from shared.pricing.engine import price
from shared.pricing.quote import Reason
from tests.pricing_builders import basket, goods, line, offer, only, programme, rate, tax_class

TEA, CAKE = goods("T", 10_00), goods("K", 4_00)


def holds(*conditions, bought=None, member=None, **more):
    """Whether 1.00 comes off, and why not."""
    one = offer("o", AmountOff(off_minor=1_00), conditions=conditions)
    sale = basket(*(bought or [line(TEA)]), **more)
    if member is not None:
        sale = replace(sale, member=member)
    quote = price(sale, programme(one))
    assert quote.saved_minor in (0, 1_00)
    return quote.saved_minor == 1_00


def born(month, day, year=1990):
    return date(year, month, day)


def on(month, day, year=2026):
    return {"at": datetime(year, month, day, 12, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("within", "birth", "today", "expected"),
    [
        (Around.DAY, born(11, 22), on(11, 22), True),
        (Around.DAY, born(11, 23), on(11, 22), False),
        (Around.DAY, born(2, 29, 1992), on(2, 28), True),
        (Around.DAY, born(2, 29, 1992), on(2, 28, 2028), False),
        (Around.DAY, born(2, 29, 1992), on(2, 29, 2028), True),
        (Around.WEEK, born(11, 23), on(11, 29), True),  # Monday and Sunday
        (Around.WEEK, born(11, 22), on(11, 23), False),
        (Around.WEEK, born(1, 1), on(12, 31), True),  # over the end of the year
        (Around.MONTH, born(11, 1), on(11, 30), True),
        (Around.MONTH, born(10, 31), on(11, 1), False),
    ],
)
def test_birthdays(within, birth, today, expected):
    around = around_birthday(birth, today["at"].date())
    member = MemberContext(tier="member", birthday=around)
    assert holds(Birthday(within=within), member=member, **today) is expected


def test_nobody_without_a_birthday_or_a_card_has_one():
    assert not holds(Birthday(), member=MemberContext(tier="member"))
    assert not holds(Birthday(), member=None)
    assert around_birthday(None, date(2026, 11, 22)) == ()


@pytest.mark.parametrize(
    ("visits", "today", "expected"),
    [(3, False, False), (4, False, True), (5, True, True), (5, False, False), (9, False, True)],
)
def test_every_fifth_visit(visits, today, expected):
    member = MemberContext(tier="member", visits=visits, was_here_today=today)
    assert holds(NthVisit(minimum=5, every=5), member=member) is expected


def test_segments_and_first_sales():
    member = MemberContext(tier="member", segments=("young", "vegan"))
    assert holds(Segments(segments=("vegan", "golf")), member=member)
    assert not holds(Segments(segments=("golf",)), member=member)
    assert holds(FirstSale(), member=member)
    assert not holds(FirstSale(), member=replace(member, sales=1))


def test_tills():
    assert holds(Tills(tills=("t1",)), till=TillId("t1"))
    assert not holds(Tills(tills=("t2",)), till=TillId("t1"))
    assert not holds(Tills(tills=("t1",)))


@pytest.mark.parametrize(
    ("paying", "expected"),
    [
        ((), False),
        ((PlannedTender(tender="wallet"),), True),
        ((PlannedTender(tender="cash"),), False),
        ((PlannedTender(tender="wallet", share_basis_points=4_999),), False),
        (
            (
                PlannedTender(tender="wallet", share_basis_points=3_000),
                PlannedTender(tender="card", share_basis_points=2_000),
            ),
            True,
        ),
    ],
)
def test_a_tender_that_pays_enough(paying, expected):
    condition = Paying(tenders=("wallet", "card"), share_basis_points=5_000)
    assert holds(condition, paying=paying) is expected


def test_so_many_units():
    bought = [line(TEA, 2), line(CAKE)]
    assert holds(Quantity(minimum=3), bought=bought)
    assert not holds(Quantity(minimum=2, goods=only("K")), bought=bought)
    quote = price(
        basket(*bought),
        programme(
            offer(
                "o",
                AmountOff(off_minor=1_00),
                conditions=(Quantity(minimum=3, goods=only("K")),),
            )
        ),
    )
    (told,) = quote.explanations
    assert (told.reason, told.missing_units) == (Reason.MISSING_UNITS, 2)


HERE, ELSEWHERE = Stores(stores=("s1",)), Stores(stores=("s9",))
ENOUGH, TOO_MUCH = Spend(minimum_minor=10_00), Spend(minimum_minor=10_01)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AllOf(of=(HERE, ENOUGH)), True),
        (AllOf(of=(HERE, TOO_MUCH)), False),
        (AllOf(of=(ELSEWHERE, ENOUGH)), False),
        (AnyOf(of=(ELSEWHERE, ENOUGH)), True),
        (AnyOf(of=(HERE, TOO_MUCH)), True),
        (AnyOf(of=(ELSEWHERE, TOO_MUCH)), False),
        (AnyOf(of=(ELSEWHERE, MonthDays(days=(1,)))), False),
        (Not(of=(ELSEWHERE, TOO_MUCH)), True),
        (Not(of=(HERE,)), False),
        (Not(of=(ENOUGH,)), False),
        (Not(of=(ELSEWHERE, ENOUGH)), False),
        (Not(of=(Not(of=(ENOUGH,)),)), True),
        (AnyOf(of=(AllOf(of=(HERE, Not(of=(TOO_MUCH,)))), ELSEWHERE)), True),
        (Not(of=(Members(tiers=("gold",)),)), True),
    ],
)
def test_conditions_join(condition, expected):
    assert holds(condition) is expected


def test_a_threshold_may_look_at_the_listed_price_or_at_what_is_left():
    tenth = offer("tenth", PercentOff(basis_points_off=1_000), phase=3)
    for measured, saved in ((Measured.LISTED, 2_00), (Measured.LEFT, 1_00)):
        condition = Spend(minimum_minor=10_00, measured=measured)
        off = offer("off", AmountOff(off_minor=1_00), conditions=(condition,), phase=4)
        assert price(basket(line(TEA)), programme(tenth, off)).saved_minor == saved


def test_a_threshold_on_the_net_amount():
    classes = (tax_class("standard", rate(250_000, included=True)),)
    for minimum, saved in ((8_00, 1_00), (8_01, 0)):
        off = offer(
            "off",
            AmountOff(off_minor=1_00),
            conditions=(Spend(minimum_minor=minimum, net=True),),
        )
        rules = programme(off, tax_classes=classes)
        assert price(basket(line(TEA)), rules).saved_minor == saved
