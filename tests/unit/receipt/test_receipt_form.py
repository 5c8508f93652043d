"""The form of receipts: what it may hold, what it leaves out, its file, and the code."""

import hashlib
from dataclasses import replace

import msgspec
import pytest

from shared.errors import DomainError
from shared.receipt.builder import receipt_of
from shared.receipt.coupon import coupon_slip
from shared.receipt.document import Barcode, Document, Logo, Qr
from shared.receipt.form import check_form, form_text, read_form, shop_of
from shared.receipt.issue import Part
from shared.receipt.layout import Grid, plain_text
from shared.receipt.verification import DIGITS, verification_code
from shared.trade.paper import ReceiptForm
from tests.support.every_fact import about_papers
from tests.unit.receipt.sample_facts import RETURN, SALE, SHOP, issue

WHOLE = about_papers()[0].form  # type: ignore[attr-defined]  # the first is a whole form
BAD = [
    ({"names": {"zh": "长" * 41}}, "receipt-text-too-long"),
    ({"conditions": {"en": "x" * 201}}, "receipt-text-too-long"),
    ({"phone": "021\x1b@"}, "receipt-text-not-printable"),
    ({"greeting": {"zh": "a\nb"}}, "receipt-text-not-printable"),
    ({"names": {"zh": "\u202e店"}}, "receipt-text-not-printable"),
    ({"names": {"fr": "Boutique"}}, "unknown-receipt-language"),
    ({"web": "http://shop.example"}, "bad-receipt-web"),
    ({"web": "https://shop.example/"}, "bad-receipt-web"),
    ({"web": "https://user@shop.example"}, "bad-receipt-web"),
    ({"web": "https://Shop example"}, "bad-receipt-web"),
    ({"invoice": "https://i.example/{number.__class__}"}, "bad-receipt-invoice"),
    ({"invoice": "https://i.example/{"}, "bad-receipt-invoice"),
    ({"invoice": "javascript:alert(1)"}, "bad-receipt-invoice"),
    ({"logo": "../till.key"}, "bad-receipt-logo-name"),
    ({"logo": "/etc/logo.png"}, "bad-receipt-logo-name"),
    ({"logo": "C:\\logo.png"}, "bad-receipt-logo-name"),
    ({"left_out": ("total",)}, "unknown-receipt-part"),
    ({"greeting": {"zh": "4111 1111 1111 1111"}}, "payment-card-dropped"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "code"), BAD, ids=lambda each: str(each)[:40])
def test_what_makes_no_sense_is_refused(fields: dict[str, object], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        check_form(msgspec.structs.replace(ReceiptForm(), **fields))
    assert caught.value.code == code


def test_a_form_comes_back_from_its_file() -> None:
    quoted = msgspec.structs.replace(WHOLE, greeting={"zh": '谢谢 "您" \\ 再来', "en": "Bye"})
    for form in (WHOLE, quoted, ReceiptForm()):
        assert read_form(form_text(form)) == form


@pytest.mark.parametrize("text", ["names = 3", "nmaes = {}", "= =", "left_out = ['total']"])
def test_a_file_that_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        read_form(text)
    assert caught.value.code in ("receipt-form-unreadable", "unknown-receipt-part")


def test_without_a_name_a_shop_is_called_as_its_store() -> None:
    shop = shop_of(ReceiptForm(), store_name="店1", zone=SHOP.zone)
    assert shop.names == {"zh": "店1", "en": "店1"}


def text_without(*parts: Part) -> str:
    printing = replace(issue(), shop=replace(SHOP, left_out=frozenset(parts)))
    document = receipt_of(SALE, printing)
    assert document is not None
    return plain_text(document, Grid(48))


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        (Part.SAVINGS, "共 4 件"),
        (Part.OUTLOOK, "120 积分将于"),
        (Part.CONDITIONS, "七日内凭小票退换"),
        (Part.GREETING, "谢谢惠顾"),
        (Part.CODE, "查询码"),
    ],
)
def test_a_block_that_is_left_out_takes_nothing_else_along(part: Part, gone: str) -> None:
    whole, less = text_without(), text_without(part)
    assert gone in whole
    assert gone not in less
    left = set(whole.splitlines()) - set(less.splitlines())
    assert 1 <= len(left) <= 4
    assert set(less.splitlines()) <= set(whole.splitlines())


def test_what_makes_a_receipt_one_stays_whatever_is_left_out() -> None:
    less = text_without(*Part)
    for kept in (
        "小票号", "时间", "税号", "农夫山泉饮用天然水550ml", "第二件半价", "合计", "现金", "找零",
        "13%", "原有积分", "现有积分", "[990001000123]", "校验码 3FA9",
    ):  # fmt: skip
        assert kept in less, kept


def test_the_logo_and_the_codes_are_blocks_of_the_document() -> None:
    def blocks(*parts: Part) -> Document:
        printing = replace(issue(), shop=replace(SHOP, left_out=frozenset(parts)))
        document = receipt_of(SALE, printing)
        assert document is not None
        return document

    whole = blocks()
    assert Logo() in whole.blocks
    assert Logo() not in blocks(Part.LOGO).blocks
    codes = [block.data for block in whole.blocks if isinstance(block, Qr)]
    assert codes == [
        "https://shop.example/r/990001000123/069764043391",
        "https://invoice.example/?n=990001000123&c=069764043391&t=68.90",
    ]
    back = receipt_of(RETURN, issue())
    assert back is not None
    assert [block.data for block in back.blocks if isinstance(block, Qr)] == codes[:1]
    training = receipt_of(msgspec.structs.replace(SALE, training=True), issue())
    assert training is not None
    assert [block.data for block in training.blocks if isinstance(block, Qr)] == codes[:1]


def test_the_code_follows_from_the_hash_and_from_nothing_that_is_printed() -> None:
    one, other = bytes(32), bytes(31) + b"\1"
    right = int(hashlib.sha256(b"evertill receipt code 1\0" + one).hexdigest(), 16) % 10**12
    assert verification_code(one) == f"{right:012d}"
    codes = {verification_code(number.to_bytes(32)) for number in range(5000)}
    assert len(codes) == 5000
    assert {len(code) for code in codes} == {DIGITS}
    assert all(code.isascii() and code.isdecimal() for code in codes)
    assert verification_code(one) != verification_code(other)
    # Every digit is as likely at every place (chi-squared, nine degrees, one in a million).
    for place in range(DIGITS):
        counts = [sum(code[place] == digit for code in codes) for digit in "0123456789"]
        assert sum((count - 500) ** 2 / 500 for count in counts) < 45


def test_a_coupon_slip_has_the_coupons_bars_alone() -> None:
    slip = coupon_slip(SALE.coupons_issued[0], issue())
    bars = [block.digits for block in slip.blocks if isinstance(block, Barcode)]
    assert bars == ["250012345678901"]
    assert not [block for block in slip.blocks if isinstance(block, Qr)]
    text = plain_text(slip, Grid(32))
    assert "满50减10券" in text
    assert "2026-12-31" in text
    assert "990001000123" in text, "which receipt it came with"
