"""The basket on the screen outlives its till, and never comes again once it is done with."""

from dataclasses import replace

import pytest

from desktop.services.draft import Restored
from desktop.store import open_basket
from desktop.store.catalogue import apply_goods
from desktop.store.database import TillFolder
from hardware.simulators.wallet import WalletSimulator
from shared.errors import EnvironmentFault
from shared.pricing.basket import HandDiscount
from shared.trade.fact import TenderKind
from shared.trade.till import PaymentAttempted, PaymentState
from shared.trade.writing import Writing
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import BISCUITS, CASHIER, MANAGER, goods_row


def killed(desk: Desk) -> TillFolder:
    """The till stops without a word; what its writer was given is done."""
    desk.till.close()
    return desk.till.store.folder


def restored(desk: Desk) -> Restored | None:
    return desk.counter.draft.restore(CASHIER)


def test_lines_member_and_card_payment_come_back(folder):
    desk = open_desk(folder)
    member = desk.enrol()
    desk.counter.checkout.basket.attach(member)
    desk.scan(BISCUIT_CODE, WATER_CODE, WATER_CODE)
    desk.counter.checkout.tender(TenderKind.CARD, 500)
    quote = desk.counter.checkout.basket.quote
    desk.counter.draft.keep()
    desk = open_desk(killed(desk))
    assert desk.counter.checkout.basket.state.is_empty
    assert restored(desk) == Restored(repriced=0)
    checkout = desk.counter.checkout
    assert checkout.basket.quote == quote
    assert checkout.basket.state.member.member_id == member.member_id
    assert checkout.due().amount == quote.total_minor - 500
    checkout.tender_cash()
    desk.finish()
    desk.till.close()


def test_a_discount_on_the_whole_and_what_came_in_come_back(folder):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE)
    desk.counter.scanning.scan(WATER_CODE, comes_in=True)
    allowed = desk.approval("basket-discount")
    desk.counter.checkout.basket.discount_all(HandDiscount(basis_points=2000), allowed)
    quote = desk.counter.checkout.basket.quote
    assert quote.total_minor == 8_00
    desk.counter.draft.keep()
    desk = open_desk(killed(desk))
    assert restored(desk) == Restored(repriced=0)
    checkout = desk.counter.checkout
    assert checkout.basket.quote == quote
    checkout.tender_cash()
    fact = desk.finish().fact
    assert (fact.discount.approval_id, fact.approvals) == (allowed.approval_id, (allowed,))
    assert [line.comes_in for line in fact.lines] == [False, True]
    desk.till.close()


@pytest.mark.parametrize("end", ["sold", "held", "given up", "taken back", "emptied"])
def test_a_basket_that_is_done_with_never_comes_again(folder, end):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE)
    desk.counter.draft.keep()
    # The till dies right after the commit: nothing is kept any more.
    if end == "sold":
        desk.counter.checkout.tender_cash()
        desk.finish()
    elif end == "held":
        desk.counter.holding.hold(desk.shift, CASHIER)
    elif end == "given up":
        desk.counter.holding.abandon(desk.shift, CASHIER)
    elif end == "taken back":
        lines = desk.counter.checkout.basket.state.lines
        by = desk.returned_by(desk.approval("return-without-receipt"))
        desk.till.returns.take_back_without_receipt(desk.till.pricing(), lines, by)
    else:
        desk.counter.holding.void_line("1", desk.shift, CASHIER)
        desk.counter.draft.keep()
    desk = open_desk(killed(desk))
    assert restored(desk) is None
    desk.till.close()


def test_goods_come_back_at_todays_price_and_it_is_said(folder):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE, WATER_CODE)
    desk.counter.draft.keep()
    folder = killed(desk)
    desk = open_desk(folder)
    dearer = replace(BISCUITS, list_price_minor=1350)
    desk.till.store.writer.run(lambda work: apply_goods(work.connection, [goods_row(dearer)]))
    assert restored(desk) == Restored(repriced=1)
    assert desk.counter.checkout.basket.quote.total_minor == 1350 + 200
    desk.till.close()


