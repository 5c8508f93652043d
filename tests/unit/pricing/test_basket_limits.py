"""What a basket refuses, and that every reason has its words."""

import pytest

from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.bundle import template
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import GRAMS_MAX, LINES_MAX, UNITS_MAX, HandDiscount
from shared.pricing.engine import price
from shared.pricing.quote import Explanation, Reason
from shared.pricing.words import explanation_text
from tests.pricing_builders import basket, goods, line, weighed


@pytest.mark.parametrize("units", [0, -1, UNITS_MAX + 1])
def test_units_that_cannot_be_are_refused(units):
    with pytest.raises(DomainError, match="bad-quantity"):
        line(goods("A"), units)


@pytest.mark.parametrize("grams", [0, -1, GRAMS_MAX + 1])
def test_grams_that_cannot_be_are_refused(grams):
    with pytest.raises(DomainError, match="bad-quantity"):
        line(weighed("W", 10_00), grams=grams)


def test_pieces_are_not_weighed_and_weighed_goods_not_counted():
    with pytest.raises(DomainError, match="bad-quantity"):
        line(goods("A"), grams=500)
    with pytest.raises(DomainError, match="bad-quantity"):
        line(weighed("W", 10_00), 2)


@pytest.mark.parametrize(
    "more",
    [
        {"price_minor": -1},
        {"price_minor": AMOUNT_MINOR_MAX + 1},
        {"label_minor": -1},
        {"discount": HandDiscount(basis_points=10_001)},
        {"discount": HandDiscount(amount_minor=-1)},
    ],
)
def test_amounts_that_cannot_be_are_refused(more):
    with pytest.raises(DomainError, match="bad-amount-on-line"):
        line(goods("A"), **more)
    with pytest.raises(DomainError, match="bad-amount-on-line"):
        line(goods("A", AMOUNT_MINOR_MAX), 2)


@pytest.mark.parametrize("cost", [-1, AMOUNT_MINOR_MAX + 1])
def test_goods_without_a_possible_price_are_refused(cost):
    with pytest.raises(DomainError, match="bad-goods"):
        goods("A", cost)


def test_too_many_lines_are_refused():
    lines = [line(goods("A"), id=str(number)) for number in range(LINES_MAX + 1)]
    with pytest.raises(DomainError, match="too-many-lines"):
        basket(*lines)


def test_goods_of_an_unknown_tax_class_are_refused_by_name():
    with pytest.raises(DomainError) as refused:
        price(basket(line(goods("A", tax="luxury"))), template("default"))
    assert refused.value.fields == {"tax_class": "luxury"}


def test_the_price_on_a_label_is_the_price_of_the_line():
    apples = weighed("W", 8_00)
    quote = price(basket(line(apples, grams=500, label_minor=4_11)), template("default"))
    assert quote.total_minor == 4_11


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason, language):
    told = Explanation(offer="spend-ladder", reason=reason, missing_minor=350, gain_minor=2000)
    text = explanation_text(told, template("default"), words(language))
    assert template("default").offers[0].names.get(language) in text


def test_the_way_to_a_ladder_is_told_in_money():
    told = Explanation(offer="spend-ladder", reason=Reason.MISSING_SPEND, missing_minor=350)
    text = explanation_text(told, template("default"), words(Language.ENGLISH))
    assert text == "¥3.50 more for 20 off 100, 50 off 200"
