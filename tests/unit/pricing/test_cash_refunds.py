"""Refunds of one sale in cash: rounded together, and never more than was paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.loyalty.programme import CashRounding
from shared.money import Rounding
from shared.pricing.cash import CashSettled, cash_refund, cash_rounding
from tests.pricing_builders import programme


def rounded_to(step, rounding=Rounding.HALF_UP):
    return programme(cash_rounding=CashRounding(step_minor=step, rounding=rounding))


def refunds(amounts, due, rules, paid=None):
    paid = cash_rounding(due, rules).due_minor if paid is None else paid
    due_back = paid_back = 0
    for amount in amounts:
        settled = CashSettled(due=due, paid=paid, due_back=due_back, paid_back=paid_back)
        now = cash_refund(amount, settled, rules)
        assert now.rounding_minor == now.due_minor - amount
        due_back, paid_back = due_back + amount, paid_back + now.due_minor
        yield now.due_minor


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([15, 15], [20, 10]), ([5] * 6, [10, 0, 10, 0, 10, 0]), ([4, 26], [0, 30])],
)
def test_each_refund_pays_the_difference_of_all(amounts, expected):
    assert list(refunds(amounts, 30, rounded_to(10))) == expected


@given(
    st.lists(st.integers(1, 3_00), min_size=1, max_size=6),
    st.sampled_from([1, 5, 10, 100]),
    st.sampled_from([Rounding.HALF_UP, Rounding.DOWN, Rounding.UP]),
    st.integers(0, 5),
)
def test_all_refunds_pay_out_what_was_paid_and_none_of_the_first_more(amounts, step, mode, beside):
    rules = rounded_to(step, mode)
    due = sum(amounts)
    paid = cash_rounding(due, rules).due_minor
    given_back = list(refunds(amounts, due, rules))
    assert sum(given_back) == paid
    assert all(0 <= sum(given_back[:n]) <= paid for n in range(len(amounts)))
    assert all(one % step == 0 for one in given_back)
    # What a card had paid and comes back in cash is beside that.
    more = list(refunds([*amounts, beside], due, rules))
    assert sum(more) == paid + cash_rounding(beside, rules).due_minor


def test_all_that_was_paid_goes_back_though_the_step_is_another_by_now():
    assert sum(refunds([51, 52], 103, rounded_to(100), paid=105)) == 105
