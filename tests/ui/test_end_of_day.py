"""Counting blind, counting again or saying why, the Z, and a day that can always be closed."""

from PySide6.QtCore import Qt

from desktop.presenters.text import Say, Tone
from desktop.presenters.view import Choices, Figures, Note, Page, Sheet
from hardware.simulators.payment_books import Behaviour
from tests.support.till_fixture import CHIPS, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
WALLET_CODE = "134567890123456789"
FIELDS = 8
"""Pieces of CNY that are counted, from 100 yuan to a jiao."""
IN_THE_DRAWER = 50750
"""The float of 500 and one packet of chips."""
EXACT = ("5", "", "", "", "1", "2", "1", "")
"""500 + 5 + 2 + 0.50."""
SHORT = ("5",)


def sheet(hands: Hands) -> Sheet:
    body = hands.view.body
    assert isinstance(body, Sheet)
    return body


def to_count(hands: Hands) -> None:
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F12)
    to_close(hands)


def to_close(hands: Hands) -> None:
    hands.key(Key.Key_F10)
    hands.tap("menu", "close-shift")
    assert hands.view.page is Page.CLOSE_SHIFT


def count(hands: Hands, pieces: tuple[str, ...]) -> None:
    """Type the pieces from the largest down, Enter after each."""
    for number in (*pieces, *[""] * (FIELDS - len(pieces))):
        hands.type(number)
        hands.key(Key.Key_Return)


def papers(hands: Hands) -> int:
    with hands.station.till.books.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM print_jobs").scalar_one())


def notes(hands: Hands) -> list[str]:
    texts = [part.text for part in sheet(hands).parts if isinstance(part, Note)]
    return [text.key for text in texts if isinstance(text, Say)]


def test_the_count_is_blind(selling: Hands) -> None:
    to_count(selling)
    assert str(IN_THE_DRAWER) not in repr(sheet(selling))
    assert not [part for part in sheet(selling).parts if isinstance(part, Figures)]


def test_a_count_that_is_right_closes_at_once_and_queues_the_z(selling: Hands) -> None:
    to_count(selling)
    before = papers(selling)
    count(selling, EXACT)
    assert sheet(selling).kind == "closed"
    assert papers(selling) == before + 1
    assert selling.station.till.counter().shifts.current() is None


def test_a_difference_is_shown_and_closes_nothing_yet(selling: Hands) -> None:
    to_count(selling)
    count(selling, SHORT)
    assert notes(selling) == ["till.close.short"]
    assert selling.station.till.counter().shifts.current() is not None


def test_counting_again_starts_from_empty_fields(selling: Hands) -> None:
    to_count(selling)
    count(selling, SHORT)
    selling.key(Key.Key_Escape)
    assert sheet(selling).kind == "close-shift-1"
    count(selling, EXACT)
    assert sheet(selling).kind == "closed"


def test_a_difference_is_closed_with_its_reason(selling: Hands) -> None:
    to_count(selling)
    count(selling, SHORT)
    selling.key(Key.Key_Return)
    assert sheet(selling).kind == "closed"
    with selling.station.till.books.reading() as connection:
        last = connection.exec_driver_sql(
            "SELECT bytes FROM entries ORDER BY seq DESC LIMIT 1"
        ).scalar_one()
    assert b'"difference_reason":"miscounted"' in last


def test_a_basket_that_is_open_keeps_the_shift_open(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F10)
    selling.tap("menu", "close-shift")
    assert selling.view.page is Page.SALE
    assert selling.told == "error.basket-not-empty"


def test_a_scan_in_the_middle_of_the_count_sells_nothing(selling: Hands) -> None:
    to_count(selling)
    selling.scan(WATER.barcodes[0])
    assert selling.told == "error.counting-now"
    selling.key(Key.Key_Escape)
    assert selling.sale.lines == ()


def test_the_day_says_what_is_open_and_is_closed_all_the_same(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F4)
    to_count(selling)
    assert "till.close.held" in notes(selling)
    count(selling, EXACT)
    selling.key(Key.Key_Return)
    assert selling.view.page is Page.CLOSE_DAY
    checks = sheet(selling).parts[0]
    assert isinstance(checks, Choices)
    open_ones = {one.value for one in checks.items if one.tone is Tone.ATTENTION}
    assert open_ones == {"held-baskets", "unsent"}
    selling.key(Key.Key_Return)
    assert sheet(selling).kind == "day-closed"
    left = sheet(selling).parts[1]
    assert isinstance(left, Choices)
    assert [one.value for one in left.items] == ["held-baskets"]
    selling.key(Key.Key_Return)
    assert selling.view.page is Page.SIGN_IN


def test_a_payment_nobody_knows_the_end_of_is_listed_and_stops_nothing(selling: Hands) -> None:
    selling.wallet.script(Behaviour.DEAD_LINE)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WALLET_CODE)
    assert selling.station.loop.wait_for(lambda view: "till.attempt.unknown'" in repr(view), 10)
    selling.settle()
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    to_close(selling)
    assert "till.close.payments" in notes(selling)
    count(selling, EXACT)
    selling.key(Key.Key_Return)
    selling.key(Key.Key_Return)
    left = sheet(selling).parts[1]
    assert isinstance(left, Choices)
    assert [one.value for one in left.items] == ["unknown-payments"]
