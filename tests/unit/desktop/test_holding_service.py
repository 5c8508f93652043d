"""Baskets put aside, taken up and given up; lines changed by hand."""

import pytest

from desktop.reckoning.file import read_till
from shared.errors import DomainError
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import CASHIER, MANAGER


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


def told(desk: Desk, kind: str) -> list[dict]:
    kept = read_till(desk.till.store.folder.database)
    return [entry.told["body"] for entry in kept.entries() if entry.told["kind"] == kind]


def hold(desk: Desk):
    return desk.counter.holding.hold(desk.shift, CASHIER)


def test_a_held_basket_comes_back_whole_after_a_restart(folder):
    desk = open_desk(folder)
    member = desk.enrol()
    desk.scan(BISCUIT_CODE, WATER_CODE, WATER_CODE)
    desk.counter.checkout.basket.attach(member)
    quote = desk.counter.checkout.basket.quote
    held = hold(desk)
    assert desk.counter.checkout.basket.state.is_empty
    desk.till.close()

    desk = open_desk(folder)
    assert [one.hold_id for one in desk.counter.holding.held()] == [held.hold_id]
    desk.counter.holding.recall(held.hold_id)
    basket = desk.counter.checkout.basket
    assert basket.quote == quote
    assert basket.state.member is not None
    assert basket.barcode_of("1") == BISCUIT_CODE
    assert desk.counter.holding.held() == []
    desk.scan(BISCUIT_CODE)  # joins the line of before
    assert len(basket.state.lines) == 2
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert sale.fact.hold_id == held.hold_id
    desk.till.close()


def test_holding_posts_nothing_and_queues_its_slip(desk):
    desk.scan(BISCUIT_CODE)
    hold(desk)
    kept = read_till(desk.till.store.folder.database)
    (fact,) = told(desk, "basket_held")
    assert fact["total"] == 1250
    assert not any(account == "sales" for account, *_rest in kept.postings)
    assert list(kept.printed.values()) == ["queued"]


def test_only_baskets_that_are_there_and_into_an_empty_one(desk):
    assert refused(hold, desk).code == "basket-empty"
    desk.scan(BISCUIT_CODE)
    first = hold(desk)
    desk.scan(WATER_CODE)
    assert refused(desk.counter.holding.recall, first.hold_id).code == "basket-not-empty"
    desk.counter.holding.abandon(desk.shift, CASHIER)
    desk.counter.holding.recall(first.hold_id)
    desk.counter.holding.abandon(desk.shift, CASHIER)
    assert refused(desk.counter.holding.recall, first.hold_id).code == "no-such-hold"
    given_up = told(desk, "basket_abandoned")
    assert [fact["total"] for fact in given_up] == [200, 1250]
    assert given_up[1]["hold_id"] == first.hold_id


def test_an_empty_basket_is_given_up_without_a_word(desk):
    desk.counter.holding.abandon(desk.shift, CASHIER)
    assert told(desk, "basket_abandoned") == []


def test_a_voided_line_stays_on_record(desk):
    desk.scan(BISCUIT_CODE, WATER_CODE)
    line = desk.counter.checkout.basket.state.lines[0].id
    desk.counter.holding.void_line(line, desk.shift, CASHIER)
    (fact,) = told(desk, "line_voided")
    assert (fact["line"]["goods_id"], fact["line"]["amount"]) == ("B1", 1250)
    assert desk.counter.checkout.due().amount == 200
    gone = refused(desk.counter.holding.void_line, line, desk.shift, CASHIER)
    assert gone.code == "no-such-line"
    assert len(told(desk, "line_voided")) == 1


def test_a_price_by_hand_names_who_allowed_it(desk):
    desk.scan(BISCUIT_CODE)
    line = desk.counter.checkout.basket.state.lines[0].id
    approval = desk.approval("price")
    desk.counter.holding.override_price(line, 999, approval, desk.shift, CASHIER)
    (fact,) = told(desk, "price_overridden")
    assert (fact["list_price"], fact["unit_price"]) == (1250, 999)
    assert fact["approvals"][0]["approver_id"] == MANAGER
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert sale.fact.total == 999
    assert sale.fact.approvals == (approval,)


def test_a_member_erased_while_the_basket_was_held_is_just_not_there(desk):
    from desktop.store.members import forget_member  # noqa: PLC0415 - the erasure of one test

    member = desk.enrol()
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.basket.attach(member)
    held = hold(desk)
    desk.till.books.change(lambda work: forget_member(work.connection, member.member_id))
    desk.counter.holding.recall(held.hold_id)
    assert desk.counter.checkout.basket.state.member is None
    assert desk.counter.checkout.due().amount == 1250
