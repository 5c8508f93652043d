"""The price engine before brute force: no lawful combination of offers costs the customer less.

The judge reckons amounts, conditions and effects by itself from the programme page, unit by unit,
and looks at every lawful order of every lawful subset of offers. ``python -m
tests.judges.brute_force`` goes on beyond these seeds; planted bugs are looked for in more of them.
"""

import os
from collections import Counter

import msgspec
import pytest

from shared.loyalty import effects
from shared.loyalty.offers import GroupMode
from shared.loyalty.validation import problems
from shared.pricing import engine
from shared.pricing.search import Choice
from shared.workbench.expecting import unlike
from shared.workbench.playing import play
from shared.workbench.scenario import read_scenario
from tests.judges.brute_force.cases import case_of
from tests.judges.brute_force.judging import lowest_total, objections
from tests.judges.brute_force.lawful import Offering
from tests.judges.brute_force.worked import worked_case

CASES, RANGE = int(os.environ.get("EVERTILL_JUDGED_CASES", "3000")), 250
SOME = range(400)


@pytest.mark.parametrize("first", range(0, CASES, RANGE))
def test_no_lawful_combination_is_cheaper_and_every_share_is_right(first):
    for seed in range(first, first + RANGE):
        case = case_of(seed)
        found = list(objections(case))
        assert found == [], worked_case(case, lowest_total(case), *found)


def test_the_programmes_judged_are_ones_that_head_office_could_publish():
    for seed in SOME:
        assert list(problems(case_of(seed).programme)) == []


def test_the_cases_put_every_effect_and_group_to_work_and_make_holding_back_pay():
    at_work: Counter[object] = Counter()
    for seed in SOME:
        case = case_of(seed)
        offering = Offering(case.basket, case.programme)
        best = offering.best()
        at_work.update(type(one.attempt.offer.effect) for one in best.ways[0])
        modes = Counter(one.attempt.mode for one in best.ways[0])
        at_work.update(mode for mode, count in modes.items() if count)
        at_work["added together"] += modes[GroupMode.ADD] > 1
        at_work["given on top"] += bool(offering.given(best.ways[0]))
        at_work["held back"] += offering.in_turn() > best.left
        asked = sum(one.offer.costs_points for one in offering.attempts)
        at_work["points too few"] += asked > offering.purse > 0
        at_work["coupon"] += any(one.attempt.coupon for one in best.ways[0])
        at_work["reward"] += any(one.attempt.time for one in best.ways[0])
    kinds = effects.Discount.__args__
    wanted = [*kinds, *GroupMode, "added together", "given on top", "held back", "coupon", "reward"]
    wanted.append("points too few")
    assert {one: at_work[one] for one in wanted if at_work[one] < 5} == {}


def test_a_case_is_told_as_a_document_that_costs_the_same():
    for seed in SOME[:60]:
        case = case_of(seed)
        scenario = read_scenario(
            worked_case(case, lowest_total(case), "Tried.").encode(), is_toml=True
        )
        *_, last = play(scenario)
        assert unlike(scenario.expect, msgspec.to_builtins(last)) == []


def test_an_engine_that_takes_no_offers_is_found_out(monkeypatch):
    monkeypatch.setattr(engine, "best_choice", lambda *_: Choice((), is_proved=True))
    wrong = [seed for seed in SOME if list(objections(case_of(seed)))]
    assert len(wrong) > len(SOME) // 2
