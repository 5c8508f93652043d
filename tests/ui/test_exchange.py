"""An exchange at the window: new goods, the old receipt, what comes back, the rest."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.presenters.session import Session
from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.language import Language
from shared.receipt.layout import Grid, plain_text
from shared.trade.ticket import SaleReturned
from tests.support.till_errands import facts, last_entry, last_sale, sell
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
SCREENS = Path("build/screens/tests")


def exchange(hands: Hands, receipt_no: str) -> None:
    """The receipt is scanned over the new goods; all of it comes back."""
    hands.scan(receipt_no)
    assert hands.overlay.kind.startswith("return-")
    hands.tap("all")
    hands.tap("exchange")


@pytest.mark.parametrize("language", list(Language))
def test_dearer_goods_by_scan_and_one_key(selling: Hands, language: Language) -> None:
    selling.station.window.resize(1024, 768)
    selling.tap("language", language.value)
    first = sell(selling, WATER)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(first.receipt_no)
    selling.tap("all")
    SCREENS.mkdir(parents=True, exist_ok=True)
    window = selling.station.window
    assert window.grab().save(str(SCREENS / f"exchange-{language.value}.png"))
    selling.tap("exchange")
    assert selling.told == "till.exchange.taken"
    panel = selling.sale.tender
    assert panel is not None
    assert panel.due == CHIPS.list_price_minor - WATER.list_price_minor
    assert window.grab().save(str(SCREENS / f"exchange-panel-{language.value}.png"))
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.told == "till.exchange.done"
    sale = last_sale(selling)
    assert sale.exchange is not None
    (back,) = facts(selling, SaleReturned)
    assert back.original_receipt_no == first.receipt_no
    till = selling.station.till
    job = PrintJob("j", last_entry(selling).envelope.id, 0, language.value, JobState.QUEUED, "")
    text = plain_text(Papers(till.books, till.shop()).document(job), Grid(42))
    assert back.receipt_no in text


def test_cheaper_goods_give_change_with_the_next_key(selling: Hands) -> None:
    first = sell(selling, CHIPS)
    selling.scan(WATER.barcodes[0])
    exchange(selling, first.receipt_no)
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    strip = selling.sale.change
    assert strip is not None
    assert strip.change == CHIPS.list_price_minor - WATER.list_price_minor


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the drawer was to open."""
    times: list[str] = []
    monkeypatch.setattr(Session, "open_drawer", lambda _session: times.append("opened"))
    return times


def test_goods_of_one_price_open_no_drawer(selling: Hands, opened: list[str]) -> None:
    first = sell(selling, CHIPS)
    assert len(opened) == 1
    selling.scan(CHIPS.barcodes[0])
    exchange(selling, first.receipt_no)
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert last_sale(selling).exchange is not None
    assert len(opened) == 1


def test_an_exchange_is_given_back_in_the_panel(selling: Hands) -> None:
    first = sell(selling, CHIPS)
    selling.scan(RICE.barcodes[0])
    exchange(selling, first.receipt_no)
    selling.tap("withdraw", "0")
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert last_sale(selling).exchange is None
    assert facts(selling, SaleReturned) == []


def test_without_new_goods_the_button_is_dead(selling: Hands) -> None:
    first = sell(selling, CHIPS)
    selling.scan(first.receipt_no)
    selling.tap("all")
    (button,) = (one for one in selling.overlay.buttons if one.name == "exchange")
    assert not button.is_enabled
