"""Two members merged have what one member with both histories has, then and ever after."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.workbench.playing import play
from shared.workbench.result import MemberState, State
from shared.workbench.scenario import read_scenario
from tests.pricing_builders import names

AT = "2026-11-22T12:00:00"
NAMES = msgspec.to_builtins(names("x"))
PROGRAMME: dict[str, Any] = {
    "format": 1,
    "id": "case",
    "names": NAMES,
    "currency": "CNY",
    "points": {"names": NAMES},
    "tax_classes": [{"id": "none", "names": NAMES}],
    "tiers": {
        "ladder": [
            {"id": "member", "names": NAMES},
            {
                "id": "gold",
                "names": NAMES,
                "reached_by": [
                    {"type": "total", "spend_minor": 120_000},
                    {"type": "visits", "visits": 4, "months": 0},
                ],
            },
        ]
    },
    "earning": {
        "rules": [{"id": "spend", "names": NAMES, "points": 1, "per_minor": 100}],
        "growth": [{"id": "growth", "names": NAMES, "points": 1, "per_minor": 700}],
    },
    "redemption": {"points_per_block": 10, "value_per_block_minor": 10},
    "stored_value": {},
    "returns": {"points_floor": "debt"},
    "referral": {"points_for_friend": 5, "points_for_referrer": 7, "per_member": 2},
    "restrictions": [{"id": "syrup", "names": NAMES, "goods": {"skus": ["B"]}, "units_per_day": 4}],
    "offers": [
        {
            "id": "few",
            "version": 1,
            "names": NAMES,
            "effect": {"type": "amount-off", "off_minor": 100},
            "goods": {"skus": ["B"]},
            "limits": {"per_member": 3},
        },
        {
            "id": "visits",
            "version": 1,
            "names": NAMES,
            "effect": {"type": "amount-off", "off_minor": 10},
            "conditions": [{"type": "nth-visit", "minimum": 4, "every": 1}],
        },
        {
            "id": "code",
            "version": 1,
            "names": NAMES,
            "effect": {"type": "amount-off", "off_minor": 250},
            "claimed": True,
        },
    ],
    "coupons": [
        {"id": "own", "version": 1, "names": NAMES, "offer": "code", "valid_days": 9}
        | {"personal": True}
    ],
    "actions": [{"id": "survey", "names": NAMES, "points": 3, "per_member": 3}],
    "draws": [
        {
            "id": "spring",
            "names": NAMES,
            "entry_points": 2,
            "per_member": 4,
            "opens": "2026-01-01T00:00:00",
            "closes": "2027-12-31T00:00:00",
            "seed_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "prizes": [{"id": "bike", "names": NAMES, "units": 2}],
        }
    ],
}
GOODS = [{"sku": "A", "price_minor": 12_345}, {"sku": "B", "price_minor": 1_000}]
BOTH = ("one", "other")
whose = st.sampled_from(BOTH)
few = st.integers(1, 3)


@st.composite
def sales(draw: st.DrawFn, number: int, sku: str = "A") -> list[dict[str, Any]]:
    """A sale, of which some may come back at once."""
    member, units, back = draw(whose), draw(few), draw(st.integers(0, 3))
    made: list[dict[str, Any]] = [
        {"do": "member", "member": member},
        {"do": "add", "goods": sku, "units": units, "line": "1"},
        {"do": "complete", "sale": f"s{number}"},
    ]
    if draw(st.booleans()):
        made[2:2] = [{"do": "points", "points": 10}]
    made[-1:-1] = [{"do": "tender"}]
    if back:
        made += [_back(number, min(back, units))]
    return made


def _back(number: int, units: int) -> dict[str, Any]:
    return {"do": "return", "sale": f"s{number}", "lines": [{"line": "1", "units": units}]}


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What both do before they are merged."""
    steps: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 2))):
        steps += draw(sales(number))
    for number in range(5, 5 + draw(st.integers(0, 2))):
        steps += [{"do": "action", "action": "survey", "member": draw(whose)}]
        steps += [{"do": "top-up", "member": draw(whose), "amount_minor": 1_000}]
        steps += [{"do": "enter-draw", "draw": "spring", "member": draw(whose)}]
        steps += [
            {"do": "member", "member": draw(whose)},
            {"do": "add", "goods": "B", "line": "1"},
            {"do": "tender"},
            {"do": "complete", "sale": f"s{number}"},
        ]
    return steps


