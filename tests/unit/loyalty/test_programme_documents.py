"""Programmes as data: templates, canonical bytes, and what is refused with which mend."""

import hashlib
import json

import msgspec
import pytest

from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.bundle import (
    bundle_ref,
    load_bundle,
    load_programme,
    programme_bytes,
    template,
    with_currency,
)
from shared.loyalty.validation import problems

TEMPLATES = ("default", "plain")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_sound_and_survives_its_own_bytes(name):
    programme = template(name)
    data = programme_bytes(programme)
    ref = bundle_ref(7, data)
    assert (ref.version, ref.sha256) == (7, hashlib.sha256(data).hexdigest())
    assert load_bundle(data, ref) == programme
    assert programme_bytes(load_bundle(data, ref)) == data


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_canonical_bytes_are_plain_sorted_json(name):
    data = programme_bytes(template(name))
    document = json.loads(data)
    assert (
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        == data.decode()
    )


def test_other_bytes_than_those_named_are_refused():
    data = programme_bytes(template("default"))
    with pytest.raises(DomainError, match="programme-altered"):
        load_bundle(data.replace(b"5000", b"5001", 1), bundle_ref(1, data))


def test_the_plain_programme_speaks_any_currency_and_keeps_its_figures():
    assert with_currency(template("plain"), "GBP").money.symbol == "£"
    assert [
        with_currency(template("plain"), code).earning.rules[0].per_minor
        for code in ("JPY", "KWD", "GBP")
    ] == [1, 1000, 100]
    assert template("plain").offers == ()
    with pytest.raises(DomainError, match="programme-other-decimals"):
        with_currency(template("default"), "JPY")


def changed(path: str, value: object) -> bytes:
    """The default programme with one value changed; the path's numbers are list positions."""
    document = json.loads(programme_bytes(template("default")))
    *parents, last = path.split("/")
    place = document
    for step in parents:
        place = place[int(step)] if step.isdecimal() else place[step]
    place[int(last) if last.isdecimal() else last] = value
    return json.dumps(document).encode()


WRONG = [
    ("format", 2, "programme-unreadable"),
    ("surprise", 1, "programme-unreadable"),
    ("currency", "yuan", "bad-currency"),
    ("offers/0/effect/type", "magic", "programme-unreadable"),
    ("earning/rules/0/points", 1.5, "programme-unreadable"),
    (
        "offers/0/conditions",
        [{"type": "weekly", "start": "22:00:00+08:00"}],
        "programme-unreadable",
    ),
    (
        "draws",
        [
            {
                "id": "spring",
                "names": {"zh": "春", "en": "Spring"},
                "entry_points": 1,
                "opens": "2026-03-01T00:00:00",
                "closes": "2026-03-31T00:00:00Z",
                "seed_sha256": "00" * 32,
                "prizes": [],
            }
        ],
        "programme-unreadable",
    ),
    ("points/decimals", 3, "programme-out-of-range"),
    ("earning/rules/0/per_minor", 0, "programme-out-of-range"),
    ("redemption/points_per_block", 0, "programme-out-of-range"),
    ("cash_rounding/step_minor", 0, "programme-out-of-range"),
    ("tax_classes/0/components/0/rate_ppm", -1, "programme-out-of-range"),
    ("tax_classes/1/id", "standard", "programme-same-id"),
    ("offers/1/id", "spend-ladder", "programme-same-id"),
    ("offers/0/group", "nowhere", "programme-unknown-reference"),
    ("coupons/0/offer", "nothing", "programme-unknown-reference"),
    ("coupons/0/offer", "spend-ladder", "programme-coupon-not-claimed"),
    ("coupons", [], "programme-no-coupon-claims"),
    ("offers/0/effect/steps/1/off_minor", 2000, "programme-ladder-falls"),
    ("offers/0/effect/steps/0/off_minor", 10001, "programme-out-of-range"),
    ("offers/1/effect/nth", 1, "programme-out-of-range"),
    ("offers/0/phase", 9, "programme-out-of-range"),
    ("tiers/ladder", [], "programme-out-of-range"),
    ("tiers/ladder/0/reached_by", [{"type": "total", "spend_minor": 1}], "programme-first-tier"),
    ("tiers/ladder/1/reached_by", [], "programme-tier-without-condition"),
    (
        "offers/0/conditions",
        [{"type": "dates", "first": "2026-02-01", "last": "2026-01-01"}],
        "programme-dates-reversed",
    ),
    (
        "offers/0/conditions",
        [{"type": "members", "tiers": ["platinum"]}],
        "programme-unknown-reference",
    ),
]


@pytest.mark.parametrize(("path", "value", "code"), WRONG, ids=[f"{p} {c}" for p, _, c in WRONG])
def test_a_wrong_programme_is_refused_with_the_rule_and_the_mend(path, value, code):
    with pytest.raises(DomainError) as refused:
        load_programme(changed(path, value))
    assert refused.value.code == code
    if code.startswith("programme-"):
        for language in Language:
            assert words(language).error(refused.value)


def test_an_adding_group_takes_percentages_only():
    programme = template("default")
    groups = json.loads('[{"id": "sum", "mode": "add"}]')
    document = json.loads(programme_bytes(programme)) | {"groups": groups}
    document["offers"][0]["group"] = "sum"
    with pytest.raises(DomainError, match="programme-add-needs-percent"):
        load_programme(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format":1}'])
def test_bytes_that_are_no_programme_are_refused(data):
    with pytest.raises(DomainError, match="programme-unreadable"):
        load_programme(data)


def test_every_problem_is_found_not_only_the_first():
    programme = msgspec.structs.replace(template("default"), coupons=(), groups=())
    broken = msgspec.structs.replace(
        programme, tiers=msgspec.structs.replace(programme.tiers, ladder=())
    )
    codes = [problem.code for problem in problems(broken)]
    assert codes == ["programme-out-of-range", "programme-no-coupon-claims"]
