"""Which goods a rule means, and which codes are coupons of ours."""

import pytest

from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import coupon_code, own_digits
from shared.loyalty.coupon_code import coupon_of_code, new_coupon_code
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import Bundle, BundlePart
from shared.loyalty.validation import problems
from tests.pricing_builders import goods, offer, only, programme

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
TEN = offer("ten", Bundle(parts=(BundlePart(goods=only("A")),), off_minor=1), claimed=True)
COUPONS = programme(TEN, offer("one", TEN.effect, claimed=True)).coupons


@pytest.mark.parametrize(
    ("category", "is_meant"),
    [("tea", True), ("tea/green", True), ("teapots", False), ("drinks/tea", False), ("", False)],
)
def test_a_category_is_a_path(category, is_meant):
    article = goods("A", category=category)
    assert GoodsSet(categories=("tea",)).contains(article) is is_meant
    assert GoodsSet(except_categories=("tea",)).contains(article) is not is_meant


def test_any_of_the_marks_is_enough():
    article = goods("A", marks=("clearance", "organic"))
    assert GoodsSet(marks=("organic",)).contains(article)
    assert GoodsSet(marks=("clearance",)).contains(article)
    assert not GoodsSet(marks=("frozen",)).contains(article)


def test_a_code_claims_the_coupon_it_was_sealed_for():
    for coupon in COUPONS:
        found = coupon_of_code(KEY, new_coupon_code(KEY, coupon.id), COUPONS)
        assert found is coupon


def test_a_code_that_somebody_made_up_claims_nothing():
    code = new_coupon_code(KEY, "ten")
    assert coupon_of_code(OTHER_KEY, code, COUPONS) is None
    body = code[:-1]
    forged = body[:-1] + ("1" if body[-1] != "1" else "2")
    digits = forged[-own_digits(CodeKind.COUPON) :]
    assert coupon_of_code(KEY, coupon_code(digits), COUPONS) is None
    assert coupon_of_code(KEY, new_coupon_code(KEY, "gone"), COUPONS) is None


@pytest.mark.parametrize("reward", [{}, {"off_minor": 5, "basis_points_off": 5}])
def test_a_bundle_names_exactly_one_reward(reward):
    bundle = Bundle(parts=(BundlePart(goods=only("A"), units=2),), **reward)
    found = list(problems(programme(offer("b", bundle))))
    assert [one.code for one in found] == ["programme-bundle-reward"]
    assert found[0].fields == {"rule": "offers/b"}
