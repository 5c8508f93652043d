"""What is lawful and hardly meant is told with its place; the command tells errors first."""

import re
from datetime import date, time
from importlib.resources import files

import msgspec
import pytest

from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.advice import advice
from shared.loyalty.bundle import TEMPLATES, load_programme, programme_bytes, template
from shared.loyalty.conditions import AllOf, Dates, Stores, Weekly
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import (
    Bundle,
    BundlePart,
    FixedPrice,
    Gift,
    Ladder,
    PercentLadder,
    PercentOff,
    PercentStep,
    Step,
)
from shared.loyalty.offers import Group, GroupMode
from shared.loyalty.programme import InTotal
from tests.pricing_builders import goods, offer, only, programme
from tests.support.command_line import run_evertill

TODAY = date(2026, 11, 25)
TENTH = PercentOff(basis_points_off=1_000)
CATALOGUE = [goods("A", 10_00, cost_minor=9_50), goods("B", 10_00, cost_minor=5_00)]


def codes(*offers, catalogue=(), **more):
    found = list(advice(programme(*offers, **more), TODAY, catalogue))
    for error in found:
        for language in Language:
            assert words(language)(f"error.{error.code}", **error.fields)
    return [error.code.removeprefix("advice-") for error in found]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_templates_need_no_advice_and_speak_both_languages(name):
    programme = template(name)
    assert list(advice(programme, TODAY)) == []
    assert programme_bytes(load_programme(programme_bytes(programme))) == programme_bytes(programme)
    named = (programme, *programme.offers, *programme.tiers.ladder, *programme.earning.rules)
    for one in named:
        assert re.search("[\u4e00-\u9fff]", one.names.zh)
        assert one.names.en
        assert not re.search("[\u4e00-\u9fff]", one.names.en)


def test_every_template_there_is_can_be_named():
    folder = files("shared.programmes")
    there_are = {file.name for file in folder.iterdir() if file.name.endswith(".json")}
    assert there_are == {f"{name}.json" for name in TEMPLATES}
    with pytest.raises(DomainError, match="unknown-template"):
        template("bank")


@pytest.mark.parametrize(
    "condition",
    [
        Dates(first=date(2026, 1, 1), last=date(2026, 11, 24)),
        AllOf(of=(Dates(first=date(2026, 1, 1), last=date(2026, 11, 24)),)),
    ],
)
def test_an_offer_that_is_over(condition):
    assert codes(offer("o", TENTH, conditions=(condition,))) == ["offer-over"]


@pytest.mark.parametrize(
    "conditions",
    [
        (Weekly(start=time(20), end=time(8)),),
        (Weekly(weekdays=()),),
        (Stores(stores=()),),
        (
            Dates(first=date(2027, 1, 1), last=date(2027, 1, 31)),
            Dates(first=date(2027, 2, 1), last=date(2027, 2, 28)),
        ),
    ],
)
def test_an_offer_that_never_applies(conditions):
    assert codes(offer("o", TENTH, conditions=conditions)) == ["offer-never"]


def test_groups_that_change_nothing():
    groups = (Group(id="one", mode=GroupMode.ONE), Group(id="none", mode=GroupMode.ADD))
    assert codes(offer("o", TENTH, group="one"), groups=groups) == ["group-of-one", "group-unused"]


def test_steps_beyond_a_cap():
    ladder = Ladder(
        steps=tuple(Step(threshold_minor=n * 100_00, off_minor=n * 20_00) for n in (1, 2, 3))
    )
    assert codes(offer("o", ladder, at_most_minor=40_00)) == ["step-unreachable"]
    percents = PercentLadder(
        steps=(
            PercentStep(threshold_minor=100_00, basis_points_off=1_000),
            PercentStep(threshold_minor=200_00, basis_points_off=2_000),
        )
    )
    assert codes(offer("o", percents, at_most_minor=10_00)) == ["step-unreachable"]
    assert codes(offer("o", percents, at_most_minor=40_00)) == []


def test_a_tier_that_nobody_will_hold():
    tiers = template("default").tiers
    silver, gold = tiers.ladder[1], tiers.ladder[2]
    gold = msgspec.structs.replace(gold, reached_by=(InTotal(spend_minor=400_00),))
    ladder = (tiers.ladder[0], silver, gold)
    found = codes(tiers=msgspec.structs.replace(tiers, ladder=ladder))
    assert found == ["tier-skipped"]


def test_goods_that_are_not_there_and_prices_below_cost():
    bundle = Bundle(parts=(BundlePart(goods=only("A")), BundlePart(goods=only("X"))), off_minor=1)
    assert codes(offer("o", bundle), catalogue=CATALOGUE) == ["no-goods"]
    assert codes(offer("o", Gift(choices=("A", "CUP"))), catalogue=CATALOGUE) == ["unknown-gift"]
    assert codes(offer("o", TENTH), catalogue=CATALOGUE) == ["below-cost"]
    assert codes(offer("o", FixedPrice(price_minor=4_99)), catalogue=CATALOGUE) == [
        "below-cost",
        "below-cost",
    ]
    assert codes(offer("o", TENTH, GoodsSet(skus=("B",))), catalogue=CATALOGUE) == []


def test_the_command_ends_by_what_it_found(monkeypatch, capsys, tmp_path):
    file = tmp_path / "programme.json"

    def check(*options):
        return run_evertill(
            monkeypatch, capsys, "programme", "check", str(file), "--on", "2026-11-25", *options
        )

    file.write_bytes(programme_bytes(template("default")))
    assert check().code == 0

    over = offer("o", TENTH, conditions=(Dates(first=date(2026, 1, 1), last=date(2026, 1, 2)),))
    file.write_bytes(programme_bytes(programme(over)))
    done = check("--json")
    assert done.code == 1
    assert [one["rule"] for one in msgspec.json.decode(done.out)["advice"]] == ["offers/o"]

    broken = offer("o", TENTH, group="nowhere", version=0)
    file.write_bytes(programme_bytes(programme(broken)))
    done = check()
    assert done.code == 2
    assert done.out.count("error:") == 2

    catalogue = tmp_path / "goods.json"
    catalogue.write_bytes(msgspec.json.encode(CATALOGUE))
    file.write_bytes(programme_bytes(programme(offer("o", TENTH))))
    assert "would cost 9.00" in check("--goods", str(catalogue)).out

    file.write_text("nonsense", encoding="utf-8")
    done = check()
    assert (done.code, "cannot be read" in done.err) == (2, True)


def test_the_schema_is_for_editors(monkeypatch, capsys):
    done = run_evertill(monkeypatch, capsys, "programme", "schema")
    assert done.code == 0
    assert "NthItem" in msgspec.json.decode(done.out)["$defs"]
