"""An exchange: a return and a sale in one commit, on one paper; cash is set off, cards are not."""

import re
from collections.abc import Callable

import pytest

from desktop.reckoning.file import read_till
from desktop.services.checkout import CompletedSale
from desktop.services.exchanging import Exchange, in_cash
from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from desktop.store.verification import verify_till
from shared.errors import DomainError
from shared.receipt.layout import Grid, plain_text
from shared.returning.lines import Wanted
from shared.trade.fact import TenderKind
from tests.judges.receipts.adding_up import check
from tests.pricing_builders import programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import BISCUITS, CASHIER, WATER

BISCUIT, BOTTLE = BISCUITS.list_price_minor, WATER.list_price_minor
MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk(programme())


def bring_back(desk: Desk, sale: CompletedSale, *lines: tuple[int, int]) -> None:
    """What is in the basket is paid with lines of an earlier sale, as far as they go."""
    sold = desk.till.returns.by_receipt(sale.fact.receipt_no)
    wanted = [Wanted(line, quantity) for line, quantity in lines]
    refunds = desk.till.returns.would_give(desk.till.pricing(), sold, wanted)
    exchange = Exchange(sold=sold, wanted=wanted, reason="faulty", cash=in_cash(refunds))
    desk.counter.checkout.exchange(exchange)


def kinds(desk: Desk) -> list[str]:
    return [entry.told["kind"] for entry in read_till(desk.till.store.folder.database).entries()]


def papers(desk: Desk) -> dict[tuple[str, int], str]:
    return read_till(desk.till.store.folder.database).printed


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as caught:
        call()
    return caught.value.code


def test_dearer_goods_cost_the_difference_and_both_are_one_paper(desk: Desk) -> None:
    first = desk.sell(WATER_CODE)
    before = desk.counter.shifts.figures().expected_cash
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    assert kinds(desk).count("sale_returned") == 0, "nothing is written before it is paid"
    assert desk.counter.checkout.due().amount == BISCUIT - BOTTLE
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert kinds(desk)[-2:] == ["sale_returned", "sale_completed"]
    returned = sale.returned
    assert returned is not None
    assert returned.ticket_id == sale.fact.ticket_id
    assert (returned.total, sale.fact.total) == (BOTTLE, BISCUIT)
    assert [one.reference for one in returned.refunds] == [sale.fact.receipt_no]
    assert sale.fact.tenders[0].reference == first.fact.receipt_no
    assert desk.counter.shifts.figures().expected_cash - before == BISCUIT - BOTTLE
    assert list(papers(desk)) == [(first.entry_id, 0), (sale.entry_id, 0)], "one paper for both"


def test_a_copy_of_the_return_alone_says_that_it_was_set_off(desk: Desk) -> None:
    first = desk.sell(WATER_CODE)
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert sale.returned is not None
    assert sale.fact.exchange is not None
    exchange, number = sale.fact.exchange, sale.returned.receipt_no
    assert desk.till.copies.print_copy(exchange, number, CASHIER) == 1
    job = PrintJob("j", exchange, 1, "en", JobState.QUEUED, "")
    text = plain_text(Papers(desk.till.books, desk.till.shop()).document(job), Grid(48))
    assert "COPY 1" in text
    assert "Set off" in text
    assert "Cash" not in text.partition("Refund")[2]
    assert check(text).flaws == []


def test_cheaper_goods_give_change(desk: Desk) -> None:
    first = desk.sell(BISCUIT_CODE)
    before = desk.counter.shifts.figures().expected_cash
    desk.scan(WATER_CODE)
    bring_back(desk, first, (1, 1))
    assert desk.counter.checkout.can_finish
    sale = desk.finish()
    assert sale.change == BISCUIT - BOTTLE
    assert desk.counter.shifts.figures().expected_cash - before == BOTTLE - BISCUIT


def test_what_a_card_paid_goes_back_to_it_and_pays_nothing_here(desk: Desk) -> None:
    desk.scan(WATER_CODE)
    desk.counter.checkout.tender(TenderKind.CARD, BOTTLE)
    first = desk.finish()
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    assert desk.counter.checkout.due().amount == BISCUIT
    assert not desk.counter.checkout.can_finish
    desk.counter.checkout.tender(TenderKind.CARD, BISCUIT)
    sale = desk.finish()
    assert [one.tender for one in sale.fact.tenders] == [TenderKind.CARD]
    assert sale.returned is not None
    assert [(one.tender, one.amount) for one in sale.returned.refunds] == [
        (TenderKind.CARD, BOTTLE)
    ]


def test_exchanged_goods_come_back_as_cash_once_and_no_more(desk: Desk) -> None:
    first = desk.sell(WATER_CODE, WATER_CODE, BISCUIT_CODE)
    desk.scan(WATER_CODE)
    bring_back(desk, first, (1, 1))
    second = desk.finish()
    rest = desk.take_back(first, (1, 1), (2, 1)).fact
    assert [(one.tender, one.amount, one.reference) for one in rest.refunds] == [
        (TenderKind.CASH, BOTTLE + BISCUIT, "")
    ]
    again = desk.take_back(second, (1, 1)).fact
    assert [(one.tender, one.amount, one.reference) for one in again.refunds] == [
        (TenderKind.CASH, BOTTLE, "")
    ]
    desk.scan(WATER_CODE)
    assert refused(lambda: bring_back(desk, first, (1, 1))) == "return-exceeds-sale"


