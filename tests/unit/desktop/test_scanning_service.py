"""Every scan goes where it belongs; what cannot be right says so and leaves the basket alone."""

import pytest

from desktop.services.scanning import (
    GoodsAdded,
    ReceiptElsewhere,
    ReceiptFound,
    WalletOffered,
    WeightNeeded,
)
from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import coupon_code, own_digits, receipt_code
from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.coupon_code import new_coupon_code
from tests.support.desk import BISCUIT_CODE, WATER_CODE

BANK_CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ("6901285991226", "unknown-barcode", {"code": "6901285991226"}),
        ("NO-SUCH-SKU", "unknown-barcode", {"code": "NO-SUCH-SKU"}),
        ("S" * 60, "unknown-barcode", {"code": "S" * 24}),
        ("6901285991218", "damaged-code", {"why": "wrong-check-digit"}),
        ("69012859912", "unknown-barcode", {"code": "69012859912"}),
        ("", "damaged-code", {"why": "unreadable"}),
        ("\x00\x01\x02", "damaged-code", {"why": "unreadable"}),
        ("9" * 5000, "damaged-code", {"why": "unreadable"}),
        ("12345678901234567890123", "damaged-code", {"why": "wrong-length"}),
        (BANK_CARD, "payment-card-dropped", {}),
        (coupon_code("1" * own_digits(CodeKind.COUPON)), "unknown-coupon", {}),
        ("'; DROP TABLE goods; --", "unknown-barcode", {"code": "'; DROP TABLE goods; --"}),
    ],
)
def test_codes_that_lead_nowhere_are_told_in_words_and_change_nothing(desk, text, code, fields):
    desk.scan(WATER_CODE)
    before = desk.counter.checkout.basket.state
    with pytest.raises(DomainError) as caught:
        desk.counter.scanning.scan(text)
    assert (caught.value.code, caught.value.fields) == (code, fields)
    assert desk.counter.checkout.basket.state is before
    for language in Language:
        said = words(language).error(caught.value)
        assert said
        assert BANK_CARD not in said


@pytest.mark.parametrize(
    "text",
    [WATER_CODE, f"]E0{WATER_CODE}", f"{WATER_CODE}\r\n", "A1", "６９０１２８５９９１２１９"],
)
def test_the_same_goods_by_every_way_of_reading_them(desk, text):
    assert isinstance(desk.counter.scanning.scan(text), GoodsAdded)
    assert desk.counter.checkout.basket.state.lines[0].goods.sku == "A1"


def test_weighed_goods_ask_for_their_weight(desk):
    found = desk.counter.scanning.scan("20001")
    assert isinstance(found, WeightNeeded)
    assert desk.counter.checkout.basket.state.is_empty


def test_a_quantity_typed_before_the_scan_counts(desk):
    desk.counter.scanning.scan(BISCUIT_CODE, quantity=7)
    assert desk.counter.checkout.basket.state.lines[0].units == 7


def test_a_receipt_opens_its_return_and_one_of_elsewhere_asks_the_server(desk):
    sale = desk.sell(WATER_CODE)
    found = desk.counter.scanning.scan(sale.fact.receipt_no)
    assert isinstance(found, ReceiptFound)
    assert found.sold.entry_id == sale.entry_id
    other = receipt_code(till_number=77, epoch=1, number=5)
    assert desk.counter.scanning.scan(other) == ReceiptElsewhere(other)


def test_a_payment_code_is_offered_and_never_shown(desk):
    found = desk.counter.scanning.scan("134567890123456789")
    assert isinstance(found, WalletOffered)
    assert "134567890123456789" not in repr(found)


def test_a_coupon_of_another_chain_is_not_ours(desk):
    code = new_coupon_code(b"another chain's key", "ten-off-fifty", lambda n: bytes(range(n)))
    with pytest.raises(DomainError) as caught:
        desk.counter.scanning.scan(code)
    assert caught.value.code == "unknown-coupon"


def test_an_approval_card_names_nobody_where_other_codes_are_read(desk):
    assert desk.counter.scanning.identify(WATER_CODE) is None
    assert desk.counter.checkout.basket.state.is_empty