@st.composite
def futures(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What the one who stays does then: whatever looks at the past, and returns of both."""
    steps: list[dict[str, Any]] = [
        {"do": "return", "sale": f"s{number}"}
        for number in draw(st.lists(st.sampled_from([0, 1, 5, 6]), max_size=2))
    ]
    steps += draw(sales(9, "B"))
    steps.append({"do": "clock", "at": "2026-11-23T12:00:00"})
    for number in range(10, 10 + draw(few)):
        steps += draw(sales(number, "B"))
    steps += [{"do": "action", "action": "survey", "member": "one"}] * draw(few)
    steps += [
        {"do": "enter-draw", "draw": "spring", "member": "one", "entries": draw(few)},
        {"do": "member", "member": "one"},
        {"do": "add", "goods": "A"},
        {"do": "claim", "code": "own-code"},
        {"do": "tender"},
        {"do": "complete"},
    ]
    return steps


def _played(members: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[State]:
    told = {
        "at": AT,
        "programme": PROGRAMME,
        "goods": GOODS,
        "members": members,
        "coupons": [{"code": "own-code", "coupon": "own", "member": members[-1]["id"]}],
        "steps": steps,
    }
    return list(play(read_scenario(msgspec.json.encode(told), is_toml=False)))


def _shown(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for step in steps for one in (step, {"do": "show"})]


def _as_one(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step | {"member": "one"} if "member" in step else step for step in steps]


def _told(state: State) -> dict[str, Any]:
    """All that matters, whatever lots are called."""
    told = msgspec.to_builtins(state)
    for name in ("title", "step", "lots", "wins"):
        told.pop(name, None)
    for member in told["members"]:
        for name in ("lots", "member"):
            member.pop(name)
    told["refused"] = [(one["do"], one["code"]) for one in told["refused"]]
    return told


def _person(member: str, **more: Any) -> dict[str, Any]:
    past = [{"day": "2026-01-0" + str(1 + BOTH.index(member)), "spend_minor": 1_000}]
    lots = [{"points": 400, "earned_on": "2026-01-05"}]
    return {"id": member, "past": past, "lots": lots, "principal_minor": 300, **more}


@settings(max_examples=40, deadline=None)
@given(histories(), futures())
def test_merging_and_going_on_gives_what_one_member_with_both_histories_has(before, after):
    two = [_person("one"), _person("other")]
    whole = _person("one")
    whole |= {name: two[0][name] + two[1][name] for name in ("past", "lots")}
    whole["principal_minor"] = 600
    merge = [{"do": "merge-members", "member": "other", "into": "one"}]
    merged = _played(two, [*before, *merge, *_shown(_as_one(after))])
    single = _played([whole], [*_as_one(before), *_shown(_as_one(after))])
    assert [_told(one) for one in merged] == [_told(one) for one in single]


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_merge_changes_no_sum(before):
    merge = [{"do": "merge-members", "member": "other", "into": "one"}]
    steps = [*before, {"do": "show"}, *merge, {"do": "show"}]
    split, merged = _played([_person("one"), _person("other")], steps)[:2]

    def sums(members: tuple[MemberState, ...]) -> list[int]:
        return [
            sum(getattr(one, what) for one in members)
            for what in ("points", "spend_minor", "growth", "principal_minor", "bonus_minor")
        ]

    assert sums(split.members) == sums(merged.members)
    by_lot = [
        sum(lot.points for one in state.members for lot in one.lots) for state in (split, merged)
    ]
    assert by_lot[0] == by_lot[1]
