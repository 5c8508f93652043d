"""Signing in: the PIN is never shown, wrong ones are counted, too many lock."""

from desktop.presenters.intent import Key
from desktop.presenters.view import Page, PinPad
from desktop.services.operators import FAILURES_MAX
from tests.support.till_fixture import CASHIER_PIN, WATER

WRONG = "0000"


def try_pin(till, pin):
    till.type(pin)
    till.press(Key.ENTER)


def fail(till, times):
    """Wrong tries; the messages told."""
    told = []
    for _ in range(times):
        try_pin(till, WRONG)
        told.append((till.told.key, dict(till.told.fields)))
    return told


def dots(till):
    return next(part.entered for part in till.sheet.parts if isinstance(part, PinPad))


def test_the_pin_is_dots(inline):
    inline.type("12")
    assert dots(inline) == 2
    assert "12" not in repr(inline.sheet.parts[-1])
    inline.press(Key.BACKSPACE)
    assert dots(inline) == 1
    inline.press(Key.ESC)
    assert dots(inline) == 0


def test_the_right_pin_opens_the_shift_page(inline):
    inline.sign_in()
    assert inline.view.page is Page.OPEN_SHIFT


def test_wrong_pins_say_how_many_tries_are_left_and_then_for_how_long_it_is_locked(inline):
    inline.press(Key.DOWN)
    told = fail(inline, FAILURES_MAX)
    assert [key for key, _ in told] == ["error.wrong-pin"] * FAILURES_MAX
    assert [fields["left"] for _, fields in told[:-1]] == list(range(FAILURES_MAX - 1, 0, -1))
    try_pin(inline, CASHIER_PIN)
    assert inline.told.key == "error.pin-locked"
    assert dict(inline.told.fields)["minutes"] >= 1
    assert (inline.view.page, dots(inline)) == (Page.SIGN_IN, 0)


def test_the_lock_ends(inline):
    inline.press(Key.DOWN)
    fail(inline, FAILURES_MAX)
    try_pin(inline, CASHIER_PIN)
    minutes = dict(inline.told.fields)["minutes"]
    inline.clock.advance(minutes=minutes)
    try_pin(inline, CASHIER_PIN)
    assert inline.view.page is Page.OPEN_SHIFT


def test_one_persons_lock_is_not_anothers(inline):
    fail(inline, FAILURES_MAX)
    inline.sign_in()
    assert inline.view.page is Page.OPEN_SHIFT


def test_nothing_is_sold_before(inline):
    inline.scan(WATER.barcodes[0])
    assert inline.told.key == "error.sign-in-first"
    assert inline.tickets == 0
