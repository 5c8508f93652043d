"""A balance that stops at zero: returns bit by bit leave what one of all leaves."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import LotId
from shared.loyalty.lots import Lot, claw_back, less
from shared.loyalty.programme import Floor
from shared.trade.fact import LotDraw

TODAY = date(2026, 11, 22)
SALE, OLDER = LotId("sale"), LotId("older")
Back = tuple[int, int]
"""Points that go back to the older lot, and those to be taken."""


def after(lots: list[Lot], returns: list[Back]) -> tuple[list[Lot], int]:
    """What is held after returns of one sale, and what they forgave."""
    forgiven = 0
    for given_back, due in returns:
        lots = less(lots, [LotDraw(lot=OLDER, points=-given_back)])
        claw = claw_back(
            lots,
            due,
            of_sale=SALE,
            today=TODAY,
            floor=Floor.ZERO,
            forgiven_before=forgiven,
        )
        forgiven, lots = claw.forgiven, less(lots, claw.draws)
    return lots, forgiven


few = st.integers(0, 60)
backs = st.lists(st.tuples(few, few), min_size=1, max_size=5)


@given(few, few, backs, st.randoms())
def test_returns_in_any_parts_and_order_leave_what_one_of_all_leaves(own, other, parts, random):
    held = [
        Lot(lot=SALE, points=own, earned_on=TODAY),
        Lot(lot=OLDER, points=other, earned_on=TODAY),
    ]
    whole = (sum(back for back, _ in parts), sum(due for _, due in parts))
    shuffled = random.sample(parts, len(parts))
    at_once, forgiven = after(held, [whole])
    for order in (parts, shuffled):
        in_parts, forgiven_in_parts = after(held, order)
        assert sum(lot.points for lot in in_parts) == sum(lot.points for lot in at_once)
        assert forgiven_in_parts == forgiven
        assert all(lot.points >= 0 for lot in in_parts)
    # No point comes from nothing: what went back, was taken and was forgiven is all there is.
    balance = sum(lot.points for lot in at_once)
    assert balance == own + other + whole[0] - (whole[1] - forgiven)


@given(few, few, few)
def test_where_the_balance_may_be_negative_nothing_is_taken_twice(own, due, forgiven):
    held = [Lot(lot=SALE, points=own, earned_on=TODAY)]
    told = claw_back(held, due, of_sale=SALE, today=TODAY, forgiven_before=forgiven)
    assert (told.points, told.forgiven) == (due, 0)
