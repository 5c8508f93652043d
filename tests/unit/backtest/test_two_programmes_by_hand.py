"""Six baskets and two returns under two programmes: every figure below was worked out by hand.

Old: 10% off everything, 1 point per 1.00 that lapses after 30 days. New: 20 off 100, B at half its
price (paid by the supplier), 2 points per 1.00 that never lapse. 100 points pay 1.00; 85.00 in one
sale make Silver; tax is 13% in the price.

    day            bought       old: paid, tax, points    new: paid, tax, points
    5 Jan  one     2 A 200.00   180.00  20.71  180        180.00  20.71  360
    6 Jan  two     1 B  30.00    27.00   3.11   27         15.00   1.73   30
    7 Jan  three   1 C  90.00    81.00   9.32   81         90.00  10.35  180
    8 Jan  nobody  A, B 130.00  117.00  13.46               95.00  10.93
    9 Jan  nobody  B back, no sale known: 30.00, tax 3.45, under both
    10 Jan four    1 D  50.00    50.00   5.75    0         50.00   5.75    0
    14 Jan one     1 A back      90.00  10.36   90         90.00  10.36  180
    20 Feb two     1 A 100.00    90.00  10.35   90         80.00   9.20  160
"""

from datetime import date

import pytest

from shared.backtest.comparing import Comparison
from shared.backtest.events import BroughtBack
from shared.backtest.figures import Figures
from shared.backtest.result import FundingRow, PeriodRow, PeriodUnit
from shared.loyalty.effects import Ladder, PercentOff, Step
from shared.loyalty.programme import Expiry, InOneSale, Programme, Redemption, Tier, Tiers
from tests.backtest_builders import bought, came_back, compared, on
from tests.pricing_builders import earning, goods, line, names, offer, only, programme

A = goods("A", 100_00, cost_minor=60_00)
B = goods("B", 30_00)
C = goods("C", 90_00)
D = goods("D", 50_00, no_discount=True, no_points=True)
LAST = 46
"""20 February."""

EVENTS = [
    bought("1", "one", 0, line(A, 2)),
    bought("2", "two", 1, line(B)),
    bought("3", "three", 2, line(C)),
    bought("4", "", 3, line(A), line(B)),
    BroughtBack(at=on(4), loose=(line(B),)),
    bought("5", "four", 5, line(D)),
    came_back("1", 9),
    bought("6", "two", LAST, line(A)),
]


def with_points(*offers, per: int, expiry: Expiry | None) -> Programme:
    silver = Tier(id="silver", names=names("Silver"), reached_by=(InOneSale(spend_minor=85_00),))
    return programme(
        *offers,
        earning=earning(points=per),
        expiry=expiry,
        redemption=Redemption(points_per_block=100, value_per_block_minor=1_00),
        tiers=Tiers(ladder=(Tier(id="member", names=names("Member")), silver)),
    )


OLD = with_points(offer("tenth", PercentOff(basis_points_off=1000)), per=1, expiry=Expiry(days=30))
NEW = with_points(
    offer("ladder", Ladder(steps=(Step(threshold_minor=100_00, off_minor=20_00),))),
    offer("half", PercentOff(basis_points_off=5000), only("B"), funded_by="supplier"),
    per=2,
    expiry=None,
)


@pytest.fixture(scope="module")
def outcome() -> Comparison:
    """Both programmes played."""
    return compared(OLD, NEW, EVENTS, until=LAST)


def test_every_figure_of_the_old_programme(outcome):
    assert outcome.result.old.figures == Figures(
        baskets=6,
        member_baskets=5,
        lines=7,
        returns=2,
        gross_minor=470_00,
        discount_minor=45_00,
        revenue_minor=425_00,
        tax_minor=48_89,
        net_minor=376_11,
        loose_minor=30_00,
        # A: 159.29 less 79.64 of the one that came back, 79.65, and 79.65 beside B.
        costed_net_minor=238_95,
        cost_minor=180_00,
        points_issued=378,
        points_taken_back=90,
        # 90 of one and 27 of two on 5 February, 81 of three: what was bought within the 30 days.
        points_expired=198,
        points_live=90,
    )
    old = outcome.result.old
    assert (old.liability_minor, old.points_cost_minor, old.margin_minor) == (90, 90, 58_95)
    assert (old.discount_basis_points, old.breakage_basis_points) == (957, 5238)


