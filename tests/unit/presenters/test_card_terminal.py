"""A card terminal that is told the amount: one key, and every way it can go."""

import pytest

from desktop.presenters.intent import Key
from desktop.reckoning.file import read_till
from hardware.ports import NOT_REACHED, AttemptState, PaymentResult
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.wallet import WalletSimulator
from shared.trade.fact import TenderKind
from tests.support.till_fixture import RICE


@pytest.fixture
def terminal():
    return WalletSimulator("terminal", wait=lambda _seconds: None)


def pay_by_card(till):
    till.scan(RICE.barcodes[0])
    till.press(Key.F11)
    till.press(Key.F6)


def attempt(till):
    assert till.sale.tender is not None
    return till.sale.tender.attempt


def test_the_terminal_is_asked_for_what_is_due_and_the_sale_ends_when_it_has_paid(
    selling, terminal
):
    pay_by_card(selling)
    assert dict(attempt(selling).text.fields)["who"].key == "till.payer.card"
    assert selling.tickets == 0
    selling.answer()
    assert selling.tickets == 1
    assert terminal.provider.taken() == 6990
    assert selling.wallet.books == {}


@pytest.mark.parametrize(
    ("behaviour", "key", "taken"),
    [
        (Behaviour.DECLINE, "till.attempt.declined", 0),
        (Behaviour.LOSE_REQUEST, "till.attempt.declined", 0),
        (Behaviour.SLOW, "till.attempt.unknown", 0),
        (Behaviour.LATE_REVERSAL, "till.attempt.unknown", 0),
        (Behaviour.DEAD_LINE, "till.attempt.unknown", 6990),
    ],
)
def test_what_it_did_not_pay_is_said_and_cash_goes_on(selling, terminal, behaviour, key, taken):
    terminal.script(behaviour)
    pay_by_card(selling)
    selling.answer()
    assert attempt(selling).text.key == key
    selling.press(Key.F12)
    assert (selling.tickets, terminal.provider.taken()) == (1, taken)


def test_a_late_approval_is_found_out_and_pays_for_the_sale_that_waited_for_it(selling, terminal):
    terminal.script(Behaviour.SLOW)
    pay_by_card(selling)
    selling.answer()
    (found,) = selling.till.counter().payments.outstanding()
    terminal.provider.settle(found.attempt_id)
    selling.press(Key.F10)
    selling.act("menu", "payments")
    selling.press(Key.ENTER)
    selling.answer()
    assert selling.tickets == 1
    assert [one.state for one in terminal.books.values()] == [AttemptState.APPROVED]
    kept = read_till(selling.till.store.folder.database)
    (sale,) = [one.told for one in kept.entries() if one.told["kind"] == "sale_completed"]
    assert [one["tender"] for one in sale["body"]["tenders"]] == [TenderKind.CARD]


def test_one_that_is_not_reached_says_that_nothing_was_asked_for(selling, terminal, monkeypatch):
    def unreached(request, *, deadline_s):
        return PaymentResult(request.attempt_id, AttemptState.DECLINED, reason=NOT_REACHED)

    monkeypatch.setattr(terminal, "pay", unreached)
    pay_by_card(selling)
    selling.answer()
    assert attempt(selling).text.key == "till.attempt.not-reached"
    assert selling.tickets == 0
