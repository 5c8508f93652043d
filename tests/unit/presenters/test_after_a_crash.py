"""What a cashier finds when a till that died is started again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.bootstrap import Surroundings, Till
from desktop.presenters.intent import Key
from desktop.presenters.till import TillPresenter
from desktop.presenters.till_loop import TillLoop
from desktop.presenters.view import Choices
from hardware.ports import AttemptState
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from tests.support.till_fixture import CHIPS, MANAGER_PIN, MORNING, WATER, enrol_here, reopen
from tests.unit.presenters.conftest import Inline, OnDemand

WALLET_CODE = "134567890123456789"
Start = Callable[[], Inline]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the till in the same folder, again and again; the one before has died."""
    enrol_here(tmp_path).close()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    clock = ManualClock(MORNING)
    running: list[Till] = []

    def make() -> Inline:
        while running:
            running.pop().close()
        till = reopen(tmp_path, Surroundings(clock=clock, gateway=wallet))
        running.append(till)
        network, loop = OnDemand(), TillLoop()
        for pool in ("executor", "background"):
            monkeypatch.setattr(till, pool, lambda: network)
        made = Inline(till, loop, clock, wallet, network)
        loop.attach(TillPresenter(till, clock=clock, post=loop.post), made.views.append)
        loop.show()
        made.sign_in()
        clock.advance(seconds=1)
        return made

    yield make
    while running:
        running.pop().close()


def rows(till: Inline) -> list[tuple[str, int]]:
    assert till.view.overlay is not None
    (choices,) = [part for part in till.view.overlay.parts if isinstance(part, Choices)]
    return [(item.title.key, item.trailing.minor) for item in choices.items]


def approve(till: Inline) -> None:
    till.type(MANAGER_PIN)
    till.press(Key.ENTER)


def test_the_basket_is_on_the_screen_again(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0], WATER.barcodes[0])
    till = start()
    assert till.amounts == [750, 200]
    assert till.told.key == "till.sale.restored"
    till.press(Key.F12)
    assert till.tickets == 1
    till = start()
    assert (till.amounts, till.told.key) == ([], "")


def test_a_card_payment_that_was_taken_is_still_taken(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.press(Key.F11)
    till.type("5")
    till.press(Key.F6)
    till = start()
    assert till.sale.tender.due == 250
    till.press(Key.F12)
    assert till.tickets == 1


def test_a_payment_on_its_way_is_found_out_and_used_for_the_basket(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.wallet.script(Behaviour.LOSE_ANSWER)
    till.scan(WALLET_CODE)
    pay, till.network.waiting = till.network.waiting[0], []
    # It reaches the wallet, but the till dies before the answer is written.
    till.loop.post = lambda _intent: None
    pay_reaches_the_wallet(till, pay)
    till = start()
    assert rows(till) == [("till.payments.payment", 750)]
    till.answer()
    assert till.told.key == "till.attempt.other-approved"
    till.press(Key.F7)
    assert till.tickets == 1
    assert [one.state for one in till.wallet.books.values()] == [AttemptState.APPROVED]
    assert till.view.overlay is None


def pay_reaches_the_wallet(till: Inline, pay: Callable[[], None]) -> None:
    """Run the request with a journal that takes nothing any more."""
    books, record = till.till.books, till.till.books.record

    def dead(*_arguments: object, **_named: object) -> None:
        raise SystemExit

    books.record = dead  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        pay()
    books.record = record  # type: ignore[method-assign]


def test_a_payment_nobody_wants_any_more_is_given_back(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.scan(WALLET_CODE)
    pay_reaches_the_wallet(till, till.network.waiting.pop())
    till = start()
    till.answer()
    till.press(Key.F8)
    till.answer()
    assert till.told.key == "till.attempt.other-reversed"
    assert [one.state for one in till.wallet.books.values()] == [AttemptState.REVERSED]
    assert rows(till) == []


def test_a_refund_that_was_not_sent_is_sent_at_the_next_sign_in(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.scan(WALLET_CODE)
    till.answer()
    till.act("undo")
    approve(till)
    assert till.wallet.refunds == {}
    till = start()
    assert rows(till) == [("till.payments.refund", 750)]
    till.answer()
    assert [one.minor for one in till.wallet.refunds.values()] == [750]
    assert till.told.key == "till.refund.approved"
    assert rows(till) == []


def test_a_refused_refund_is_given_in_cash_with_an_approval(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.scan(WALLET_CODE)
    till.answer()
    (attempt,) = till.wallet.books
    till.wallet.reverse(attempt, deadline_s=1)
    till.act("undo")
    approve(till)
    till.answer()
    assert till.told.key == "till.refund.declined"
    till.press(Key.F10)
    till.act("menu", "payments")
    till.press(Key.F9)
    approve(till)
    assert till.told.key == "till.payments.paid-out"
    assert rows(till) == []


def test_a_whole_sale_is_given_up_from_the_menu(start):
    till = start()
    till.open_shift()
    till.scan(CHIPS.barcodes[0])
    till.press(Key.F10)
    till.act("menu", "give-up")
    assert (till.amounts, till.told.key) == ([], "till.sale.given-up")
    till.press(Key.F10)
    till.act("menu", "give-up")
    assert till.told.key == "error.basket-empty"


def test_a_held_basket_is_given_up_in_the_list(start):
    till = start()
    till.open_shift()
    for code in (CHIPS.barcodes[0], WATER.barcodes[0]):
        till.scan(code)
        till.press(Key.F4)
        till.clock.advance(seconds=1)
    till.press(Key.F4, Key.DELETE)
    assert till.told.key == "till.hold.given-up"
    till.press(Key.ENTER)
    assert till.amounts == [200]