def test_what_cannot_be_priced_any_more_waits_among_the_held_and_can_be_given_up(folder):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender(TenderKind.CARD, 500)
    desk.counter.draft.keep()
    desk = open_desk(killed(desk))
    strange = replace(BISCUITS, tax_class="no-such-class")
    desk.till.store.writer.run(lambda work: apply_goods(work.connection, [goods_row(strange)]))
    assert restored(desk) == Restored(repriced=0, is_held=True, paid=500)
    assert desk.counter.checkout.basket.state.is_empty
    (hold,) = desk.counter.holding.held()
    assert desk.counter.holding.give_up(hold.hold_id, desk.shift, MANAGER) == 500
    assert desk.counter.holding.held() == []
    assert restored(desk) is None
    desk.till.close()


def test_a_wallet_payment_comes_back_only_while_it_is_ours(folder):
    desk = open_desk(folder)
    attempts = {"kept": PaymentState.APPROVED, "reversed": PaymentState.REVERSED}
    desk.scan(BISCUIT_CODE)
    for attempt_id, state in attempts.items():
        fact = PaymentAttempted(
            attempt_id=attempt_id,
            shift_id=desk.shift.shift_id,
            till_id=desk.till.identity.till_id,
            operator_id=CASHIER,
            currency="CNY",
            provider="wallet",
            amount=300,
            state=state,
        )
        desk.till.books.record(Writing(fact, business_date=desk.shift.business_date))
        desk.counter.checkout.tender(TenderKind.WALLET, 300, attempt_id=attempt_id)
    desk.counter.draft.keep()
    desk = open_desk(killed(desk), gateway=WalletSimulator())
    assert restored(desk) == Restored(repriced=0)
    assert [tender.attempt_id for tender in desk.counter.checkout.tenders] == ["kept"]
    assert desk.counter.payments.outstanding(taken={"kept"}) == []
    desk.till.close()


def test_points_are_asked_for_again(folder):
    desk = open_desk(folder)
    member = desk.enrol()
    for _ in range(9):
        desk.sell(BISCUIT_CODE, member=member)
    desk.counter.checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    offered = desk.counter.checkout.points_offered().points
    desk.counter.checkout.tender_points(offered)
    desk.counter.draft.keep()
    desk = open_desk(killed(desk))
    restored(desk)
    assert desk.counter.checkout.tenders == ()
    assert desk.counter.checkout.points_offered().points == offered
    desk.till.close()


def test_a_step_that_changed_nothing_writes_nothing(desk, monkeypatch):
    jobs = []
    submit = desk.till.store.writer.submit

    def noted(*job):
        jobs.append(job)
        return submit(*job)

    monkeypatch.setattr(desk.till.store.writer, "submit", noted)
    desk.counter.draft.keep()
    assert jobs == []
    desk.scan(BISCUIT_CODE)
    desk.counter.draft.keep()
    desk.counter.draft.keep()
    assert len(jobs) == 1


def test_a_held_basket_that_was_taken_back_without_a_receipt_is_gone(folder):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE)
    held = desk.counter.holding.hold(desk.shift, CASHIER)
    desk.counter.holding.recall(held.hold_id)
    state = desk.counter.checkout.basket.state
    by = desk.returned_by(desk.approval("return-without-receipt"))
    desk.till.returns.take_back_without_receipt(
        desk.till.pricing(), state.lines, by, hold_id=state.hold_id
    )
    desk = open_desk(killed(desk))
    assert desk.counter.holding.held() == []
    desk.till.close()


def test_a_disk_that_is_full_once_is_tried_again_at_the_next_step(desk, monkeypatch):
    desk.scan(BISCUIT_CODE)
    full = EnvironmentFault("disk-full")

    def fail(*_arguments):
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(open_basket, "keep", fail)
        desk.counter.draft.keep()
        desk.till.store.writer.run(lambda _work: None)
    desk.counter.draft.keep()
    desk.till.store.writer.run(lambda _work: None)
    with desk.till.books.reading() as connection:
        assert open_basket.kept(connection) is not None


def test_a_draft_that_cannot_be_read_stops_nobody(desk):
    keep = open_basket.keep
    desk.till.store.writer.run(lambda work: keep(work.connection, b"{nonsense"))
    assert restored(desk) is None
