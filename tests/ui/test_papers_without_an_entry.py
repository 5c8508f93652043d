"""X report, coupon slips and test page: asked for at the window, on the paper, and never lost."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.presenters.text import Say
from desktop.presenters.view import Choices
from desktop.till_window import open_station
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import TcpTransport
from hardware.simulators.printer import PrinterSimulator
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.catalogue.codes import CouponCode, classify
from shared.clock import ManualClock, SystemClock
from shared.loyalty.effects import AmountOff, IssueCoupon
from shared.loyalty.offers import Coupon
from tests.pricing_builders import names, offer
from tests.support.till_errands import by, sell
from tests.support.till_fixture import MORNING, RICE
from tests.support.till_hands import Hands

Key = Qt.Key
ISSUING = offer("issuing", IssueCoupon(coupon="five"))
FIVE = offer("five", AmountOff(off_minor=5_00), claimed=True)
FIVE_COUPON = Coupon(id="five", version=1, names=names("five"), offer="five", valid_days=30)


@pytest.fixture
def paper() -> Iterator[PrinterSimulator]:
    with PrinterSimulator(paper=built_in_profiles().paper("80mm")) as made:
        yield made


@pytest.fixture
def hands(qtbot: QtBot, store: OpenStore, paper: PrinterSimulator) -> Iterator[Hands]:
    """A till with a printer on TCP."""
    clock, scanner = ManualClock(MORNING), CallbackScannerSimulator()
    scanner.open()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    book = built_in_profiles()
    encoder = Encoder(book.profile("gb"), book.paper("80mm"))
    link = TcpTransport("127.0.0.1", paper.port)
    printer = EscposPrinter("printer", link, encoder.profile, clock=SystemClock())
    printer.open()
    around = Surroundings(clock=clock, gateway=wallet, printer=printer, encoder=encoder)
    station = open_station(store, around, scanner=scanner)
    qtbot.addWidget(station.window)
    station.window.resize(1024, 768)
    station.window.show()
    station.loop.start()
    station.listen()
    made = Hands(station=station, clock=clock, scanner=scanner, wallet=wallet)
    assert station.till.spooler is not None
    station.till.spooler.start()
    yield made
    station.close()
    printer.close()


def printed(hands: Hands, paper: PrinterSimulator) -> list[str]:
    spooler = hands.station.till.spooler
    assert spooler is not None
    assert spooler.wait_idle(20)
    paper.settle()
    return [job.text() for job in paper.jobs]


def test_enter_prints_the_x_report(selling: Hands, paper: PrinterSimulator) -> None:
    sell(selling, RICE)
    before = len(printed(selling, paper))
    selling.key(Key.Key_F10)
    selling.tap("menu", "figures")
    selling.key(Key.Key_Return)
    assert selling.told == "till.figures.printed"
    report = printed(selling, paper)[before]
    assert "班次未结，仅供查看" in report
    assert selling.overlay.kind == "figures"


@by(ISSUING, FIVE, coupons=(FIVE_COUPON,))
def test_slips_of_a_sale_bear_its_coupons(selling: Hands, paper: PrinterSimulator) -> None:
    sale = sell(selling, RICE)
    (issued,) = sale.coupons_issued
    assert issued.offer_id == "five"
    before = len(printed(selling, paper))
    selling.key(Key.Key_F10)
    selling.tap("menu", "receipts")
    selling.tap("coupons")
    assert selling.told == "till.receipts.coupons-printed"
    (slip,) = printed(selling, paper)[before:]
    words = {word.rstrip("]") for word in slip.split()}
    assert len([word for word in words if isinstance(classify(word), CouponCode)]) == 1, slip


def test_a_doubtful_x_report_is_called_by_its_name_and_printed_again_as_a_copy(
    selling: Hands, paper: PrinterSimulator
) -> None:
    selling.key(Key.Key_F10)
    selling.tap("menu", "figures")
    paper.faults.reset_after = 200
    selling.key(Key.Key_Return)
    spooler = selling.station.till.spooler
    assert spooler is not None
    assert spooler.wait_idle(20)
    paper.faults.reset_after = None
    selling.key(Key.Key_Escape)
    selling.key(Key.Key_F10)
    selling.tap("menu", "papers")
    (rows,) = (part for part in selling.overlay.parts if isinstance(part, Choices))
    (title,) = (row.title for row in rows.items)
    assert isinstance(title, Say)
    assert title.key == "paper.title.x-report"
    selling.tap("copy")
    assert selling.told == "till.papers.settled"
    assert "副本 COPY 1" in printed(selling, paper)[-1]
    assert selling.station.till.copies.uncertain() == []