def test_every_figure_of_the_new_programme(outcome):
    assert outcome.result.new.figures == Figures(
        baskets=6,
        member_baskets=5,
        lines=7,
        returns=2,
        gross_minor=470_00,
        discount_minor=80_00,
        revenue_minor=390_00,
        tax_minor=44_86,
        net_minor=345_14,
        loose_minor=30_00,
        costed_net_minor=79_65 + 73_11 + 70_80,
        cost_minor=180_00,
        points_issued=730,
        points_taken_back=180,
        points_live=550,
    )
    new = outcome.result.new
    assert (new.liability_minor, new.points_cost_minor, new.margin_minor) == (5_50, 5_50, 43_56)
    assert (new.discount_basis_points, new.breakage_basis_points) == (1702, 0)


def test_every_offer_and_who_bears_it(outcome):
    told = [
        (one.offer, one.times, one.baskets, one.members, one.discount_minor, one.share_basis_points)
        for side in (outcome.result.old, outcome.result.new)
        for one in side.offers
    ]
    assert told == [
        ("tenth", 5, 5, 3, 45_00, 10_000),
        ("ladder", 3, 3, 2, 50_00, 6250),
        ("half", 2, 2, 1, 30_00, 3750),
    ]
    assert outcome.result.new.funding == (
        FundingRow(funded_by="shop", discount_minor=50_00, share_basis_points=6250),
        FundingRow(funded_by="supplier", discount_minor=30_00, share_basis_points=3750),
    )


def test_each_member_wins_or_loses_what_discount_and_points_give(outcome):
    told = [
        (row.member, row.old.benefit_minor, row.new.benefit_minor, row.change_minor)
        for row in outcome.members
    ]
    assert told == [
        # 13.00 off and 90 points; 35.00 off and 190 points.
        ("two", 13_90, 36_90, 23_00),
        # 10.00 off and points that lapsed; 10.00 off and 180 points.
        ("one", 10_00, 11_80, 1_80),
        ("four", 0, 0, 0),
        # 9.00 off and points that lapsed; 180 points.
        ("three", 9_00, 1_80, -7_20),
    ]
    members = outcome.result.members
    assert (members.winners, members.losers, members.unchanged) == (2, 1, 1)
    assert (members.gain_minor, members.loss_minor) == (24_80, 7_20)
    assert [row.member for row in members.most] == ["two", "one"]
    assert [row.member for row in members.least] == ["three"]


def test_members_move_between_the_tiers_of_both_programmes(outcome):
    # Silver by one sale of 85.00: one (90.00 are left) under both, two by 90.00 under the old one,
    # three by 90.00 under the new one.
    assert outcome.result.tiers.members == ((1, 1), (1, 1))
    assert {row.member: (row.old.tier, row.new.tier) for row in outcome.members} == {
        "one": ("silver", "silver"),
        "two": ("silver", "member"),
        "three": ("member", "silver"),
        "four": ("member", "member"),
    }


def test_revenue_and_discounts_week_by_week(outcome):
    def week(first: date, baskets: int, *, old: tuple[int, int], new: tuple[int, int]) -> PeriodRow:
        return PeriodRow(
            first=first,
            baskets=baskets,
            old_revenue_minor=old[0],
            old_discount_minor=old[1],
            new_revenue_minor=new[0],
            new_discount_minor=new[1],
        )

    assert outcome.result.period_unit is PeriodUnit.WEEK
    assert outcome.result.periods == (
        week(date(2026, 1, 5), 5, old=(425_00, 45_00), new=(400_00, 70_00)),
        week(date(2026, 1, 12), 0, old=(-90_00, -10_00), new=(-90_00, -10_00)),
        week(date(2026, 2, 16), 1, old=(90_00, 10_00), new=(80_00, 20_00)),
    )
