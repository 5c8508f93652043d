"""Paying with a phone: one scan, and every way it can go."""

from PySide6.QtCore import Qt

from desktop.presenters.view import TillView
from hardware.simulators.payment_books import Behaviour
from tests.support.till_fixture import CHIPS, RICE
from tests.support.till_hands import Hands

WALLET_CODE = "134567890123456789"
Key = Qt.Key


def is_answered(view: TillView) -> bool:
    tender = getattr(view.body, "tender", None)
    return tender is not None and tender.attempt is not None and not tender.attempt.is_running


def is_paid(view: TillView) -> bool:
    return getattr(view.body, "change", None) is not None


def test_a_wallet_code_pays_the_whole_sale(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(is_paid, 10)
    selling.settle()
    assert selling.receipts() == 1


def test_a_wallet_code_pays_the_rest_of_a_split(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("20")
    selling.key(Key.Key_Return)
    assert selling.sale.tender is not None
    assert selling.sale.tender.due == 6990 - 2000
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(is_paid, 10)
    assert [
        attempt.amount.minor for attempt in selling.wallet.books.values() if attempt.amount
    ] == [4990]


def test_a_refusal_leads_back_to_every_other_way(selling: Hands) -> None:
    selling.wallet.script(Behaviour.DECLINE)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(is_answered, 10)
    selling.settle()
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.receipts() == 1


def test_a_lost_answer_is_found_out_and_the_sale_is_paid_once(selling: Hands) -> None:
    selling.wallet.script(Behaviour.LOSE_ANSWER)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(is_paid, 10)
    assert len(selling.wallet.books) == 1


def test_a_dead_line_ends_visibly_unknown(selling: Hands) -> None:
    selling.wallet.script(Behaviour.DEAD_LINE)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(is_answered, 10)
    selling.settle()
    assert selling.sale.tender is not None
    attempt = selling.sale.tender.attempt
    assert attempt is not None
    assert getattr(attempt.text, "key", "") == "till.attempt.unknown"
    assert len(selling.sale.lines) == 1
