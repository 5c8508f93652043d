"""What goes wrong around a sale must not undo it, double it, or lose the basket."""

import pytest

from desktop.bootstrap import Counter
from desktop.reckoning.file import read_till
from shared.errors import DomainError
from shared.trade.fact import TenderKind
from tests.support.desk import BISCUIT_CODE, WATER_CODE, open_desk
from tests.support.enrolled_till import CASHIER


def sales_in(folder) -> int:
    kept = read_till(folder.database)
    return sum(entry.told["kind"] == "sale_completed" for entry in kept.entries())


def test_a_head_file_that_cannot_be_written_does_not_make_a_committed_sale_fail(desk):
    folder = desk.till.store.folder
    folder.head.unlink(missing_ok=True)
    folder.head.mkdir()
    desk.till._head_file.close()
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender_cash()
    desk.finish()

    assert desk.counter.checkout.basket.state.is_empty
    assert sales_in(folder) == 1


def test_a_basket_never_falls_below_what_was_paid_for_it(desk):
    checkout = desk.counter.checkout
    line = checkout.basket.add(desk.counter.scanning.find(BISCUIT_CODE), units=3)
    checkout.tender(TenderKind.CARD, 3000)
    for change in (
        lambda: checkout.basket.void(line),
        lambda: checkout.basket.set_quantity(line, 1),
    ):
        with pytest.raises(DomainError, match="tenders-first"):
            change()
    assert checkout.due().amount == 750
    desk.scan(WATER_CODE)
    assert checkout.due().amount == 950


def test_a_recalled_basket_is_still_held_after_the_till_died(desk):
    desk.scan(BISCUIT_CODE, WATER_CODE)
    hold = desk.counter.holding.hold(desk.shift, CASHIER)
    desk.counter.holding.recall(hold.hold_id)
    assert desk.counter.holding.held() == []
    folder = desk.till.store.folder
    desk.till.close()

    again = open_desk(folder)
    (found,) = again.counter.holding.held()
    again.counter.holding.recall(found.hold_id)
    assert len(again.counter.checkout.basket.state.lines) == 2
    again.counter.checkout.tender_cash()
    again.finish()
    assert Counter(again.till).holding.held() == []
    again.till.close()


def test_units_taken_off_a_line_are_on_the_record(desk):
    line = desk.counter.checkout.basket.add(desk.counter.scanning.find(BISCUIT_CODE), units=4)
    desk.counter.holding.change_quantity(line, 1, desk.shift, CASHIER)
    desk.counter.holding.change_quantity(line, 2, desk.shift, CASHIER)
    kept = read_till(desk.till.store.folder.database)
    voided = [e.told["body"]["line"] for e in kept.entries() if e.told["kind"] == "line_voided"]
    assert [(one["quantity"], one["amount"]) for one in voided] == [(3, 3750)]


def test_invisible_characters_never_get_into_a_name(desk):
    member = desk.enrol(name="王\x1b@\u202e\x00\ud800芳")
    assert member.name == "王@芳"
