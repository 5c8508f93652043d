"""Which lots are spent first, where taken-back points come from, and when points lapse."""

from datetime import date

import pytest

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.calendar import add_months, last_day
from shared.loyalty.lots import DEBT, Lot, claw_back, draw, spendable
from shared.loyalty.programme import EndOf, Expiry, Floor
from shared.loyalty.returns import points_to_lots

TODAY = date(2026, 11, 22)


def lot(name: str, points: int, earned: str = "2026-01-01", until: str | None = None) -> Lot:
    return Lot(
        lot=LotId(name),
        points=points,
        earned_on=date.fromisoformat(earned),
        last_day=date.fromisoformat(until) if until else None,
    )


def drawn(draws) -> list[tuple[str, int]]:
    return [(one.lot, one.points) for one in draws]


LOTS = [
    lot("never", 50),
    lot("later", 50, "2026-03-01", "2027-12-31"),
    lot("young", 50, "2026-02-01", "2026-12-31"),
    lot("old", 50, "2026-01-01", "2026-12-31"),
    lot("lapsed", 50, "2025-01-01", "2026-11-21"),
]


def test_points_are_drawn_by_earliest_expiry_then_oldest():
    assert drawn(draw(LOTS, 170, TODAY)) == [
        ("old", 50),
        ("young", 50),
        ("later", 50),
        ("never", 20),
    ]


def test_points_can_be_spent_on_their_last_day_and_not_after():
    one = [lot("a", 10, until="2026-11-22")]
    assert spendable(one, TODAY) == 10
    assert spendable(one, date(2026, 11, 23)) == 0


def test_more_than_can_be_spent_is_refused_and_debt_counts_against_it():
    lots = [*LOTS, lot(DEBT, -30)]
    assert spendable(lots, TODAY) == 170
    with pytest.raises(DomainError) as refused:
        draw(lots, 171, TODAY)
    assert (refused.value.code, refused.value.fields["balance"]) == ("points-not-enough", 170)


def test_a_claw_back_takes_its_own_lot_then_the_earliest_expiry_then_debt():
    taken = claw_back(LOTS, 250, of_sale=LotId("later"), today=TODAY)
    assert drawn(taken.draws) == [
        ("later", 50),
        ("old", 50),
        ("young", 50),
        ("never", 50),
        ("debt", 50),
    ]


def test_what_has_lapsed_of_its_own_lot_bears_a_claw_back_before_points_of_others():
    lots = [lot("own", 40, until="2026-11-21"), lot("gone", 70, until="2026-11-21"), lot("a", 30)]
    taken = claw_back(lots, 60, of_sale=LotId("own"), today=TODAY)
    assert drawn(taken.draws) == [("own", 40), ("a", 20)]


def test_a_programme_may_stop_at_zero_and_forgive_the_rest():
    taken = claw_back([lot("a", 10)], 25, of_sale=LotId("a"), today=TODAY, floor=Floor.ZERO)
    assert (drawn(taken.draws), taken.points, taken.forgiven) == ([("a", 10)], 10, 15)


def test_points_given_back_fill_the_lots_as_if_they_had_never_been_drawn():
    draws = draw(LOTS, 120, TODAY)
    first, second = points_to_lots(60, draws, before=0), points_to_lots(60, draws, before=60)
    assert drawn(first) == [("later", 20), ("young", 40)]
    assert drawn(second) == [("young", 10), ("old", 50)]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
    ],
)
def test_months_end_on_the_last_day_a_month_has(day, months, expected):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("expiry", "expected"),
    [
        (None, None),
        (Expiry(days=30), date(2026, 3, 2)),
        (Expiry(months=1), date(2026, 2, 28)),
        (Expiry(months=1, end_of=EndOf.MONTH), date(2026, 2, 28)),
        (Expiry(end_of=EndOf.YEAR), date(2026, 12, 31)),
        (Expiry(months=12, end_of=EndOf.YEAR), date(2027, 12, 31)),
    ],
)
def test_the_last_day_of_points_earned_on_31_january(expiry, expected):
    assert last_day(date(2026, 1, 31), expiry) == expected
