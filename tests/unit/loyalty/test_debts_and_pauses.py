"""Debts that live points pay, lots told of by several entries, pauses that cost points."""

from datetime import date
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import LotId, MemberId
from shared.ledger.lot import LotTerms
from shared.loyalty.lots import DEBT, Lot, paying_debts
from shared.loyalty.programme import Expiry
from shared.loyalty.usable import usable
from tests.pricing_builders import programme

TODAY = date(2026, 3, 1)
LI = MemberId("li")


@st.composite
def some_lots(draw):
    days = st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 1))
    found = [
        Lot(
            lot=LotId(f"lot{n}"),
            points=draw(st.integers(-50, 100)),
            earned_on=date(2026, 1, 1),
            last_day=draw(days),
        )
        for n in range(draw(st.integers(0, 5)))
    ]
    debt = draw(st.integers(-200, 0))
    return [*found, Lot(lot=DEBT, points=debt, earned_on=date.min)] if debt else found


@given(lots=some_lots(), backs=st.lists(st.integers(0, 30), min_size=5, max_size=5))
def test_what_pays_debts_is_neither_made_nor_lost(lots, backs):
    short = [lot for lot in lots if lot.points < 0 and lot.lot != DEBT]
    back = {lot.lot: min(n, -lot.points) for lot, n in zip(short, backs, strict=False) if n}
    moved = paying_debts(lots, TODAY, back)
    assert sum(moved.values()) == 0
    after = {lot.lot: lot.points + moved.get(lot.lot, 0) for lot in lots}
    after.setdefault(DEBT, moved.get(DEBT, 0))
    alive = {lot.lot for lot in lots if lot.is_alive(TODAY)}
    # Nothing that is alive is left beside something owed; what has lapsed stays as it is.
    assert not any(after[lot] > 0 for lot in alive) or all(n >= 0 for n in after.values())
    for lot in lots:
        if lot.points > 0 and lot.lot not in alive:
            assert lot.lot not in moved
        if lot.points >= 0:
            assert 0 <= after[lot.lot] <= lot.points


def test_nobody_who_owes_nothing_pays():
    assert paying_debts([Lot(lot=LotId("a"), points=5, earned_on=TODAY)], TODAY) == {}


@given(
    opened=st.none() | st.sampled_from(["2026-01-05", "2026-02-20", "2026-03-09"]),
    graces=st.lists(st.sampled_from(["2026-02-01", "2026-03-01", "2026-04-01"]), max_size=3),
)
def test_a_lot_is_the_same_whichever_entry_comes_first(opened, graces):
    own = LotTerms(LotId("a"), LI, "2026-01-01", opened)
    told = [own, *(LotTerms(LotId("a"), MemberId("other"), "", day) for day in graces)]
    for order in permutations(told):
        found = order[0]
        for one in order[1:]:
            found = found.joined(one)
        assert found == own._replace(expires_on=opened and max([opened, *graces]))


def test_points_are_lost_in_each_pause_and_not_by_the_last_one_alone():
    rules = programme(expiry=Expiry(inactive_days=30))
    days = [date(2026, 1, 1), date(2026, 1, 20), date(2026, 3, 1), date(2026, 3, 10)]
    lots = [Lot(lot=LotId(day.isoformat()), points=1, earned_on=day) for day in days]
    ends = {lot.earned_on: lot.last_day for lot in usable(lots, rules, reversed(days))}
    first_pause, last = date(2026, 2, 19), date(2026, 4, 9)
    assert [ends[day] for day in days] == [first_pause, first_pause, last, last]
    assert [lot.last_day for lot in usable(lots, programme(), days)] == [None] * 4
