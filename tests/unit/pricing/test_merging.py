"""What a merge of two members keeps apart, and what it joins."""

import msgspec

from shared.workbench.playing import play
from shared.workbench.scenario import read_scenario

NAMES = {"zh": "例", "en": "Case"}
GOLD = {
    "id": "gold",
    "names": NAMES,
    "reached_by": [{"type": "total", "spend_minor": 99_999}],
}
PROGRAMME = {
    "format": 1,
    "id": "case",
    "names": NAMES,
    "currency": "CNY",
    "points": {"names": NAMES},
    "tax_classes": [{"id": "none", "names": NAMES}],
    "tiers": {"ladder": [{"id": "member", "names": NAMES}, GOLD]},
    "offers": [
        {
            "id": "off",
            "version": 1,
            "names": NAMES,
            "effect": {"type": "amount-off", "off_minor": 100},
            "claimed": True,
        }
    ],
    "coupons": [{"id": "own", "version": 1, "names": NAMES, "offer": "off", "valid_days": 9}],
}
MERGE = {"do": "merge-members", "member": "other", "into": "one"}


def last(members, *steps, **programme):
    told = {
        "at": "2026-11-22T12:00:00",
        "programme": PROGRAMME | programme,
        "goods": [{"sku": "A", "price_minor": 1_000}],
        "members": members,
        "coupons": [{"code": "c", "coupon": "own", "member": "other"}],
        "steps": list(steps),
    }
    *_, state = play(read_scenario(msgspec.json.encode(told), is_toml=False))
    assert state.refused == ()
    return state


def test_what_lapsed_for_want_of_activity_stays_lapsed():
    idle = {"points": 50, "earned_on": "2025-01-01"}
    members = [
        {"id": "one", "lots": [{"points": 20, "earned_on": "2026-11-01"}]},
        {"id": "other", "lots": [idle]},
    ]
    state = last(members, MERGE, expiry={"inactive_months": 6})
    assert state.members[0].spendable == 20


def test_a_coupon_in_a_basket_that_was_put_aside_follows_its_member():
    members = [{"id": "one"}, {"id": "other"}]
    steps = (
        {"do": "member", "member": "other"},
        {"do": "add", "goods": "A"},
        {"do": "claim", "code": "c"},
        {"do": "hold", "name": "aside"},
        MERGE,
        {"do": "recall", "name": "aside"},
    )
    assert last(members, *steps).total_minor == 900


def test_nobody_is_their_own_friend_and_the_longer_of_two_floors_holds():
    members = [
        {"id": "one", "tier_floor": "gold", "floor_until": "2026-11-30"},
        {"id": "other", "tier_floor": "gold", "referred_by": "one"},
    ]
    steps = (
        MERGE,
        {"do": "member", "member": "one"},
        {"do": "add", "goods": "A"},
        {"do": "tender"},
        {"do": "complete"},
        {"do": "clock", "at": "2027-03-01T12:00:00"},
    )
    referral = {"points_for_friend": 5, "points_for_referrer": 7}
    state = last(members, *steps, referral=referral)
    assert (state.members[0].points, state.members[0].tier) == (0, "gold")
