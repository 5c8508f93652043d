"""A wallet payment in all its states, seen from the panel; cash goes on where it ends badly."""

import pytest

from desktop.presenters.intent import Key, PaymentTold
from desktop.services.payments import PaymentProgress
from hardware.ports import AttemptState
from hardware.simulators.payment_books import Behaviour
from shared.trade.till import PaymentState
from tests.support.till_fixture import CHIPS, RICE, WATER

WALLET_CODE = "134567890123456789"


def attempt(till):
    assert till.sale.tender is not None
    assert till.sale.tender.attempt is not None
    return till.sale.tender.attempt


def offer_wallet(till, *behaviours):
    till.wallet.script(*behaviours)
    till.scan(RICE.barcodes[0], WALLET_CODE)


def test_while_it_is_asked_for_the_panel_says_so(selling):
    offer_wallet(selling)
    assert attempt(selling).is_running
    assert attempt(selling).text.key == "till.attempt.requested-running"
    assert selling.tickets == 0


@pytest.mark.parametrize("key", [Key.F12, Key.F6, Key.F8])
def test_meanwhile_nothing_else_is_taken(selling, key):
    offer_wallet(selling)
    selling.press(key)
    assert selling.told.key == "error.payment-running"
    assert selling.sale.tender is not None
    assert selling.sale.tender.tenders == ()


def test_meanwhile_the_basket_stays_as_it_was_asked_for(selling):
    offer_wallet(selling)
    selling.scan(WATER.barcodes[0])
    assert selling.told.key == "error.payment-running"
    selling.press(Key.DELETE)
    assert selling.told.key == "error.payment-running"
    selling.press(Key.ESC)
    assert selling.told.key == "till.tender.cancelling"
    assert selling.amounts == [6990]


def test_meanwhile_no_member_changes_the_price(selling):
    member = selling.till.members.enrol(
        name="韩梅梅", phone="13800138000", operator_id=selling.till.operators.all()[0].operator_id,
        tier="member",
    )  # fmt: skip
    offer_wallet(selling)
    selling.press(Key.F3)
    selling.press(Key.ENTER, text="13800138000")
    assert selling.told.key == "error.payment-running"
    assert selling.sale.member is None
    assert member.name == "韩梅梅"


def test_approved_finishes_the_sale(selling):
    offer_wallet(selling)
    selling.answer()
    assert selling.tickets == 1
    assert selling.sale.tender is None
    assert selling.sale.change is not None


def test_declined_says_so_and_cash_takes_over(selling):
    offer_wallet(selling, Behaviour.DECLINE)
    selling.answer()
    assert attempt(selling).text.key == "till.attempt.declined"
    assert not attempt(selling).is_running
    selling.press(Key.F12)
    assert selling.tickets == 1


def test_declined_may_be_tried_with_another_code(selling):
    offer_wallet(selling, Behaviour.DECLINE)
    selling.answer()
    selling.scan(WALLET_CODE)
    assert attempt(selling).is_running
    selling.answer()
    assert selling.tickets == 1


def test_a_lost_answer_is_found_out_before_anything_else(selling):
    offer_wallet(selling, Behaviour.LOSE_ANSWER)
    selling.answer()
    states = [view.body.tender.attempt.text.key for view in selling.views if _has_attempt(view)]
    assert states[-1] == "till.attempt.unknown-running"
    assert selling.tickets == 1
    assert len(selling.wallet.books) == 1


def _has_attempt(view):
    tender = getattr(view.body, "tender", None)
    return tender is not None and tender.attempt is not None


def test_unknown_at_the_end_says_so_and_cash_takes_over(selling):
    offer_wallet(selling, Behaviour.DEAD_LINE)
    selling.answer()
    assert attempt(selling).text.key == "till.attempt.unknown"
    assert not attempt(selling).is_running
    selling.press(Key.F12)
    assert selling.tickets == 1


def late(state, attempt_id="an-old-one"):
    return PaymentTold(PaymentProgress(attempt_id, "wallet", 6990, state, is_final=True))


@pytest.mark.parametrize("state", [PaymentState.APPROVED, PaymentState.REVERSED])
def test_news_of_an_attempt_that_is_over_is_told_and_pays_nothing(selling, state):
    selling.scan(CHIPS.barcodes[0])
    selling.do(late(state))
    assert selling.told.key == f"till.attempt.other-{state.value}"
    assert (selling.tickets, selling.amounts) == (0, [750])
    assert selling.sale.tender is None


def test_an_approval_after_the_sale_was_paid_in_cash_pays_no_other(selling):
    offer_wallet(selling, Behaviour.DEAD_LINE)
    selling.answer()
    old = next(iter(selling.wallet.books))
    selling.press(Key.F12)
    selling.scan(RICE.barcodes[0])
    selling.do(late(PaymentState.APPROVED, old))
    assert selling.told.key == "till.attempt.other-approved"
    assert (selling.tickets, selling.amounts) == (1, [6990])


def test_digits_before_a_wallet_code_are_the_part_it_pays(selling):
    selling.scan(RICE.barcodes[0])
    selling.press(Key.F11)
    selling.type("20")
    selling.scan(WALLET_CODE)
    selling.answer()
    assert selling.sale.tender.due == 6990 - 2000
    selling.press(Key.F12)
    assert selling.tickets == 1


def test_more_than_is_due_is_not_asked_of_a_wallet(selling):
    selling.scan(CHIPS.barcodes[0])
    selling.press(Key.F11)
    selling.type("8")
    selling.scan(WALLET_CODE)
    assert selling.told.key == "error.tender-exceeds-due"
    assert selling.wallet.books == {}


def test_a_wallets_part_that_is_taken_off_is_given_back_there(selling):
    selling.scan(RICE.barcodes[0])
    selling.press(Key.F11)
    selling.type("20")
    selling.scan(WALLET_CODE)
    selling.answer()
    selling.press(Key.DELETE)
    assert selling.sale.tender.due == 6990
    selling.answer()
    (paid,) = selling.wallet.books.values()
    assert paid.state is AttemptState.REVERSED
    assert selling.told.key == "till.attempt.other-reversed"
    selling.press(Key.ESC, Key.F4)
    assert selling.told.key == "till.hold.held"


def test_a_wallet_code_on_an_empty_basket_asks_for_nothing(selling):
    selling.scan(WALLET_CODE)
    assert selling.told.key == "error.basket-empty"
    assert selling.network.waiting == []


def test_what_was_typed_is_taken_by_card_and_the_rest_by_cash(selling):
    selling.scan(RICE.barcodes[0])
    selling.press(Key.F11)
    selling.type("20")
    selling.press(Key.F6)
    assert selling.sale.tender is not None
    assert (selling.sale.tender.due, selling.sale.tender.is_settled) == (4990, False)
    selling.press(Key.F12)
    assert selling.tickets == 1


def test_a_card_is_not_charged_more_than_is_due(selling):
    selling.scan(CHIPS.barcodes[0])
    selling.press(Key.F11)
    selling.type("20")
    selling.press(Key.F6)
    assert selling.told.key == "error.tender-exceeds-due"
    assert selling.tickets == 0
