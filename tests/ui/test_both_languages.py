"""Both languages, switched while running: complete, drawn with real glyphs, nothing clipped."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo, QFontMetrics, QRawFont
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QScrollBar

from desktop.presenters.intent import Act
from desktop.ui.bars import KeyButton
from desktop.ui.design import FAMILIES, GRID, Design, Size
from desktop.ui.pieces import Tile, two_lines
from shared.catalogue.codes import member_code
from shared.language import Language, words
from tests.support.till_errands import enrol
from tests.support.till_fixture import APPLES, CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
SCREENS = Path("build/screens/tests")
SIZES = [(1366, 768), (1024, 768)]


def clipped(hands: Hands) -> list[str]:
    """Texts on the screen that have less room than they need."""
    found = []
    for widget in hands.station.window.findChildren(QLabel):
        if not widget.isVisible() or widget.wordWrap():
            continue
        if widget.fontMetrics().horizontalAdvance(widget.text()) > widget.width() + 1:
            found.append(widget.text())
    for button in hands.station.window.findChildren(QAbstractButton):
        if not button.isVisible():
            continue
        if isinstance(button, QPushButton | KeyButton) and (
            button.width() < button.minimumSizeHint().width()
        ):
            found.append(button.text() or button.accessibleName())
    return found


def picture(hands: Hands, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    size = hands.station.window.size()
    file = SCREENS / f"{name}-{hands.view.language.value}-{size.width()}.png"
    assert hands.station.window.grab().save(str(file))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_every_page_shows_whole_words(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    window = selling.station.window
    window.resize(*size)
    window.post(Act("language", language.value))
    for goods in (WATER, WATER, CHIPS, RICE):
        selling.scan(goods.barcodes[0])
    seen = {"sale": clipped(selling)}
    picture(selling, "sale")
    for number in (1, 2, 3, 5, 6, 8, 9, 10, 11):
        selling.key(getattr(Key, f"Key_F{number}"))
        name = selling.view.overlay.kind if selling.view.overlay else "tender"
        seen[name] = clipped(selling)
        picture(selling, name)
        selling.key(Key.Key_Escape)
    for name in ("figures", "receipts", "papers", "sync"):
        selling.key(Key.Key_F10)
        window.post(Act("menu", name))
        selling.settle()
        seen[name] = clipped(selling)
        picture(selling, name)
        selling.key(Key.Key_Escape)
    assert (window.width(), window.height()) == size
    assert {name: texts for name, texts in seen.items() if texts} == {}


def test_switching_repaints_everything_and_keeps_the_basket(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F10)
    selling.station.window.post(Act("language", "en"))
    selling.settle()
    shown = {label.text() for label in selling.station.window.findChildren(QLabel)}
    assert "TOTAL" in shown
    assert "合计" not in shown
    assert len(selling.sale.lines) == 1


def test_both_catalogues_say_the_same_things() -> None:
    chinese, english = words(Language.CHINESE), words(Language.ENGLISH)
    assert chinese.keys() == english.keys()


def test_the_font_draws_han(hands: Hands) -> None:
    font = Design().font(Size.BODY)
    assert QFontInfo(font).family() in FAMILIES
    raw = QRawFont.fromFont(font)
    signs = "收银找零退货✓!✕●○▲←−·▏×¥"
    missing = [sign for sign in signs if not raw.supportsCharacter(sign)]
    assert missing == []
    assert hands.view is not None


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_returns_and_enrolment_show_whole_words(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    selling.station.window.resize(*size)
    selling.tap("language", language.value)
    selling.type(APPLES.sku)
    selling.key(Key.Key_Return)
    selling.type("0.5")
    selling.key(Key.Key_Return)
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    assert selling.sale.change is not None
    selling.scan(selling.sale.change.receipt_no)
    seen = {"return": clipped(selling)}
    picture(selling, "return-weighed")
    selling.tap("amount", "amount")
    seen["amount"] = clipped(selling)
    picture(selling, "refund-amount")
    selling.key(Key.Key_Escape)
    selling.scan(member_code("1234567890123"))
    seen["enrolment"] = clipped(selling)
    picture(selling, "enrolment")
    selling.key(Key.Key_Escape)
    assert {name: texts for name, texts in seen.items() if texts} == {}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_a_changed_profile_shows_whole_words(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    selling.station.window.resize(*size)
    selling.tap("language", language.value)
    enrol(selling)
    selling.key(Key.Key_F3)
    selling.key(Key.Key_F8)
    assert clipped(selling) == []
    picture(selling, "profile")
    # Whoever needs the fields below gets there with Tab; Enter saves at once.
    selling.key(Key.Key_Return)
    assert selling.told == "till.profile.same"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_the_menu_is_seen_whole_and_each_entry_has_a_key(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    selling.station.window.resize(*size)
    selling.tap("language", language.value)
    selling.key(Key.Key_F10)
    bars = selling.station.window.findChildren(QScrollBar)
    assert [bar for bar in bars if bar.isVisible()] == []
    font = QFontMetrics(Design().font(Size.BODY))
    small = QFontMetrics(Design().font(Size.SMALL))
    for tile in (one for one in selling.station.window.findChildren(Tile) if one.isVisible()):
        title, _, key = tile.accessibleName().rpartition(" ")
        # A language has no key, and its margins are the same.
        title, key = (title, key) if len(key) == 1 else (tile.accessibleName(), "")
        room = tile.width() - 6 * GRID - (small.horizontalAdvance(key) + 2 * GRID if key else 0)
        assert "…" not in two_lines(title, font, room), title
    selling.type("d")
    assert selling.view.overlay is not None
    assert selling.view.overlay.kind == "figures"
