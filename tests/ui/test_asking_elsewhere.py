"""Receipts and members of other tills: asked for while the cashier goes on, never waited for."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import Qt

from desktop.presenters.text import Say
from desktop.presenters.view import Note, Page, TillView
from desktop.store.tickets import find_receipt
from shared.catalogue.codes import member_code
from shared.errors import EnvironmentFault
from shared.ids import MemberId, random_id
from shared.protocol.message import LookupReply, LookupRequest, MemberRow, ReceiptCopy
from shared.trade.profile import KeyKind, lookup_hash
from tests.support.till_fixture import CHIPS, LOOKUP_KEY, PEOPLE, WATER, open_till
from tests.support.till_hands import Hands

Key = Qt.Key
CARD = member_code("1234567890123")
PHONE = "13800138000"
ANSWER_S = 10


@dataclass
class Server:
    """Answers when it is let; without a line it says so."""

    reply: LookupReply = field(default_factory=LookupReply)
    is_down: bool = False
    asked: list[LookupRequest] = field(default_factory=list)
    may_answer: Event = field(default_factory=Event)

    def lookup(self, request: LookupRequest) -> LookupReply:
        self.asked.append(request)
        assert self.may_answer.wait(ANSWER_S)
        if self.is_down:
            raise EnvironmentFault("server-unreachable", url="http://127.0.0.1:9")
        return self.reply

    def close(self) -> None:
        pass


@pytest.fixture
def server(selling: Hands, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(selling.station.till, "connect", lambda: made)
    return made


@pytest.fixture
def foreign_sale(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """Two packets of chips sold at till 2: the receipt's number and the entry as written."""
    return sell_at_till_2(tmp_path_factory.mktemp("other"))


def sell_at_till_2(path: Path) -> tuple[str, bytes]:
    with open_till(path, number=2) as till:
        counter, cashier = till.counter(), PEOPLE[0].operator_id
        counter.shifts.open(cashier, ())
        counter.checkout.basket.add(CHIPS, units=2)
        counter.checkout.tender_cash()
        sale = counter.checkout.finish(counter.shifts.required(), cashier)
        with till.books.reading() as connection:
            found = find_receipt(connection, sale.fact.receipt_no)
        assert found is not None
        return sale.fact.receipt_no, found[0].encoded


def row(**named: str) -> MemberRow:
    keys = (
        lookup_hash(LOOKUP_KEY, KeyKind.CARD, CARD),
        lookup_hash(LOOKUP_KEY, KeyKind.PHONE, PHONE),
    )
    return MemberRow(
        member_id=MemberId(random_id()), keys=keys, tier="member", phone_tail="8000", **named
    )


def answer(hands: Hands, server: Server) -> None:
    """Let the server answer, and wait until the till has heard it."""
    server.may_answer.set()
    assert hands.station.loop.wait_for(has_heard, ANSWER_S)
    hands.settle()


def has_heard(view: TillView) -> bool:
    """Nothing on the screen says any more that the server is being asked."""
    return "till.elsewhere.asking" not in repr(view.overlay) and (
        view.overlay is not None or view.message is not None
    )


def note(hands: Hands) -> str:
    """What the sheet in front says first."""
    part = hands.overlay.parts[0]
    assert isinstance(part, Note)
    assert isinstance(part.text, Say)
    return part.text.key


