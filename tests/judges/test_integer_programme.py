"""The price engine before an integer programme: the solver knows no phases, sets or search.

It is given the goods and the offers in plain figures. ``python -m tests.judges.integer_programme``
goes on beyond these seeds.
"""

from random import Random

import pytest

from shared.pricing import engine
from shared.pricing.engine import price
from shared.pricing.search import Choice
from tests.judges.integer_programme.as_programme import as_basket, as_programme
from tests.judges.integer_programme.families import COMPETING, FAMILIES
from tests.judges.integer_programme.model import lowest_total, most_of_one
from tests.judges.integer_programme.plain_case import AnyFor, Article, PlainCase, Stepped
from tests.judges.integer_programme.solver import Model

CASES, RANGE = 250, 250
RANGES = range(0, CASES, RANGE)
SEVEN = Article("A", 10_00, 7)
THREE_FOR, TWO_FOR = AnyFor("three", ("A",), 3, 18_00), AnyFor("two", ("A",), 2, 13_00)


def cases(family, first):
    return [(seed, family(Random(seed))) for seed in range(first, first + RANGE)]


@pytest.mark.parametrize("first", RANGES)
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_total_is_the_optimum_of_the_solver(family, first):
    for seed, case in cases(family, first):
        quote = price(as_basket(case), as_programme(case))
        assert quote.is_best_price, seed
        assert (seed, quote.total_minor) == (seed, lowest_total(case, freely=False))


@pytest.mark.parametrize("family", COMPETING.values(), ids=COMPETING)
def test_no_total_is_lower_than_any_choice_of_sets_and_units_could_give(family):
    for seed, case in cases(family, CASES):
        quote = price(as_basket(case), as_programme(case))
        assert quote.total_minor >= lowest_total(case, freely=True), seed


def test_the_solver_finds_what_can_be_reckoned_by_hand():
    case = PlainCase((SEVEN,), (THREE_FOR, TWO_FOR))
    # Once three for 18.00, twice two for 13.00.
    assert lowest_total(case, freely=True) == 44_00
    assert most_of_one(case, THREE_FOR) == 24_00
    assert most_of_one(case, TWO_FOR) == 21_00
    ladder = Stepped("ladder", ("A",), ((58_00, 20_00),))
    # Two sets would leave 46.00; one leaves 58.00, which the ladder takes 20.00 off.
    assert lowest_total(PlainCase((SEVEN,), (THREE_FOR,), (ladder,)), freely=True) == 38_00
    assert lowest_total(PlainCase((SEVEN,), (THREE_FOR,), (ladder,)), freely=False) == 38_00
    nine = AnyFor("nine", ("A",), 3, 18_00, limit=2)
    assert lowest_total(PlainCase((SEVEN,), (nine,), ()), freely=False) == 46_00


def test_the_solver_knows_when_nothing_can_be_chosen():
    assert Model().highest({}) == 0
    model = Model()
    one = model.variable(5)
    model.at_most({one: 2}, 7)
    model.at_least({one: 1}, 1)
    assert model.highest({one: 3}) == 9


def test_an_engine_that_takes_no_offers_is_found_out(monkeypatch):
    monkeypatch.setattr(engine, "best_choice", lambda *_: Choice((), is_proved=True))
    for family in FAMILIES.values():
        wrong = [
            seed
            for seed, case in cases(family, 0)
            if price(as_basket(case), as_programme(case)).total_minor
            != lowest_total(case, freely=False)
        ]
        assert len(wrong) > RANGE // 2
