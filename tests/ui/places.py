"""The places of a till where a scan can meet somebody: how to get there, and what has the focus."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from desktop.presenters.view import Fields, SaleView, Sheet
from desktop.printer_trial import PrinterTrial
from desktop.services.settings_file import PrinterSettings
from hardware.simulators.scanner import KEY_INTERVAL_S
from shared.catalogue.codes import member_code
from shared.ids import GoodsId
from shared.language import Language
from shared.loyalty.accounts import Restriction
from shared.loyalty.bundle import template
from shared.loyalty.conditions import Quantity
from shared.loyalty.effects import Gift
from tests.pricing_builders import names, offer, only
from tests.support.benefits import SPRING
from tests.support.till_fixture import APPLES, CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
Open = Callable[[Hands], None]
TYPED = "1"
WINE = replace(CHIPS, sku=GoodsId("Wine-8c"), barcodes=("6900000000106",))
TOY = replace(CHIPS, sku=GoodsId("Toy-9d"), barcodes=("6900000000113",))
_DEFAULT = template("default")
PROGRAMME = msgspec.structs.replace(
    _DEFAULT,
    restrictions=(
        Restriction(id="wine", names=names("wine"), goods=only(WINE.sku), minimum_age=18),
    ),
    offers=(
        *_DEFAULT.offers,
        offer(
            "gift",
            Gift(choices=(CHIPS.sku, WATER.sku)),
            conditions=(Quantity(minimum=1, goods=only(TOY.sku)),),
        ),
    ),
    draws=(SPRING,),
)
"""As usual, with goods to look at, goods that a gift comes with, and a draw."""
X11_LOCK_MASK = 0x2
NEW_CARD = member_code("9234567890123")


def by_key(key: Qt.Key) -> Open:
    return lambda hands: hands.key(key)


def from_menu(name: str) -> Open:
    def go(hands: Hands) -> None:
        hands.key(Key.Key_F10)
        hands.tap("menu", name)

    return go


def drawer(kind: str) -> Open:
    def go(hands: Hands) -> None:
        hands.key(Key.Key_F9)
        hands.tap("kind", kind)

    return go


def hold_two(hands: Hands) -> None:
    for goods in (WATER, RICE):
        hands.scan(goods.barcodes[0])
        hands.key(Key.Key_F4)
        hands.clock.advance(seconds=1)
    hands.key(Key.Key_F4)


def weigh(hands: Hands) -> None:
    hands.type(APPLES.sku)
    hands.key(Key.Key_Return)


def price(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F8)


def discount(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    from_menu("discount")(hands)


def approve(hands: Hands) -> None:
    price(hands)
    hands.type("1")
    hands.key(Key.Key_Return)


def tender(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F11)


def return_of_a_receipt(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    weigh(hands)
    hands.type("0.5")
    hands.key(Key.Key_Return)
    hands.key(Key.Key_F12)
    hands.clock.advance(seconds=1)
    assert hands.sale.change is not None
    hands.scan(hands.sale.change.receipt_no)


def return_without(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F5)
    hands.tap("without")


def refund_amount(hands: Hands) -> None:
    return_of_a_receipt(hands)
    hands.tap("amount", "amount")


def close_shift(hands: Hands) -> None:
    from_menu("close-shift")(hands)


def difference(hands: Hands) -> None:
    close_shift(hands)
    hands.type("1")
    until_kind(hands, "close-difference")


def closed(hands: Hands) -> None:
    difference(hands)
    until_kind(hands, "closed")


def close_day(hands: Hands) -> None:
    closed(hands)
    hands.key(Key.Key_Return)


def day_closed(hands: Hands) -> None:
    close_day(hands)
    hands.key(Key.Key_Return)


def until_kind(hands: Hands, kind: str) -> None:
    """Enter goes through the fields, then on."""
    for _ in range(20):
        if getattr(hands.view.body, "kind", "") == kind:
            return
        hands.key(Key.Key_Return)
    raise AssertionError(kind)


def look_at_age(hands: Hands) -> None:
    hands.scan(WINE.barcodes[0])
    hands.clock.advance(seconds=1)
    hands.key(Key.Key_F12)


def choose_gift(hands: Hands) -> None:
    hands.scan(TOY.barcodes[0])
    hands.clock.advance(seconds=1)
    hands.key(Key.Key_F12)


def enter_draw(hands: Hands) -> None:
    hands.scan(member_code("1234567890123"))
    hands.clock.advance(seconds=1)
    from_menu("taking-part")(hands)
    hands.tap("take-part", f"draw {SPRING.id}")


def change_profile(hands: Hands) -> None:
    hands.scan(member_code("1234567890123"))
    hands.key(Key.Key_F3)
    hands.key(Key.Key_F8)


def try_printer(hands: Hands) -> None:
    """A printer that takes everything and says nothing."""
    till = hands.station.till
    folder = till.store.folder.path
    settings = PrinterSettings(file=str(folder / "paper.bin"))
    till.printer_trial = lambda: PrinterTrial(settings, folder)  # type: ignore[method-assign]  # has none
    from_menu("receipt-form")(hands)
    hands.tap("printer-test")


SELLING: dict[str, Open] = {
    "sale": lambda _hands: None,
    "tender": tender,
    "help": by_key(Key.Key_F1),
    "goods-search": by_key(Key.Key_F2),
    "member-search": by_key(Key.Key_F3),
    "holds": hold_two,
    "return-start": by_key(Key.Key_F5),
    "coupons-": by_key(Key.Key_F6),
    "price": price,
    "basket-discount": discount,
    "approval": approve,
    "looked-at": look_at_age,
    "choose-gift": choose_gift,
    "drawer": by_key(Key.Key_F9),
    "drawer-no-sale": drawer("no-sale"),
    "drawer-paid-in": drawer("paid-in"),
    "drawer-paid-out": drawer("paid-out"),
    "drawer-drop": drawer("drop"),
    "menu": by_key(Key.Key_F10),
    "figures": from_menu("figures"),
    "receipts": from_menu("receipts"),
    "payments": from_menu("payments"),
    "papers": from_menu("papers"),
    "sync": from_menu("sync"),
    "close-card-": from_menu("close-card"),
    "taking-part": from_menu("taking-part"),
    "receipt-form": from_menu("receipt-form"),
    "printer-test": try_printer,
    "entering-": enter_draw,
    "profile-": change_profile,
    "enrolment-": lambda hands: hands.scan(NEW_CARD),
    "weight-": weigh,
    "return-": return_of_a_receipt,
    "return-without": return_without,
    "refund-amount": refund_amount,
}
"""Where goods can be rung up, by the kind of the sheet in front."""

CLOSED: dict[str, tuple[Open, str]] = {
    "close-shift-": (close_shift, "error.counting-now"),
    "close-difference": (difference, "error.counting-now"),
    "closed": (closed, "error.counting-now"),
    "close-day": (close_day, "error.no-shift"),
    "day-closed": (day_closed, "error.no-shift"),
}
"""Where a sale cannot begin, and what the scan is answered."""


def kind_in_front(hands: Hands) -> str:
    sheet = hands.view.overlay or hands.view.body
    if isinstance(sheet, SaleView):
        return "tender" if sheet.tender is not None else "sale"
    return sheet.kind


def boxes(hands: Hands) -> list[QLineEdit | QComboBox]:
    """Everything to type in or choose from; nothing that a sheet asks for is hidden."""
    window = hands.station.window
    every = [*window.findChildren(QLineEdit), *window.findChildren(QComboBox)]
    found = [one for one in every if one.isVisible() and one.isEnabled()]
    sheet = hands.view.overlay or hands.view.body
    parts = sheet.parts if isinstance(sheet, Sheet) else ()
    asked = [field for part in parts if isinstance(part, Fields) for field in part.fields]
    assert len(found) == len(asked)
    return found


def stops(hands: Hands) -> Iterator[QLineEdit | QComboBox | None]:
    """Everything that can have the focus: the window itself, each field, each open list."""
    hands.station.window.setFocus()
    yield None
    for number in range(len(boxes(hands))):
        box = boxes(hands)[number]
        focus(hands, box)
        yield box


def focus(hands: Hands, box: QLineEdit | QComboBox) -> None:
    """As somebody leaves it who was called away: a list open, a field half filled in."""
    box.setFocus()
    if isinstance(box, QComboBox):
        box.showPopup()
        hands.settle()
        assert QApplication.activePopupWidget() is not None
    else:
        box.setText(TYPED)
        hands.settle()


def assert_untouched(box: QLineEdit | QComboBox | None) -> None:
    """The scan typed nothing and chose nothing where the focus was."""
    assert QApplication.activePopupWidget() is None
    if isinstance(box, QLineEdit):
        assert box.text() == TYPED
    elif box is not None:
        assert box.currentIndex() == 0


def wedge_with_caps_lock(hands: Hands, code: str) -> None:
    """As ``Hands.wedge``, at a keyboard whose CapsLock is on: letters come in the other case."""
    popup = QApplication.activePopupWidget()
    target = (popup or hands.station.window).windowHandle()
    for character in f"{code}\r":
        text = character.swapcase()
        key = Key.Key_Return if character == "\r" else Key(ord(character.upper()))
        event = QKeyEvent(
            QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, 0, 0, X11_LOCK_MASK, text
        )
        QApplication.sendEvent(target, event)
        hands.clock.advance(seconds=KEY_INTERVAL_S)
    hands.clock.advance(seconds=1)
    hands.settle()


def speak(hands: Hands, language: Language) -> None:
    hands.tap("language", language.value)
    assert hands.view.language is language