def test_given_back_in_the_panel_nothing_comes_back(desk: Desk) -> None:
    first = desk.sell(WATER_CODE)
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    assert refused(lambda: bring_back(desk, first, (1, 1))) == "one-exchange-per-ticket"
    desk.counter.checkout.withdraw(0)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert sale.returned is None
    assert sale.fact.exchange is None
    assert "sale_returned" not in kinds(desk)


def test_without_goods_in_the_basket_there_is_nothing_to_exchange_for(desk: Desk) -> None:
    first = desk.sell(WATER_CODE)
    assert refused(lambda: bring_back(desk, first, (1, 1))) == "basket-empty"


def test_what_came_back_meanwhile_stops_the_exchange_whole(desk: Desk) -> None:
    first = desk.sell(WATER_CODE, BISCUIT_CODE)
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    desk.take_back(first, (1, 1))
    desk.counter.checkout.tender_cash()
    before = kinds(desk)
    assert refused(desk.finish) == "return-exceeds-sale"
    assert kinds(desk) == before, "neither is written"


def test_a_refund_that_became_smaller_stops_the_exchange_whole(desk: Desk) -> None:
    first = desk.sell(WATER_CODE)
    desk.scan(BISCUIT_CODE)
    sold = desk.till.returns.by_receipt(first.fact.receipt_no)
    exchange = Exchange(sold=sold, wanted=[Wanted(1, 1)], reason="faulty", cash=BOTTLE + 1_00)
    desk.counter.checkout.exchange(exchange)
    desk.counter.checkout.tender_cash()
    before = kinds(desk)
    assert refused(desk.finish) == "exchange-changed"
    assert kinds(desk) == before
    assert desk.counter.checkout.due().amount == 0, "the basket and its payments are still there"


def test_a_sale_that_cannot_be_written_takes_its_return_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.sell(WATER_CODE)
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    desk.counter.checkout.tender_cash()
    before = kinds(desk)
    with monkeypatch.context() as broken:

        def refuse(*_given: object, **_named: object) -> object:
            raise DomainError("balance-changed")

        broken.setattr("desktop.services.ticket.sale_fact", refuse)
        assert refused(desk.finish) == "balance-changed"
    assert kinds(desk) == before
    sale = desk.finish()
    assert kinds(desk) == [*before, "sale_returned", "sale_completed"]
    assert sale.returned is not None
    desk.till.close()
    assert verify_till(desk.till.store.folder).flaws == []


def test_a_till_that_dies_before_the_end_has_the_basket_and_exchanged_nothing(
    desk: Desk,
) -> None:
    first = desk.sell(WATER_CODE)
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    desk.counter.draft.keep()
    desk.till.close()
    again = open_desk(desk.till.store.folder, desk.clock)
    desk.till = again.till
    assert again.counter.draft.restore(again.till.operators.all()[0].operator_id) is not None
    assert again.counter.checkout.tenders == ()
    assert again.counter.checkout.due().amount == BISCUIT


def test_each_part_of_the_paper_names_its_own_member(desk: Desk) -> None:
    first = desk.sell(WATER_CODE, member=desk.enrol())
    buyer = desk.enrol(name="韩梅梅", phone="13900139000")
    desk.counter.checkout.basket.attach(desk.member(buyer))
    desk.scan(BISCUIT_CODE)
    bring_back(desk, first, (1, 1))
    desk.counter.checkout.tender_cash()
    text = paper(desk, desk.finish(), 48, "zh_CN")
    came_back = text.index("退回商品")
    assert came_back < text.index("李**") < text.index("差额") < text.index("韩**")
    assert text.count("升级") == 1, "prospects stand once"


def paper(desk: Desk, sale: CompletedSale, columns: int, language: str) -> str:
    job = PrintJob("j", sale.entry_id, 0, language, JobState.QUEUED, "")
    return plain_text(Papers(desk.till.books, desk.till.shop()).document(job), Grid(columns))


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("language", ["zh_CN", "en", "both"])
def test_the_one_paper_adds_up(desk: Desk, columns: int, language: str) -> None:
    """Judge: a program that adds up the printed text alone."""
    member = desk.enrol()
    first = desk.sell(WATER_CODE, WATER_CODE, BISCUIT_CODE, member=member)
    desk.counter.checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE, BISCUIT_CODE)
    bring_back(desk, first, (1, 1), (2, 1))
    desk.counter.checkout.tender_cash(BISCUIT * 3)
    sale = desk.finish()
    text = paper(desk, sale, columns, language)
    found = check(text)
    assert found.flaws == [], text
    assert {"lines", "tenders", "change", "tax", "points", "exchange"} <= found.kinds
    assert sale.returned is not None
    for number in (first.fact.receipt_no, sale.fact.receipt_no, sale.returned.receipt_no):
        assert number in text
    figures = re.finditer(r"[\d,]*\d\.\d\d(?= *$)", text, re.MULTILINE)
    for figure in figures:
        changed = text[: figure.end() - 1] + str((int(text[figure.end() - 1]) + 1) % 10)
        assert check(changed + text[figure.end() :]).flaws, text[figure.start() - 60 : figure.end()]
