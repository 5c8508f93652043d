"""A till as it is started, with every device of its settings simulated on a line of its own."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.commands.run import Opened
from desktop.presenters.view import Page
from desktop.services.settings_file import FILE_NAME
from hardware.scale.protocols import ScaleProtocol
from hardware.simulators.display import DisplaySimulator
from hardware.simulators.nfc import BankCard, MemoryCard, NfcSimulator, text_message
from hardware.simulators.scale import ScaleSimulator
from hardware.simulators.scanner import SerialScannerSimulator
from shared.catalogue.codes import member_code
from tests.support.till_fixture import APPLES, CASHIER_PIN, CHIPS, GOODS, enrol_here

WAIT_MS = 20_000
UID = bytes.fromhex("04A2B3C4D5E680")
PAN = "4111111111111111"


class Bench:
    """The lines, and the till on them."""

    def __init__(self) -> None:
        self.scanner = SerialScannerSimulator()
        self.scale = ScaleSimulator(ScaleProtocol.DIALOG_06)
        self.display = DisplaySimulator()
        self.chip = NfcSimulator()
        self.opened = Opened()

    @property
    def settings(self) -> str:
        return (
            f'has_customer_window = true\n[scanner]\nserial = "{self.scanner.port}"\n'
            f'[scale]\nprotocol = "dialog-06"\nserial = "{self.scale.port}"\n'
            'checksum = "4711"\ncorrection = "0815"\n'
            f'[display]\nprotocol = "cd5220"\nserial = "{self.display.port}"\n'
            f'[cards]\nkind = "pn532"\nserial = "{self.chip.port}"\nnumber = "text-or-uid"\n'
        )

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.opened.window.windowHandle(), key)
        QTest.qWait(90)
        assert self.opened.window.settle(30)

    def type(self, text: str) -> None:
        for character in text:
            QTest.keyClick(self.opened.window.windowHandle(), character)
            QTest.qWait(90)
        self.press(Qt.Key.Key_Return)

    def close(self) -> None:
        self.opened.close()
        for one in (self.scale, self.display, self.chip):
            one.close()
        self.scanner.unplug()


@pytest.fixture
def bench(qtbot, tmp_path) -> Iterator[Bench]:
    made = Bench()
    enrol_here(tmp_path, goods=GOODS).close()
    (tmp_path / FILE_NAME).write_text(made.settings, encoding="utf-8")
    made.opened.open(tmp_path)
    assert made.opened.window.settle()
    yield made
    made.close()


def test_a_sale_with_scanner_scale_display_and_cards(qtbot, bench):
    window = bench.opened.window

    def until(is_so) -> None:
        qtbot.waitUntil(is_so, timeout=WAIT_MS)

    bench.press(Qt.Key.Key_Down)
    bench.type(CASHIER_PIN)
    for _ in range(20):
        if window.view.page is Page.SALE:
            break
        bench.press(Qt.Key.Key_Return)
    until(lambda: all(one.check_health(deadline_s=0).is_ready for one in ready(bench)))

    bench.scanner.scan(CHIPS.barcodes[0])
    until(lambda: [line.amount for line in window.view.body.lines] == [750])
    until(lambda: bench.display.picture[0] == "Lay's potato c Y7.50")
    assert bench.display.picture[1] == "Total          Y7.50"

    bench.scale.put(1234)
    bench.scanner.scan(str(APPLES.sku))
    until(lambda: window.view.overlay is not None)
    until(lambda: "1.234 kg" in str(window.view.overlay))
    bench.press(Qt.Key.Key_Return)
    assert [line.quantity for line in window.view.body.lines] == [1, 1234]
    assert bench.scale.prices[-1] == APPLES.list_price_minor

    card = BankCard(UID, PAN)
    bench.chip.lay(card)
    until(lambda: bench.opened.devices.cards.dropped == 1)
    assert len(card.asked) == 1

    number = member_code("0" * 13)
    bench.chip.lay(MemoryCard(UID[:-1] + b"\x01", text_message(number)))
    until(lambda: window.view.overlay is not None)
    assert number in str(window.view.overlay)
    bench.press(Qt.Key.Key_Escape)

    bench.press(Qt.Key.Key_F12)
    until(lambda: window.view.body.change is not None)
    until(lambda: bench.display.picture[1].startswith("Change"))
    texts = bench.opened.customer.texts()
    assert "找零" in texts
    assert PAN not in "".join(texts)


def ready(bench):
    devices = bench.opened.devices
    return (*devices.scanners, devices.cards)


def test_a_till_whose_devices_all_fail_sells(qtbot, bench):
    window = bench.opened.window
    bench.scale.faults.is_silent = True
    bench.chip.faults.is_silent = True
    bench.press(Qt.Key.Key_Down)
    bench.type(CASHIER_PIN)
    for _ in range(20):
        if window.view.page is Page.SALE:
            break
        bench.press(Qt.Key.Key_Return)
    # Not before: what is told while somebody types goes with the next key.
    bench.display.close()
    bench.scanner.unplug()
    qtbot.waitUntil(lambda: "devices.line." in str(window.view.message), timeout=WAIT_MS)
    bench.type(str(APPLES.sku))
    qtbot.waitUntil(lambda: "devices.scale.silent" in str(window.view.overlay), timeout=WAIT_MS)
    bench.type("0.5")
    assert [line.quantity for line in window.view.body.lines] == [500]
    bench.press(Qt.Key.Key_F12)
    assert window.view.body.change is not None
