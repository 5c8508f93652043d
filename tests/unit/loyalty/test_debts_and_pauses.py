"""Debts that live points pay, lots told of by several entries, pauses that cost points."""

from collections import Counter
from dataclasses import replace
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


def moved_by(lots, moved):
    """The lots after it; a debt that was none before stands among them."""
    known = {lot.lot: lot for lot in lots}
    if DEBT in moved and DEBT not in known:
        known[DEBT] = Lot(lot=DEBT, points=0, earned_on=date.min)
    return [replace(one, points=one.points + moved.get(one.lot, 0)) for one in known.values()]


@given(lots=some_lots())
def test_what_pays_debts_is_neither_made_nor_lost(lots):
    moved = paying_debts(lots, TODAY)
    assert sum(moved.values()) == 0
    after = {lot.lot: lot.points for lot in moved_by(lots, moved)}
    alive = [lot for lot in lots if lot.is_alive(TODAY)]
    # Nobody has live points beside a debt; what has lapsed, or is below zero, stays as it is.
    assert after.get(DEBT, 0) == 0 or not any(after[lot.lot] for lot in alive)
    for lot in lots:
        if lot.lot != DEBT and lot not in alive:
            assert lot.lot not in moved
        if lot.points >= 0:
            assert 0 <= after[lot.lot] <= lot.points


@given(lots=some_lots(), order=st.permutations(range(6)), spent=st.integers(0, 60))
def test_who_pays_in_the_end_does_not_depend_on_what_came_first(lots, order, spent):
    """Also where a till that did not know of it has drawn on a lot meanwhile."""
    lots = [replace(lot, last_day=lot.last_day and max(lot.last_day, TODAY)) for lot in lots]
    known, paid = [], Counter()
    for number in order:
        known += lots[number : number + 1]
        moved = paying_debts(known, TODAY, paid)
        known = moved_by(known, moved)
        paid.subtract({lot: points for lot, points in moved.items() if lot != DEBT})
    drawn = {lots[0].lot: -spent} if lots and lots[0].lot != DEBT else {}
    known = moved_by(known, drawn)
    known = moved_by(known, paying_debts(known, TODAY, paid))
    at_once = moved_by(lots, drawn)
    at_once = moved_by(at_once, paying_debts(at_once, TODAY))
    assert {lot.lot: lot.points for lot in known if lot.points} == {
        lot.lot: lot.points for lot in at_once if lot.points
    }


def test_what_paid_before_it_lapsed_stays_paid():
    gone = Lot(lot=LotId("a"), points=0, earned_on=date(2026, 1, 1), last_day=date(2026, 2, 1))
    debt = Lot(lot=DEBT, points=0, earned_on=date.min)
    new = Lot(lot=LotId("b"), points=9, earned_on=TODAY)
    assert paying_debts([gone, debt, new], TODAY, {LotId("a"): 5}) == {}
    # Drawn on since: what is missing is owed again, and paid by what is there.
    drawn = replace(gone, points=-2)
    assert paying_debts([drawn, debt, new], TODAY, {LotId("a"): 5}) == {"a": 2, "b": -2}


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
