"""A manager changes what stands on receipts, and sees the paper while typing."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLineEdit, QScrollBar

from desktop.presenters.view import Choices, Sheet
from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from desktop.ui.pieces import Tile
from desktop.ui.sheet_parts import PictureWidget
from shared.language import Language
from shared.receipt.layout import Grid, plain_text
from tests.support.till_errands import last_entry, sell
from tests.support.till_fixture import MANAGER_PIN, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
WIDE = 576
"""Dots of 80 mm paper."""
SCREENS = Path("build/screens/tests")


def open_form(hands: Hands) -> Sheet:
    hands.key(Key.Key_F10)
    hands.type("I")
    assert hands.overlay.kind == "receipt-form"
    return hands.overlay


def approve(hands: Hands) -> None:
    assert hands.overlay.kind == "approval"
    hands.type(MANAGER_PIN)
    hands.key(Key.Key_Return)


def field(hands: Hands, name: str) -> QLineEdit:
    found = [
        one
        for one in hands.station.window.findChildren(QLineEdit)
        if one.isVisible() and one.accessibleName() == name
    ]
    assert len(found) == 1, name
    return found[0]


def type_into(hands: Hands, name: str, text: str) -> None:
    """Get there with Tab, as somebody without a mouse."""
    wanted = field(hands, name)
    for _ in range(40):
        if hands.station.window.focusWidget() is wanted:
            break
        hands.key(Key.Key_Tab)
    assert hands.station.window.focusWidget() is wanted
    hands.compose(text)
    hands.settle()


def printed(hands: Hands) -> str:
    """The newest receipt, as it would be printed."""
    till = hands.station.till
    job = PrintJob("j", last_entry(hands).envelope.id, 0, "zh_CN", JobState.QUEUED, "")
    return plain_text(Papers(till.books, till.shop()).document(job), Grid(48))


def picture(hands: Hands) -> bytes:
    sheet = hands.overlay
    assert sheet.aside is not None
    return sheet.aside.png


def test_what_is_typed_is_on_the_paper_at_once_and_on_the_next_receipt_when_saved(
    selling: Hands,
) -> None:
    sell(selling, WATER)
    assert "常青" not in printed(selling)
    sheet = open_form(selling)
    before = picture(selling)
    assert QImage.fromData(before).width() >= WIDE
    type_into(selling, "店名（中）", "常青便利")
    type_into(selling, "退换条件（中）", "七日内凭小票退换")
    assert picture(selling) != before
    selling.key(Key.Key_Return)
    approve(selling)
    assert selling.told == "till.form.saved"
    assert selling.view.overlay is None
    sell(selling, WATER)
    assert "常青便利" in printed(selling)
    assert "七日内凭小票退换" in printed(selling)
    assert sheet.kind == "receipt-form"


def test_blocks_widths_and_languages_by_keyboard(selling: Hands) -> None:
    open_form(selling)
    shown = {picture(selling)}
    for name, value in (
        ("part", "greeting"),
        ("part", "outlook"),
        ("paper", "32"),
        ("paper", "both"),
    ):
        tiles = next(
            part
            for part in selling.overlay.parts
            if isinstance(part, Choices) and part.name == name
        )
        title = next(one.title for one in tiles.items if one.value == value)
        assert title
        selling.tap(name, value)
        shown.add(picture(selling))
    assert len(shown) == 4  # a greeting that is empty changes nothing
    assert QImage.fromData(picture(selling)).width() < WIDE
    selling.key(Key.Key_Escape)
    assert selling.station.till.receipt_form.form.left_out == ()


def test_what_cannot_be_used_is_refused_and_nothing_is_lost(selling: Hands) -> None:
    open_form(selling)
    type_into(selling, "电子小票网址", "shop.example")
    selling.key(Key.Key_Return)
    assert selling.told == "error.bad-receipt-web"
    assert field(selling, "电子小票网址").text() == "shop.example"
    type_into(selling, "电子小票网址", "")
    field(selling, "电子小票网址").setText("")
    type_into(selling, "徽标文件", "nothing.png")
    selling.key(Key.Key_Return)
    assert selling.told == "error.bad-receipt-logo"
    assert selling.station.till.receipt_form.form.web == ""


def test_without_a_printer_the_test_page_says_so(selling: Hands) -> None:
    open_form(selling)
    selling.tap("test")
    assert selling.told == "error.no-printer"


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)], ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_the_form_is_seen_whole_with_its_paper(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    window = selling.station.window
    window.resize(*size)
    selling.tap("language", language.value)
    open_form(selling)
    (paper,) = (one for one in window.findChildren(PictureWidget) if one.isVisible())
    assert paper.width() >= 300
    bars = [
        bar
        for bar in window.findChildren(QScrollBar)
        if bar.isVisible() and not paper.isAncestorOf(bar)
    ]
    SCREENS.mkdir(parents=True, exist_ok=True)
    file = SCREENS / f"receipt-form-{language.value}-{size[0]}.png"
    assert window.grab().save(str(file))
    assert bars == [] or size[1] < 1080
    last = [one for one in window.findChildren(Tile) if one.isVisible()][-1]
    for _ in range(40):
        selling.key(Key.Key_Tab)
        if window.focusWidget() is last:
            break
    assert window.focusWidget() is last
    assert last.visibleRegion().boundingRect().height() == last.height()
