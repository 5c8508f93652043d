"""Every code on every page and sheet, in every text field and over every open list.

The inventory at the end reads the presenters: a sheet that nobody opens here fails it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from shutil import copytree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.presenters.drawer import REASONS
from desktop.presenters.first_run import FaultPresenter, FirstRunPresenter
from desktop.presenters.text import key_of
from desktop.presenters.till_loop import Presenter, TillLoop
from desktop.presenters.view import Page, PinPad, TillView
from desktop.store.database import TillFolder
from desktop.till_window import build_window
from desktop.ui.window import TillWindow
from hardware.scanner.serial import SerialScanner
from hardware.simulators.scanner import KEY_INTERVAL_S, SerialScannerSimulator
from shared.catalogue.codes import approval_code, member_code, receipt_code
from shared.clock import ManualClock
from shared.errors import DomainError, EnvironmentFault
from shared.ids import GoodsId
from shared.language import Language
from shared.loyalty.coupon_code import new_coupon_code
from tests.support.till_fixture import (
    APPLES,
    CASHIER_PIN,
    CHIPS,
    GOODS,
    LOOKUP_KEY,
    MANAGER_PIN,
    MORNING,
    PEOPLE,
    open_till,
)
from tests.support.till_hands import Hands
from tests.ui.places import (
    CLOSED,
    PROGRAMME,
    SELLING,
    TOY,
    TYPED,
    WINE,
    approve,
    assert_untouched,
    boxes,
    day_closed,
    focus,
    kind_in_front,
    speak,
    stops,
    wedge_with_caps_lock,
)

Key = Qt.Key
PRESENTERS = Path(__file__).parents[2] / "desktop" / "presenters"
KINDS = re.compile(r'(?:kind=|_kind = )f?"([a-z-]+)["{]')
WALLET_CODE = "134567890123456789"
BANK_CARD = "6222021234567890128"
MISREAD = "6924743915764"
UNKNOWN = "6900000000014"
MEMBERS = {member_code("1234567890123"): "李雷", member_code("7234567890123"): "韩梅梅"}
MEMBER_CARDS = tuple(MEMBERS)
OTHER_CARD = member_code("8234567890123")
MANAGER_CARD = approval_code("1234567890123")
FOREIGN_RECEIPT = receipt_code(till_number=2, epoch=1, number=7)
TEA = replace(CHIPS, sku=GoodsId("Tea-7b"), list_price_minor=1500, barcodes=())
ANSWER_S = 10
WITHOUT_TEXT = {
    "sale", "tender", "help", "holds", "approval", "drawer", "drawer-no-sale", "menu", "figures",
    "payments", "printer-test", "papers", "sync", "return-without", "looked-at", "choose-gift",
    "taking-part",
}  # fmt: skip
"""Nothing on these takes text; an input method is asleep on them."""


BEFORE_PAYING = ("looked-at", "choose-gift")
"""What is settled before money is asked for."""


class NoLine:
    """A server that cannot be reached."""

    def lookup(self, _request: object) -> object:
        raise EnvironmentFault("server-unreachable", url="http://127.0.0.1:9")

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A till's folder: tea without a barcode, a card for the manager, two members, a shift."""
    path = tmp_path_factory.mktemp("shop")
    cashier, manager = PEOPLE
    people = (cashier, replace(manager, card=MANAGER_CARD))
    goods = (*GOODS, TEA, WINE, TOY)
    with open_till(path, goods=goods, people=people, programme=PROGRAMME) as till:
        for card, name in MEMBERS.items():
            till.members.enrol(name=name, card=card, operator_id=cashier.operator_id, tier="member")
        till.counter().shifts.open(cashier.operator_id, ())
    return path


@pytest.fixture
def store(shop: Path, tmp_path: Path) -> OpenStore:
    return OpenStore(TillFolder(copytree(shop, tmp_path / "till")))


