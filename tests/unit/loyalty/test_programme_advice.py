"""What is lawful and hardly meant is told with its place; the command tells errors first."""

import json
import re
from datetime import date, time
from importlib.resources import files

import msgspec
import pytest

from desktop.commands.line_of_rule import line_of_rule
from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.advice import advice
from shared.loyalty.bundle import TEMPLATES, load_programme, programme_bytes, template
from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
    Birthday,
    Dates,
    FirstSale,
    Measured,
    Members,
    MonthDays,
    Not,
    NthVisit,
    Paying,
    Quantity,
    Spend,
    Stores,
    Weekly,
)
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    BundlePart,
    FixedPrice,
    FurtherUnits,
    Gift,
    IssueCoupon,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    PercentStep,
    SetPrice,
    Step,
)
from shared.loyalty.offers import Coupon, Group, GroupMode, Limits
from shared.loyalty.programme import EndOf, Expiry, InTotal, PriceList
from tests.pricing_builders import goods, names, offer, only, programme
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
        (Weekly(weekdays=(1,), start=time(20), end=time(8)), Weekly(weekdays=(3,))),
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


SPEND = Spend(minimum_minor=100_00)
NOBODY = Not(of=(Members(),))
JANUARY = Dates(first=date(2027, 1, 1), last=date(2027, 1, 31))


@pytest.mark.parametrize(
    "conditions",
    [
        (Members(), NOBODY),
        (Birthday(), NOBODY),
        (Members(tiers=("gold",)), Members(tiers=("silver",))),
        (Members(tiers=("gold",)), Not(of=(Members(tiers=("gold", "silver")),))),
        (SPEND, Not(of=(Spend(minimum_minor=50_00),))),
        (Quantity(minimum=3), Not(of=(Quantity(minimum=3),))),
        (Stores(stores=("a",)), Stores(stores=("b",))),
        (Stores(stores=("a",)), Not(of=(Stores(stores=("a", "b")),))),
        (FirstSale(), NthVisit(minimum=2)),
        (Paying(tenders=("cash",)), Paying(tenders=("card",), share_basis_points=1)),
        (AnyOf(of=(Members(), Birthday())), NOBODY),
        (Not(of=(AnyOf(of=(SPEND, NOBODY)),)), SPEND),
        (Not(of=(AllOf(of=(SPEND, Members())),)), SPEND, Birthday()),
        (JANUARY, MonthDays(days=(31,)), Weekly(weekdays=(1, 2, 3))),
        (MonthDays(days=(31,)), MonthDays(days=(30,))),
        (Weekly(start=time(8), end=time(12)), Weekly(start=time(12), end=time(14))),
        (Weekly(start=time(8), end=time(12)), Not(of=(Weekly(start=time(7), end=time(12)),))),
        (JANUARY, Not(of=(Dates(first=date(2026, 12, 1), last=date(2027, 2, 1)),))),
    ],
)
def test_conditions_that_contradict_each_other(conditions):
    assert codes(offer("o", TENTH, conditions=conditions)) == ["offer-never"]


@pytest.mark.parametrize(
    "conditions",
    [
        (Members(tiers=("gold",)), Not(of=(Members(tiers=("silver",)),))),
        (AnyOf(of=(Members(), SPEND)), NOBODY),
        (SPEND, Not(of=(Spend(minimum_minor=200_00),))),
        (SPEND, Not(of=(Spend(minimum_minor=50_00, goods=only("A")),))),
        (Quantity(minimum=2), Not(of=(Quantity(minimum=3),))),
        (FirstSale(), NthVisit(minimum=1)),
        (
            Paying(tenders=("cash",), share_basis_points=5_000),
            Paying(tenders=("card",), share_basis_points=5_000),
        ),
        (Paying(tenders=("cash", "card")), Paying(tenders=("card",))),
        (MonthDays(days=(29,)), Weekly(weekdays=(7,))),
        (JANUARY, Not(of=(Dates(first=date(2026, 12, 1), last=date(2027, 1, 30)),))),
        (Weekly(start=time(8), end=time(12)), Not(of=(Weekly(start=time(9), end=time(14)),))),
        (Not(of=(Weekly(weekdays=(1,)),)), Not(of=(Weekly(weekdays=(2, 3, 4, 5, 6)),))),
        (Not(of=(AllOf(of=(SPEND, Members())),)), SPEND),
        tuple(AnyOf(of=(SPEND, Quantity(minimum=n))) for n in range(2, 12)),
    ],
)
def test_conditions_that_can_hold_together(conditions):
    assert codes(offer("o", TENTH, conditions=conditions)) == []


def test_a_coupon_that_issues_itself_for_ever():
    again = offer("o", IssueCoupon(coupon="again"), claimed=True)
    tenth = offer("p", TENTH, claimed=True)
    coupon = Coupon(id="again", version=1, names=names("again"), offer="o", valid_days=9)
    assert codes(again, coupons=(coupon,)) == ["coupon-of-itself"]
    other = msgspec.structs.replace(coupon, id="other")
    good = msgspec.structs.replace(coupon, offer="p")
    assert codes(again, tenth, coupons=(other, good)) == []


def test_figures_that_others_make_useless():
    limits = Limits(per_member=1, per_member_and_day=2, in_total=5, per_store=9)
    both = ["limit-useless", "limit-useless"]
    assert codes(offer("o", TENTH, limits=limits, conditions=(Members(),))) == both
    limits = Limits(per_member=2, per_member_and_day=1, in_total=9, per_store=9)
    assert codes(offer("o", TENTH, limits=limits, conditions=(Members(),))) == []
    assert codes(offer("o", AmountOff(off_minor=500), at_most_minor=499)) == ["cap-below"]
    assert codes(offer("o", AmountOff(off_minor=500), at_most_minor=500)) == []
    free = PercentOff(basis_points_off=10_000)
    assert codes(offer("o", free)) == ["all-free"]
    assert codes(offer("o", free, at_most_minor=5_00)) == []


