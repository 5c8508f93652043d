"""Every text that can be scanned or typed is what the one table says, or is said to be damaged."""

from datetime import date

import pytest
from biip.checksums import gs1_price_weight_check_digit, gs1_standard_check_digit
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from shared.catalogue.code_table import (
    DEFAULT_TABLE,
    CardRow,
    CodeKind,
    CodeTable,
    Digits,
    InStoreRow,
    OwnRow,
    Part,
    WalletRow,
)
from shared.catalogue.codes import (
    ApprovalCode,
    CouponCode,
    Damage,
    Damaged,
    GoodsCode,
    InStoreCode,
    MemberCode,
    PaymentCard,
    ReceiptCode,
    Sku,
    WalletCode,
    approval_code,
    classify,
    coupon_code,
    member_code,
    own_digits,
    random_digits,
    receipt_code,
)
from shared.errors import DomainError


def sealed(body: str) -> str:
    return body + str(gs1_standard_check_digit(body))


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("6921168509256", "6921168509256"),
        (" 6921168509256\r\n", "6921168509256"),
        ("]E06921168509256", "6921168509256"),
        ("6 921168 509256", "6921168509256"),
        ("６９２１１６８５０９２５６", "6921168509256"),
        ("96385074", "96385074"),
        ("036000291452", "0036000291452"),
        ("4006381333931", "4006381333931"),
        ("2912345678906", "2912345678906"),
    ],
)
def test_a_gtin_with_its_right_check_digit_is_goods(text, gtin):
    assert classify(text) == GoodsCode(gtin)


@pytest.mark.parametrize("text", ["6921168509257", "96385075", "036000291453", "2912345678905"])
def test_a_wrong_check_digit_is_said_as_such(text):
    assert classify(text) == Damaged(Damage.WRONG_CHECK_DIGIT, CodeKind.GOODS)


def test_a_gs1_element_string_gives_goods_weight_batch_and_date():
    text = "]C10106901234567892310300123415261231" + "10B7"
    assert classify(text) == GoodsCode("6901234567892", 1234, date(2026, 12, 31), "B7")


def test_labels_of_scales_give_item_weight_and_price():
    assert classify(sealed("211234501234")) == InStoreCode("12345", grams=1234)
    assert classify(sealed("201234501234")) == InStoreCode("12345", price_minor=1234)
    both = sealed("22" + "12345" + "00500" + "00411")
    assert classify(both) == InStoreCode("12345", grams=500, price_minor=411)


def test_the_inner_check_digit_of_a_label_is_looked_at():
    inner = gs1_price_weight_check_digit("01234")
    right = sealed(f"231234{inner}01234")
    wrong = sealed(f"231234{(inner + 1) % 10}01234")
    assert classify(right) == InStoreCode("1234", price_minor=1234)
    assert classify(wrong) == Damaged(Damage.WRONG_CHECK_DIGIT, CodeKind.IN_STORE)


@pytest.mark.parametrize(
    ("text", "wallet"),
    [
        ("134567890123456789", "wechat"),
        ("100000000000000000", "wechat"),
        ("159999999999999999", "wechat"),
        ("2800000000000000", "alipay"),
        ("281234567890123456", "alipay"),
        ("301234567890123456789012", "alipay"),
    ],
)
def test_wallet_codes_are_a_kind_of_their_own_and_not_shown(text, wallet):
    found = classify(text)
    assert found == WalletCode(wallet, text)
    assert text not in repr(found)


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "6011111111111117",
        "3530111333300000",
        "30569309025904",
        "6250941006528599",
        "2500000000000001"[:15] + luhn.calc_check_digit("250000000000000"),
        "%B4111111111111111^DOE/JOHN^2512",
        ";4111111111111111=2512",
        ";4111111111111112=2512",
    ],
)
def test_a_bank_card_is_recognised_and_its_digits_are_dropped(number):
    found = classify(number)
    assert found == PaymentCard()
    assert "1111" not in repr(found)


@pytest.mark.parametrize("number", ["4111111111111112", "71234567890123456789012345"])
def test_long_numbers_that_are_nothing_are_not_kept(number):
    found = classify(number)
    assert isinstance(found, Damaged)
    assert number not in repr(found)


