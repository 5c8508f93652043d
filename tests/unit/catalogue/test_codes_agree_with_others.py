"""Codes by the hundred, made and judged by others: python-stdnum encodes GS1 strings and seals
numbers, biip says what they and in-store labels mean. The seed is fixed: a difference stays."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from biip import ParseConfig, ParseError, parse
from biip.gtin import Gtin, GtinFormat
from biip.rcn import Rcn, RcnRegion
from stdnum import ean, gs1_128, luhn

from shared.catalogue.code_table import DEFAULT_TABLE, InStoreRow, Part
from shared.catalogue.codes import (
    Damaged,
    GoodsCode,
    InStoreCode,
    PaymentCard,
    classify,
)

SEED = 20261127
EACH = 150
SWEDEN = replace(
    DEFAULT_TABLE,
    in_store=(
        InStoreRow("20", ((Part.ITEM, 6), (Part.PRICE, 4))),
        InStoreRow("23", ((Part.ITEM, 6), (Part.GRAMS, 4))),
    ),
)
BRITAIN = replace(
    DEFAULT_TABLE,
    in_store=(InStoreRow("20", ((Part.ITEM, 5), (Part.INNER_CHECK, 1), (Part.PRICE, 4))),),
)
BRITISH = ParseConfig(rcn_region=RcnRegion.GREAT_BRITAIN, rcn_verify_variable_measure=True)


def digits(source: random.Random, count: int) -> str:
    return "".join(source.choices("0123456789", k=count))


def gtins(length: int) -> list[str]:
    """Numbers of the world's goods, sealed by python-stdnum; no prefix that a shop uses itself."""
    source = random.Random(SEED + length)
    bodies = []
    while len(bodies) < EACH:
        first = source.choice(["690", "692", "400", "501", "871", "004", "036", "73"])
        body = (first + digits(source, length))[: length - 1]
        if body[0] != "2" and not (length < 13 and body[0] in "02"):
            bodies.append(body)
    return [body + ean.calc_check_digit(body) for body in bodies]


def by_biip(text: str) -> str | None:
    """The GTIN that biip reads, as goods are called here; None where it reads none."""
    try:
        found = Gtin.parse(text)
    except ParseError:
        return None
    return found.value if found.format is GtinFormat.GTIN_8 else found.value.zfill(13)


@pytest.mark.parametrize("length", [8, 12, 13])
def test_numbers_of_goods_are_read_as_biip_reads_them(length):
    for text in gtins(length):
        assert classify(text) == GoodsCode(by_biip(text)), text


@pytest.mark.parametrize("length", [8, 12, 13])
def test_one_wrong_digit_is_no_goods_to_either(length):
    source = random.Random(SEED)
    for text in gtins(length):
        at = source.randrange(1, length)
        wrong = text[:at] + str((int(text[at]) + source.randrange(1, 10)) % 10) + text[at + 1 :]
        assert by_biip(wrong) is None
        assert not isinstance(classify(wrong), GoodsCode), wrong


def test_gs1_strings_of_python_stdnum_say_what_was_put_in():
    source = random.Random(SEED)
    for gtin in gtins(13):
        grams = source.randrange(1, 99_999)
        until = date(2026, 1, 1) + timedelta(days=source.randrange(2000))
        batch = "".join(source.choices("ABCXYZ0123456789", k=source.randrange(1, 12)))
        text = gs1_128.encode(
            {"01": "0" + gtin, "3103": Decimal(grams) / 1000, "15": until, "10": batch},
            separator="\x1d",
        )
        assert classify("]C1" + text) == GoodsCode(gtin, grams, until, batch), text
        judged = parse("]C1" + text).gs1_message
        assert judged is not None
        assert judged.element_strings.get(ai="10").value == batch


def rcn(text: str, region: RcnRegion) -> Rcn:
    found = parse(text, config=ParseConfig(rcn_region=region)).gtin
    assert isinstance(found, Rcn)
    return found


def test_swedish_labels_have_the_price_and_weight_that_biip_reads():
    source = random.Random(SEED)
    for _ in range(EACH):
        body = source.choice(["20", "23"]) + digits(source, 10)
        text = body + ean.calc_check_digit(body)
        judged, found = rcn(text, RcnRegion.SWEDEN), classify(text, SWEDEN)
        assert isinstance(found, InStoreCode)
        assert found.item == body[2:8]
        if judged.price is not None:
            assert (Decimal(found.price_minor or 0) / 100, found.grams) == (judged.price, None)
        else:
            assert judged.weight is not None
            assert (Decimal(found.grams or 0) / 1000, found.price_minor) == (judged.weight, None)


def test_british_labels_with_their_inner_check_digit():
    source, right = random.Random(SEED), 0
    for _ in range(EACH):
        body = "20" + digits(source, 10)
        text = body + ean.calc_check_digit(body)
        found = classify(text, BRITAIN)
        try:
            judged = Gtin.parse(text, config=BRITISH)
        except ParseError:
            assert isinstance(found, Damaged), text
            continue
        assert isinstance(judged, Rcn)
        assert isinstance(found, InStoreCode), text
        assert Decimal(found.price_minor or 0) / 100 == judged.price
        right += 1
    assert 0 < right < EACH


def test_bank_cards_sealed_by_python_stdnum_are_dropped_and_never_shown():
    source = random.Random(SEED)
    for _ in range(EACH):
        body = source.choice(["4", "51", "55", "62", "3530"]) + digits(source, 15)
        body = body[:15]
        number = body + luhn.calc_check_digit(body)
        found = classify(number)
        assert isinstance(found, PaymentCard), number
        assert number not in repr(found)
