"""Which tier a history gives, when it ends, and what is missing to the next."""

from datetime import date, timedelta

import msgspec
import pytest

from shared.loyalty.bundle import template
from shared.loyalty.programme import Fall, GrowthReached, InWindow, Tier, VisitsReached
from shared.loyalty.tiers import Spending, TierFloor, standing
from tests.pricing_builders import names

TIERS = template("default").tiers
JOINED = date(2026, 1, 31)


def spent(*sales: tuple[date, int]) -> list[Spending]:
    return [
        Spending(sale=str(number), day=day, spend_minor=amount, growth=amount // 100)
        for number, (day, amount) in enumerate(sales)
    ]


def tier(*sales: tuple[date, int], on: date | None = None, tiers=TIERS) -> str:
    return standing(spent(*sales), tiers, on or max(day for day, _ in sales)).tier


def test_a_first_sale_of_two_hundred_gives_silver():
    assert tier((JOINED, 199_99)) == "member"
    assert tier((JOINED, 200_00)) == "silver"


def test_a_thousand_within_the_year_gives_gold_until_the_last_coin_comes_back():
    later = date(2026, 9, 1)
    assert tier((JOINED, 200_00), (later, 800_00)) == "gold"
    assert tier((JOINED, 200_00), (later, 799_00)) == "silver"


def test_two_thousand_in_total_gives_gold_however_long_it_took():
    days = (date(2023, 1, 1), date(2024, 3, 1), date(2025, 6, 1))
    assert tier(*zip(days, (700_00, 700_00, 600_00), strict=True)) == "gold"
    assert tier(*zip(days, (700_00, 700_00, 599_00), strict=True)) == "silver"


def test_a_tier_reached_within_a_window_ends_with_its_validity_unless_it_holds_again():
    first, review = date(2025, 3, 10), date(2026, 3, 10)
    assert tier((first, 1000_00), on=review - timedelta(days=1)) == "gold"
    assert tier((first, 1000_00), on=review) == "silver"
    renewed = ((first, 1000_00), (date(2025, 12, 1), 999_00))
    assert tier(*renewed, on=review) == "silver"


def test_the_review_measures_the_last_window_by_the_same_condition():
    # 2,000 in total would keep gold for good, so this ladder has the window alone.
    gold = Tier(id="gold", names=names("gold"), reached_by=(InWindow(spend_minor=1000_00),))
    tiers = msgspec.structs.replace(TIERS, ladder=(TIERS.ladder[0], gold))
    sales = ((date(2025, 3, 10), 1000_00), (date(2025, 12, 1), 1000_00))
    assert tier(*sales, on=date(2027, 3, 9), tiers=tiers) == "gold"
    assert tier(*sales, on=date(2027, 3, 10), tiers=tiers) == "member"


@pytest.mark.parametrize(("fall", "lands"), [(Fall.RE_RATE, "silver"), (Fall.ONE_STEP, "gold")])
def test_after_the_grace_the_tier_falls_as_the_programme_says(fall, lands):
    tiers = msgspec.structs.replace(TIERS, grace_days=30, fall=fall)
    sales = ((date(2025, 3, 10), 400_00),)
    diamond = ((date(2025, 3, 10), 3000_00),)
    falling = msgspec.structs.replace(
        tiers,
        ladder=(
            *tiers.ladder[:2],
            msgspec.structs.replace(tiers.ladder[2], reached_by=(InWindow(spend_minor=1000_00),)),
            tiers.ladder[3],
        ),
    )
    assert tier(*sales, on=date(2030, 1, 1), tiers=falling) == "silver"
    assert tier(*diamond, on=date(2026, 4, 8), tiers=falling) == "diamond"
    assert tier(*diamond, on=date(2026, 4, 9), tiers=falling) == lands


def test_what_is_missing_and_until_when_is_said_for_every_way_up():
    found = standing(spent((JOINED, 300_00)), TIERS, date(2026, 6, 1))
    total, window = found.wanting
    assert (found.next_tier, total.missing, total.until) == ("gold", 1700_00, None)
    assert (window.missing, window.until) == (700_00, date(2027, 1, 30))
    assert found.nearest is window


def test_the_highest_tier_wants_nothing():
    found = standing(spent((JOINED, 5000_00)), TIERS, JOINED)
    assert (found.tier, found.next_tier, found.nearest) == ("diamond", "", None)


def test_a_tier_set_by_hand_is_a_floor_until_its_day():
    floor = TierFloor("gold", date(2026, 6, 30))
    assert standing([], TIERS, date(2026, 6, 30), floor).tier == "gold"
    assert standing([], TIERS, date(2026, 7, 1), floor).tier == "member"


def test_growth_and_visits_are_ways_up_too():
    regular = Tier(
        id="regular",
        names=names("regular"),
        reached_by=(GrowthReached(growth=500), VisitsReached(visits=3, months=1)),
    )
    tiers = msgspec.structs.replace(TIERS, ladder=(TIERS.ladder[0], regular))
    days = [date(2026, 5, 1) + timedelta(days=n) for n in range(3)]
    assert tier((days[0], 500_00), tiers=tiers) == "regular"
    assert tier(*((day, 1_00) for day in days), tiers=tiers) == "regular"
    assert tier(*((days[0], 1_00) for _ in range(3)), tiers=tiers) == "member"


def test_sales_after_the_day_do_not_count():
    assert tier((JOINED, 100_00), (date(2026, 5, 1), 900_00), on=JOINED) == "member"