@pytest.mark.parametrize("text", ["TEA-1", "22423", "85123A", "13800138000", "农夫山泉", "a b"])
def test_everything_else_is_a_plain_code(text):
    assert classify(text) == Sku(text)


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "ab\x00c", "]C1", "]C1\x1d"])
def test_what_no_code_can_be_is_unreadable(text):
    found = classify(text)
    assert isinstance(found, Damaged)
    assert found.why is Damage.UNREADABLE


@pytest.mark.parametrize(
    ("make", "kind", "found"),
    [
        (member_code, CodeKind.MEMBER, MemberCode),
        (coupon_code, CodeKind.COUPON, CouponCode),
        (approval_code, CodeKind.APPROVAL, ApprovalCode),
    ],
)
@given(st.data())
def test_our_codes_are_digits_and_every_single_wrong_digit_is_found(make, kind, found, data):
    count = own_digits(kind)
    digits = f"{data.draw(st.integers(0, 10**count - 1)):0{count}d}"
    code = make(digits)
    assert classify(code) == found(code)
    place = data.draw(st.integers(len(code) - count - 1, len(code) - 1))
    other = (int(code[place]) + data.draw(st.integers(1, 9))) % 10
    assert classify(f"{code[:place]}{other}{code[place + 1 :]}") == Damaged(
        Damage.WRONG_CHECK_DIGIT, kind
    )


def test_a_receipt_number_tells_till_epoch_and_count():
    code = receipt_code(till_number=31, epoch=2, number=4_711)
    assert classify(code) == ReceiptCode(code, 31, 2, 4_711)
    assert classify(code[:-1]) == Damaged(Damage.WRONG_LENGTH, CodeKind.RECEIPT)


def test_random_digits_come_from_the_given_source_alone():
    assert random_digits(13, lambda size: b"\x01" * size) == random_digits(
        13, lambda size: b"\x01" * size
    )
    assert len(random_digits(19, lambda size: b"\x00" * size)) == 19


ROW = OwnRow(CodeKind.MEMBER, "90", 16)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (((), (ROW, OwnRow(CodeKind.COUPON, "901", 16)), (), ()), "code-table-overlap"),
        (((), (OwnRow(CodeKind.MEMBER, "90", 13),), (), ()), "code-table-overlap"),
        (((), (ROW,), (WalletRow("w", Digits("85", "95", (16,)), ""),), ()), "code-table-overlap"),
        (((), (ROW,), (), (CardRow("c", Digits("9", "9", (16,))),)), "code-table-overlap"),
        (((InStoreRow("69", ((Part.ITEM, 10),)),), (), (), ()), "code-table-prefix"),
        (
            (
                (InStoreRow("21", ((Part.ITEM, 10),)), InStoreRow("212", ((Part.ITEM, 9),))),
                (),
                (),
                (),
            ),
            "code-table-overlap",
        ),
    ],
)
def test_a_table_in_which_two_kinds_overlap_is_refused(table, code):
    with pytest.raises(DomainError, match=code):
        CodeTable(*table)


@given(st.text("0123456789", min_size=6, max_size=26))
def test_no_digits_fall_under_two_rows(digits):
    rows = [*DEFAULT_TABLE.own, *DEFAULT_TABLE.wallets, *DEFAULT_TABLE.cards]
    claiming = [row for row in rows if row.digits.claims(digits)]
    kinds = {type(row) if not isinstance(row, OwnRow) else row.kind for row in claiming}
    assert len(kinds) <= 1


@pytest.mark.parametrize(
    ("element", "grams"),
    [
        ("3103000123", 123),
        ("3104001234", 123),
        ("3104001235", 124),
        ("3105012349", 123),
        ("3105012350", 124),
        ("3105000049", 0),
        ("3100000002", 2000),
    ],
)
def test_a_weight_in_fractions_of_a_gram_is_taken_to_the_nearest(element: str, grams: int) -> None:
    found = classify("]C10106901234567892" + element)
    assert isinstance(found, GoodsCode)
    assert found.grams == grams