def test_a_scanned_receipt_of_another_till_opens_its_return(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    number, entry = foreign_sale
    server.reply = LookupReply(receipt=ReceiptCopy(entry=entry, returns=()))
    selling.scan(number)
    assert note(selling) == "till.elsewhere.asking-receipt"
    answer(selling, server)
    assert selling.overlay.kind.startswith("return-")
    selling.tap("units", "1:1")
    selling.key(Key.Key_F12)
    assert selling.told == "till.return.done"
    assert selling.receipts() == 1


def test_a_typed_one_is_asked_for_from_the_return_sheet(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    number, entry = foreign_sale
    server.reply = LookupReply(receipt=ReceiptCopy(entry=entry, returns=()))
    selling.key(Key.Key_F5)
    selling.type(number)
    selling.key(Key.Key_Return)
    assert [request.receipt_no for request in server.asked] == [number]
    assert note(selling) == "till.elsewhere.asking-receipt"
    answer(selling, server)
    assert selling.overlay.kind.startswith("return-")
    assert len(selling.overlay.parts) == 5


def test_sales_go_on_while_a_receipt_is_asked_for_and_nothing_opens_over_them(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    number, entry = foreign_sale
    server.reply = LookupReply(receipt=ReceiptCopy(entry=entry, returns=()))
    selling.scan(number)
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F12)
    assert selling.receipts() == 1
    selling.scan(CHIPS.barcodes[0])
    answer(selling, server)
    assert selling.view.overlay is None
    assert selling.told == "till.elsewhere.receipt-found"
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.receipts() == 2
    selling.key(Key.Key_F5)
    selling.key(Key.Key_Return)
    assert selling.overlay.is_wide
    selling.tap("all")
    selling.key(Key.Key_F12)
    assert selling.receipts() == 3


def test_offline_the_sheet_says_what_to_do_instead(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    server.is_down = True
    selling.scan(foreign_sale[0])
    answer(selling, server)
    assert note(selling) == "till.elsewhere.receipt-offline"


def test_a_receipt_that_nobody_wrote_is_said_to_be_none(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    selling.scan(foreign_sale[0])
    answer(selling, server)
    assert note(selling) == "till.elsewhere.no-receipt"


def test_a_receipt_scanned_twice_is_asked_for_once(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    selling.scan(foreign_sale[0])
    selling.scan(foreign_sale[0])
    answer(selling, server)
    assert len(server.asked) == 1


def test_a_card_from_another_till_is_attached_to_the_sale_that_waits_for_it(
    selling: Hands, server: Server
) -> None:
    server.reply = LookupReply(members=(row(name="韩梅梅"),))
    selling.scan(CHIPS.barcodes[0])
    selling.scan(CARD)
    assert note(selling) == "till.elsewhere.asking-member"
    selling.scan(WATER.barcodes[0])
    answer(selling, server)
    assert selling.view.overlay is None
    assert selling.sale.member is not None
    assert selling.sale.member.name == "韩梅梅"
    assert len(selling.sale.lines) == 2


def test_an_answer_after_the_sale_attaches_nobody_to_the_next_customer(
    selling: Hands, server: Server
) -> None:
    server.reply = LookupReply(members=(row(name="韩梅梅"),))
    selling.scan(CHIPS.barcodes[0])
    selling.scan(CARD)
    selling.key(Key.Key_F12)
    selling.scan(WATER.barcodes[0])
    answer(selling, server)
    assert selling.told == "till.elsewhere.member-found"
    assert selling.sale.member is None


def test_an_answer_while_money_is_taken_changes_no_price(selling: Hands, server: Server) -> None:
    server.reply = LookupReply(members=(row(name="韩梅梅"),))
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("2")
    selling.key(Key.Key_Return)
    selling.scan(CARD)
    answer(selling, server)
    assert selling.told == "till.elsewhere.member-found"
    assert selling.sale.member is None
    assert selling.sale.tender is not None


def test_offline_an_unknown_card_can_still_be_enrolled(selling: Hands, server: Server) -> None:
    server.is_down = True
    selling.scan(CARD)
    answer(selling, server)
    assert note(selling) == "till.elsewhere.member-offline"
    selling.compose("王小明")
    selling.clock.advance(seconds=1)
    for _ in range(3):
        selling.key(Key.Key_Return)
    assert selling.sale.member is not None


def test_a_whole_phone_number_unknown_here_is_asked_for(selling: Hands, server: Server) -> None:
    server.reply = LookupReply(members=(row(name="韩梅梅"),))
    selling.key(Key.Key_F3)
    selling.type(PHONE)
    selling.key(Key.Key_Return)
    assert [r.member_key for r in server.asked] == [lookup_hash(LOOKUP_KEY, KeyKind.PHONE, PHONE)]
    answer(selling, server)
    assert selling.sale.member is not None
    assert selling.view.overlay is None


@pytest.mark.parametrize("text", ["8000", "wang"])
def test_parts_of_numbers_and_names_are_not(selling: Hands, server: Server, text: str) -> None:
    selling.key(Key.Key_F3)
    selling.type(text)
    selling.key(Key.Key_Return)
    assert server.asked == []
    assert selling.told == "till.member.none"


def test_what_comes_after_the_sign_out_is_not_shown_to_anybody(
    selling: Hands, server: Server, foreign_sale: tuple[str, bytes]
) -> None:
    number, entry = foreign_sale
    server.reply = LookupReply(receipt=ReceiptCopy(entry=entry, returns=()))
    selling.scan(number)
    selling.key(Key.Key_Escape)
    selling.key(Key.Key_F10)
    selling.tap("menu", "sign-out")
    assert selling.view.page is Page.SIGN_IN
    server.may_answer.set()
    selling.station.till.executor().submit(lambda: None).result(ANSWER_S)
    selling.settle()
    assert selling.told == ""