@pytest.fixture
def counter(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Hands:
    """On the sale page, without a server. Nothing is painted: that takes half of the time."""
    monkeypatch.setattr(hands.station.till, "connect", NoLine)
    hands.station.window.setUpdatesEnabled(False)
    hands.key(Key.Key_Down)
    hands.type(CASHIER_PIN)
    hands.key(Key.Key_Return)
    assert hands.view.page is Page.SALE
    return hands


@dataclass(frozen=True)
class Alone:
    """A window without a till behind it."""

    loop: TillLoop
    window: TillWindow
    clock: ManualClock

    @property
    def told(self) -> str:
        assert self.window.view is not None
        assert self.window.view.message is not None
        return key_of(self.window.view.message.text)

    def wedge(self, code: str) -> None:
        for character in code:
            QTest.keyClick(self.window.windowHandle(), character)
            self.clock.advance(seconds=KEY_INTERVAL_S)
        QTest.keyClick(self.window.windowHandle(), Key.Key_Return)
        self.clock.advance(seconds=1)
        assert self.window.settle()


@dataclass(frozen=True)
class Sold:
    """What of a sale a scan can change."""

    items: int
    member: str
    coupons: int


def what_is_sold(hands: Hands) -> Sold:
    sale = hands.sale
    return Sold(sale.items, sale.member.name if sale.member else "", len(sale.coupons))


@dataclass(frozen=True)
class Code:
    """What is scanned, how the till answers, and what changes on the sale page."""

    text: str
    told: str
    changes: Callable[[Sold], dict[str, int | str]] = lambda _sold: {}


def fresh_coupons() -> Iterator[str]:
    for number in count():
        yield new_coupon_code(LOOKUP_KEY, "ten-off-fifty", lambda n, at=number: bytes([at]) * n)


def pin_digits(hands: Hands) -> list[int]:
    sheet = hands.view.overlay or hands.view.body
    return [part.entered for part in getattr(sheet, "parts", ()) if isinstance(part, PinPad)]


@pytest.mark.parametrize("kind", SELLING)
def test_goods_are_rung_up_wherever_the_focus_is(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    front = kind_in_front(counter)
    assert front.startswith(kind)
    assert any(isinstance(box, QLineEdit) for box in boxes(counter)) == (kind not in WITHOUT_TEXT)
    for language, wedge, code in (
        (Language.CHINESE, Hands.wedge, CHIPS.barcodes[0]),
        (Language.ENGLISH, Hands.wedge, TEA.sku),
        (Language.ENGLISH, wedge_with_caps_lock, TEA.sku),
    ):
        speak(counter, language)
        for box in stops(counter):
            before = counter.sale.items
            wedge(counter, code)
            assert (counter.told, counter.sale.items) == ("", before + 1)
            assert_untouched(box)
            assert kind_in_front(counter) == front


@pytest.mark.parametrize("kind", ["sale", "member-search", "drawer-drop", "return-"])
def test_a_scanner_may_end_with_a_tab_or_with_a_pause(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    for box in stops(counter):
        before, focused = counter.sale.items, counter.station.window.focusWidget()
        strokes(counter, CHIPS.barcodes[0])
        counter.press(Key.Key_Tab)
        counter.settle()
        if box is not None:
            focus(counter, box)
        strokes(counter, CHIPS.barcodes[0])
        counter.clock.advance(seconds=1)
        counter.station.window.router.tick()
        counter.settle()
        assert counter.sale.items == before + 2
        assert counter.station.window.focusWidget() is focused
        assert_untouched(box)


@pytest.mark.parametrize("kind", ["sale", "approval", "enrolment-", "drawer-paid-out", "papers"])
def test_bytes_on_the_serial_line_are_rung_up_over_fields_and_open_lists(
    counter: Hands, serial_line: SerialScannerSimulator, kind: str
) -> None:
    SELLING[kind](counter)
    for box in stops(counter):
        before = counter.sale.items
        serial_line.scan(CHIPS.barcodes[0], identifier="]E0")
        assert counter.station.loop.wait_for(has_items(before + 1), ANSWER_S)
        counter.settle()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        assert_untouched(box)


def has_items(items: int) -> Callable[[TillView], bool]:
    return lambda view: getattr(view.body, "items", -1) == items


@pytest.fixture
def serial_line(counter: Hands) -> Iterator[SerialScannerSimulator]:
    line = SerialScannerSimulator()
    scanner = SerialScanner("serial", line.port, clock=counter.clock)
    scanner.deliver_to(counter.station.window.scanned)
    scanner.open()
    assert scanner.wait_until_connected(timeout_s=ANSWER_S)
    yield line
    scanner.close()
    line.unplug()


def quiet_codes(member: str, coupon: str, front: str) -> tuple[Code, ...]:
    """Those that put no sheet in front: taken or refused, and said either way."""
    card = "" if front == "approval" else "till.sale.nothing-to-approve"
    return (
        Code(member, "till.sale.member-attached", lambda _sold: {"member": MEMBERS[member]}),
        Code(MANAGER_CARD, card),
        Code(MISREAD, "error.damaged-code"),
        Code(UNKNOWN, "error.unknown-barcode"),
        Code(BANK_CARD, "error.payment-card-dropped"),
        Code(coupon, "till.sale.coupon-taken", lambda sold: {"coupons": sold.coupons + 1}),
    )


@pytest.mark.parametrize("kind", SELLING)
def test_cards_and_coupons_are_heard_wherever_the_focus_is(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    fresh = fresh_coupons()
    for stop, box in enumerate(stops(counter)):
        codes = quiet_codes(MEMBER_CARDS[stop % 2], next(fresh), kind_in_front(counter))
        for code in codes:
            if box is not None:
                focus(counter, box)
            shown = what_is_sold(counter)
            counter.wedge(code.text)
            assert counter.told == code.told
            assert what_is_sold(counter) == replace(shown, **code.changes(shown))
            assert kind_in_front(counter).startswith(kind)
            assert_untouched(box)


def opening_codes(receipt_no: str) -> dict[str, str]:
    """Those that put a sheet in front, by its kind."""
    return {
        "return-": receipt_no,
        "return-start": FOREIGN_RECEIPT,
        "enrolment-": OTHER_CARD,
        "weight-": APPLES.sku,
    }


def sell_chips(hands: Hands) -> str:
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F12)
    hands.clock.advance(seconds=1)
    assert hands.sale.change is not None
    return hands.sale.change.receipt_no


@pytest.mark.parametrize("kind", SELLING)
def test_what_needs_a_sheet_opens_it_over_any_other_and_goes_again(
    counter: Hands, kind: str
) -> None:
    codes = opening_codes(sell_chips(counter))
    SELLING[kind](counter)
    front, sold = kind_in_front(counter), what_is_sold(counter)
    for opened, code in codes.items():
        for _box in stops(counter):
            stood = texts(counter)
            counter.wedge(code)
            assert counter.overlay.kind.startswith(opened)
            assert set(texts(counter)) <= {"", TYPED, OTHER_CARD}
            counter.key(Key.Key_Escape)
            assert (kind_in_front(counter), what_is_sold(counter)) == (front, sold)
            assert texts(counter) == stood


def texts(hands: Hands) -> list[str]:
    return [box.text() for box in boxes(hands) if isinstance(box, QLineEdit)]


def test_each_of_two_weighed_articles_gets_its_own_kilograms(counter: Hands) -> None:
    counter.wedge(APPLES.sku)
    counter.type("0.5")
    counter.wedge(APPLES.sku)
    counter.type("0.7")
    counter.key(Key.Key_Return)
    counter.type("0.3")
    counter.key(Key.Key_Return)
    assert [line.quantity for line in counter.sale.lines] == [700, 300]
    assert counter.view.overlay is None


def is_paid(view: TillView) -> bool:
    return getattr(view.body, "change", None) is not None


@pytest.mark.parametrize("kind", BEFORE_PAYING)
def test_a_wallet_code_waits_for_what_comes_before_paying(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    before = counter.receipts()
    for _ in range(2):
        counter.wedge(WALLET_CODE)
    assert kind_in_front(counter) == kind
    counter.key(Key.Key_Escape)
    assert counter.view.overlay is None
    assert counter.receipts() == before


@pytest.mark.parametrize("kind", [kind for kind in SELLING if kind not in BEFORE_PAYING])
def test_a_wallet_code_pays_wherever_the_focus_is(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    before = counter.receipts()
    box = None
    for box in stops(counter):
        if counter.sale.lines:
            continue
        counter.wedge(WALLET_CODE)
        assert counter.told == "error.basket-empty"
        assert kind_in_front(counter).startswith(kind)
        assert_untouched(box)
    if not counter.sale.lines:
        counter.wedge(CHIPS.barcodes[0])
    if box is not None:
        focus(counter, box)
    counter.wedge(WALLET_CODE)
    assert counter.station.loop.wait_for(is_paid, ANSWER_S)
    counter.settle()
    assert (counter.receipts(), counter.view.overlay) == (before + 1, None)


@pytest.mark.parametrize("kind", CLOSED)
def test_where_no_sale_can_begin_the_scan_is_answered_and_types_nothing(
    counter: Hands, kind: str
) -> None:
    go, answer = CLOSED[kind]
    go(counter)
    front = kind_in_front(counter)
    assert front.startswith(kind)
    for language in Language:
        speak(counter, language)
        for box in stops(counter):
            for code in every_kind_of_code():
                if box is not None:
                    focus(counter, box)
                counter.wedge(code)
                assert (kind_in_front(counter), counter.told) == (front, answer)
                assert_untouched(box)
    assert counter.receipts() == 0


def every_kind_of_code() -> tuple[str, ...]:
    return (CHIPS.barcodes[0], MEMBER_CARDS[0], next(fresh_coupons()), FOREIGN_RECEIPT, WALLET_CODE)


@pytest.mark.parametrize("language", list(Language))
def test_before_the_sign_in_the_scan_is_answered_and_is_no_pin(
    hands: Hands, language: Language
) -> None:
    speak(hands, language)
    hands.type("12")
    for code in every_kind_of_code():
        hands.wedge(code)
        assert (hands.view.page, hands.told) == (Page.SIGN_IN, "error.sign-in-first")
        assert pin_digits(hands) == [2]


@pytest.mark.parametrize("language", list(Language))
def test_before_a_shift_the_scan_is_answered_in_every_field(
    counter: Hands, language: Language
) -> None:
    speak(counter, language)
    day_closed(counter)
    counter.key(Key.Key_Return)
    counter.sign_in()
    for box in stops(counter):
        for code in (*every_kind_of_code(), MANAGER_CARD):
            counter.wedge(code)
            assert (counter.view.page, counter.told) == (Page.OPEN_SHIFT, "error.no-shift")
            assert_untouched(box)


def test_a_managers_card_names_who_signs_in(hands: Hands) -> None:
    hands.wedge(MANAGER_CARD)
    hands.type(MANAGER_PIN)
    hands.key(Key.Key_Return)
    assert hands.view.page is Page.SALE
    assert hands.view.top is not None
    assert hands.view.top.operator == PEOPLE[1].name


def test_a_pin_that_is_half_typed_is_no_digit_longer_after_a_scan(counter: Hands) -> None:
    approve(counter)
    counter.type(MANAGER_PIN[:2])
    for code in (CHIPS.barcodes[0], MEMBER_CARDS[0], next(fresh_coupons()), MISREAD):
        counter.wedge(code)
        assert (kind_in_front(counter), pin_digits(counter)) == ("approval", [2])
    counter.type(MANAGER_PIN[2:])
    counter.key(Key.Key_Return)
    assert counter.told == "till.price.done"


def test_an_approvers_card_is_heard_in_the_middle_of_an_approval(counter: Hands) -> None:
    approve(counter)
    counter.type("12")
    counter.wedge(MANAGER_CARD)
    assert (kind_in_front(counter), pin_digits(counter)) == ("approval", [0])
    counter.type(MANAGER_PIN)
    counter.key(Key.Key_Return)
    assert counter.told == "till.price.done"


# Input methods. Each eats part of a scan of ``code``; what of it comes as keys is typed as keys.


def eats_the_beginning(hands: Hands, code: str) -> None:
    """The first two characters are composed, shown and turned into Han."""
    compose(hands, "ni")
    compose(hands, "ni hao")
    hands.compose("你好")
    strokes(hands, code[2:])


def eats_the_middle(hands: Hands, code: str) -> None:
    strokes(hands, code[:5])
    compose(hands, "ni hao")
    hands.compose("你好")
    strokes(hands, code[5:])


def was_composing(hands: Hands, code: str) -> None:
    """Somebody was called away in the middle of a word: the first digit chooses a candidate."""
    compose(hands, "sh")
    hands.clock.advance(seconds=5)
    hands.station.window.router.tick()
    compose(hands, "shu")
    hands.clock.advance(seconds=5)
    hands.compose("书")
    strokes(hands, code[1:])


def ends_in_a_composition(hands: Hands, code: str) -> None:
    """The last characters are composed and the Enter of the scan commits them as they are."""
    strokes(hands, code[:-2])
    compose(hands, code[-2:])
    hands.compose(code[-2:])


def writes_full_width(hands: Hands, code: str) -> None:
    """Every digit is committed, as 0xFEE0 more than itself."""
    for digit in code:
        hands.compose(chr(ord(digit) + 0xFEE0))
        hands.clock.advance(seconds=KEY_INTERVAL_S)


EATEN = (
    eats_the_beginning,
    eats_the_middle,
    was_composing,
    ends_in_a_composition,
    writes_full_width,
)


def compose(hands: Hands, shown: str) -> None:
    """Something is composed at the cursor, and no part of the text yet."""
    QApplication.sendEvent(hands.station.window.focusWidget(), QInputMethodEvent(shown, []))


def strokes(hands: Hands, code: str) -> None:
    for character in code:
        hands.press(Key(ord(character)))
        hands.clock.advance(seconds=KEY_INTERVAL_S)


def cursor_at(line: QLineEdit) -> object:
    """Where it is painted: behind whatever is being composed."""
    return line.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)


@pytest.mark.parametrize("kind", [kind for kind in SELLING if kind not in WITHOUT_TEXT])
def test_what_an_input_method_ate_is_taken_back_in_every_field(counter: Hands, kind: str) -> None:
    SELLING[kind](counter)
    front, sold = kind_in_front(counter), what_is_sold(counter)
    lines = [box for box in boxes(counter) if isinstance(box, QLineEdit)]
    assert lines
    for number, line in enumerate(lines):
        for eat in EATEN:
            focus(counter, line)
            if number % 2 == 0:
                line.selectAll()
            stood = (line.selectedText(), cursor_at(line))
            eat(counter, CHIPS.barcodes[0])
            counter.key(Key.Key_Return)
            assert counter.told == "error.damaged-code", eat
            assert (kind_in_front(counter), what_is_sold(counter)) == (front, sold)
            assert (line.text(), line.selectedText(), cursor_at(line)) == (TYPED, *stood), eat


def test_a_serial_scan_leaves_a_composition_as_it_is(counter: Hands) -> None:
    counter.key(Key.Key_F3)
    compose(counter, "li")
    counter.scan(CHIPS.barcodes[0])
    counter.clock.advance(seconds=1)
    counter.compose("李雷")
    counter.clock.advance(seconds=1)
    counter.station.window.router.tick()
    counter.settle()
    field = counter.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == "李雷"
    assert counter.sale.items == 1
    counter.key(Key.Key_Return)
    assert what_is_sold(counter).member == "李雷"


def test_a_composition_whose_field_is_gone_is_forgotten(counter: Hands) -> None:
    counter.key(Key.Key_F3)
    compose(counter, "li")
    counter.key(Key.Key_F2)
    (line,) = boxes(counter)
    assert isinstance(line, QLineEdit)
    focus(counter, line)
    eats_the_beginning(counter, CHIPS.barcodes[0])
    counter.key(Key.Key_Return)
    assert (line.text(), counter.told) == (TYPED, "error.damaged-code")


def test_a_word_composed_before_a_damaged_scan_stays(counter: Hands) -> None:
    counter.key(Key.Key_F3)
    compose(counter, "li lei")
    counter.compose("李雷")
    counter.clock.advance(seconds=1)
    counter.station.window.router.tick()
    eats_the_beginning(counter, CHIPS.barcodes[0])
    counter.key(Key.Key_Return)
    field = counter.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert (field.text(), counter.told) == ("李雷", "error.damaged-code")


# Before there is a till


@pytest.fixture
def alone(qtbot: QtBot) -> Iterator[Callable[[Presenter], Alone]]:
    """Opens a window on a presenter that needs no till."""
    opened: list[Alone] = []

    def open_on(presenter: Presenter) -> Alone:
        loop, clock = TillLoop(), ManualClock(MORNING)
        window = build_window(loop, Surroundings(clock=clock))
        qtbot.addWidget(window)
        window.show()
        loop.attach(presenter, window.publish)
        loop.start()
        loop.show()
        opened.append(Alone(loop, window, clock))
        assert window.settle()
        return opened[-1]

    yield open_on
    for one in opened:
        one.window.close()
        one.loop.close()


@pytest.mark.parametrize("language", list(Language))
def test_on_the_first_page_a_scan_is_answered_and_types_nothing(
    alone: Callable[[Presenter], Alone], language: Language
) -> None:
    asked: list[str] = []
    presenter = FirstRunPresenter(lambda _url, code: asked.append(code), language=language)
    first_run = alone(presenter)
    lines = first_run.window.findChildren(QLineEdit)
    assert len(lines) == 2
    for line in lines:
        line.setFocus()
        line.setText(TYPED)
        for code in every_kind_of_code():
            first_run.wedge(code)
            assert first_run.told == "till.first-run.too-early"
            assert line.text() == TYPED
            assert first_run.window.focusWidget() is line
    assert asked == []


@pytest.mark.parametrize("language", list(Language))
def test_a_scan_neither_closes_a_till_that_cannot_start_nor_hides_why(
    alone: Callable[[Presenter], Alone], language: Language
) -> None:
    closed: list[bool] = []
    fault = FaultPresenter(
        DomainError("no-shift"), language=language, close=lambda: closed.append(True)
    )
    page = alone(fault)
    for code in every_kind_of_code():
        page.wedge(code)
        assert page.told == "error.no-shift"
    assert closed == []


def test_every_sheet_there_is_was_scanned_at() -> None:
    there_are = {
        kind
        for file in PRESENTERS.glob("*.py")
        for kind in KINDS.findall(file.read_text(encoding="utf-8"))
    }
    drawers = {kind for kind in SELLING if kind.startswith("drawer-")}
    opened = {*SELLING, *CLOSED, "sign-in", "open-shift", "first-run", "fault", "drawer-"}
    assert there_are == opened - {"sale", "tender"} - (drawers - {"drawer-"})
    assert {f"drawer-{kind}" for kind in REASONS} == drawers
    assert {page.value for page in Page} <= opened | {"close-shift"}