def test_steps_below_what_the_offer_asks_for():
    ladder = Ladder(
        steps=tuple(Step(threshold_minor=n * 100_00, off_minor=n * 20_00) for n in (1, 2, 3))
    )
    asks = Spend(minimum_minor=200_00)
    assert codes(offer("o", ladder, conditions=(asks,))) == ["step-passed"]
    others = Spend(minimum_minor=200_00, goods=only("A"))
    assert codes(offer("o", ladder, conditions=(others,))) == []
    listed = Spend(minimum_minor=200_00, measured=Measured.LISTED)
    assert codes(offer("o", ladder, conditions=(listed,))) == []


def test_two_groups_on_the_same_goods():
    groups = tuple(Group(id=name, mode=GroupMode.ONE) for name in "ab")

    def pair(of_a, of_b, **more):
        offers = [offer(f"a{n}", TENTH, of_a, group="a") for n in "12"]
        offers += [offer(f"b{n}", TENTH, of_b, group="b", **more) for n in "12"]
        return offers

    catalogue = [goods("A", 10_00), goods("B", 10_00)]
    assert codes(*pair(only("A"), only("A")), groups=groups) == ["groups-overlap"]
    assert codes(*pair(only("A"), only("B")), groups=groups) == []
    both = GoodsSet(skus=("A", "B"))
    assert codes(*pair(only("A"), both), groups=groups, catalogue=catalogue) == ["groups-overlap"]
    assert codes(*pair(only("A"), only("A"), rank=1), groups=groups) == []


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
    for effect in (
        NthItem(nth=2, basis_points_off=5_000),
        AmountOff(off_minor=2_00, each_unit=True),
        SetPrice(units=3, price_minor=20_00),
        FurtherUnits(per_units=3),
    ):
        assert codes(offer("o", effect), catalogue=CATALOGUE) == ["below-cost"], effect
        assert codes(offer("o", effect), catalogue=CATALOGUE[1:]) == [], effect


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


def test_a_limit_for_members_that_others_do_not_have():
    once = Limits(per_member=1)
    assert codes(offer("o", TENTH, limits=once)) == ["limit-for-members"]
    assert codes(offer("o", TENTH, limits=once, conditions=(Members(),))) == []
    assert codes(offer("o", TENTH, limits=once, costs_points=5)) == []
    assert codes(offer("o", TENTH, limits=Limits(in_total=1))) == []


def night(key: str, priority: int = 0, *conditions) -> PriceList:
    return PriceList(
        id=key, names=names(key), prices={"A": 9_00}, priority=priority, conditions=conditions
    )


def test_price_lists_that_meet_on_an_article_and_those_below_cost():
    monday, tuesday = Weekly(weekdays=(1,)), Weekly(weekdays=(2,))
    assert codes(price_lists=(night("a"), night("b"))) == ["price-lists-overlap"]
    assert codes(price_lists=(night("a"), night("b", 1))) == []
    assert codes(price_lists=(night("a", 0, monday), night("b", 0, tuesday))) == []
    assert codes(price_lists=(night("a"),), catalogue=CATALOGUE) == ["below-cost"]


def test_points_that_lapse_on_the_day_they_are_earned():
    assert codes(expiry=Expiry()) == ["points-lapse-at-once"]
    assert codes(expiry=Expiry(days=1)) == []
    assert codes(expiry=Expiry(end_of=EndOf.MONTH)) == []
    assert codes(expiry=Expiry(inactive_months=6)) == []


WRITTEN = """\
# [[offers]] a remark
id = "ten"
points = { names = { zh = "积分", en = "points" } }

[[groups]]
id = "ten"

[[offers]]
id = "five"
points = 1
effect = { type = "ladder", steps = [
  { id = "ten" }, # no offer
] }

[[offers]]
id = "ten"

[price_lists]
prices = { TEA = 250 }
"""


def test_the_line_of_a_rule_is_found_in_toml_and_json():
    assert line_of_rule(WRITTEN, "points") == 3
    assert line_of_rule(WRITTEN, "groups/ten") == 6
    assert line_of_rule(WRITTEN, "offers/five") == 9
    assert line_of_rule(WRITTEN, "offers/none") == 8
    assert line_of_rule(WRITTEN, "draws/none") is None
    written = json.dumps(
        {"points": {"decimals": 0}, "groups": [{"id": "ten"}], "offers": [{"id": "ten"}]}, indent=1
    )
    lines = written.splitlines()
    assert line_of_rule(written, "points") == 2
    assert '"offers"' in lines[line_of_rule(written, "offers/ten") - 3]
    assert line_of_rule(json.dumps({"offers": [{"id": "ten"}]}), "offers/ten") == 1


def test_the_command_names_line_rule_and_mend(monkeypatch, capsys, tmp_path):
    document = msgspec.to_builtins(template("plain"))
    document["returns"] = {"days": -1}
    file = tmp_path / "programme.json"
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    line = file.read_text(encoding="utf-8").splitlines().index(' "returns": {') + 1
    code, out, _ = run_evertill(monkeypatch, capsys, "programme", "check", str(file))
    assert (code, f"error: line {line}: returns: days is -1" in out) == (2, True)
    code, out, _ = run_evertill(monkeypatch, capsys, "programme", "check", str(file), "--json")
    assert msgspec.json.decode(out)["errors"][0]["line"] == line
