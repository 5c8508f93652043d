"""What was handed over for a sale: due, rounding and change agree, whatever coins there are."""

from hypothesis import given
from hypothesis import strategies as st

from shared.loyalty.programme import CashRounding
from shared.money import Rounding
from shared.pricing.cash import Handed
from tests.pricing_builders import programme

AMOUNTS = st.integers(0, 3_000)


@given(
    due=st.integers(1, 3_000),
    cash=AMOUNTS,
    others=AMOUNTS,
    more=st.integers(1, 12) | st.integers(1, 3_000),
    step=st.sampled_from([1, 5, 10, 100]),
    rounding=st.sampled_from(list(Rounding)),
)
def test_change_settles_a_sale_and_is_less_than_a_coin_away_from_what_was_too_much(
    due: int, cash: int, others: int, more: int, step: int, rounding: Rounding
) -> None:
    rules = programme(cash_rounding=CashRounding(step_minor=step, rounding=rounding))
    before = Handed(cash=cash, others=others, moves_cash=cash > 0)
    total = others + cash + due
    assert before.due(total) == due
    given_now = due + more
    change = before.change_for(given_now, total, rules)
    after = Handed(cash=cash, others=others + given_now - change, change=change, moves_cash=True)
    assert 0 <= change <= more + step
    assert abs(change - more) < step
    assert after.rounding(total, rules) == given_now - change - due
    assert after.fits(total, rules)
