"""What customers do at a till, from beginning to end: for tests that are about something else."""

from datetime import datetime
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from desktop.presenters.view import Choices
from desktop.services.paper import Papers
from desktop.store.catalogue import find_by_id
from desktop.store.print_jobs import JobState, PrintJob
from desktop.store.schema import entries
from desktop.store.tickets import find_receipt
from shared.catalogue.codes import member_code
from shared.catalogue.goods import Goods
from shared.ids import EntryId, GoodsId
from shared.journal.entry import Entry, decode_entry
from shared.loyalty.offers import Offer
from shared.pricing.sale_basket import Difference, Unjudged, judge
from shared.receipt.document import Document
from shared.receipt.layout import Grid, plain_text
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted
from tests.pricing_builders import programme
from tests.support.till_fixture import APPLES, MANAGER_PIN
from tests.support.till_hands import Hands

Key = Qt.Key
AnyFact = TypeVar("AnyFact", bound=Fact)
CARD = member_code("1234567890123")


def by(*offers: Offer, **more: object) -> pytest.MarkDecorator:
    """The till of a test has a programme with these offers and rules."""
    return pytest.mark.parametrize("asked", [programme(*offers, **more)], indirect=True)


def enrol(hands: Hands) -> None:
    """A new member, who stays with the basket."""
    hands.scan(CARD)
    hands.compose("王小明")
    hands.clock.advance(seconds=1)
    for _ in range(3):
        hands.key(Key.Key_Return)
    assert hands.sale.member is not None


def pay(hands: Hands) -> SaleCompleted:
    """All in cash."""
    hands.clock.advance(seconds=1)
    hands.key(Key.Key_F12)
    sale = last_sale(hands)
    hands.clock.advance(seconds=1)
    return sale


def sell(hands: Hands, *goods: Goods) -> SaleCompleted:
    """Goods by their codes, paid in cash."""
    for one in goods:
        hands.scan(one.barcodes[0])
    return pay(hands)


def enrol_and_come_back(hands: Hands, *bought: Goods) -> None:
    """A new member buys something; then their card is scanned for the next sale."""
    enrol(hands)
    sell(hands, *bought)
    hands.scan(CARD)


def last_sale(hands: Hands) -> SaleCompleted:
    """The fact of the sale whose change is on the screen."""
    return _last(hands)[1]


def last_entry(hands: Hands) -> Entry:
    """Its entry."""
    return _last(hands)[0]


def _last(hands: Hands) -> tuple[Entry, SaleCompleted]:
    assert hands.sale.change is not None
    with hands.station.till.books.reading() as connection:
        found = find_receipt(connection, hands.sale.change.receipt_no)
    assert found is not None
    return found


def paper(hands: Hands, entry: EntryId, language: str = "en") -> Document:
    """What is printed of an entry."""
    till = hands.station.till
    job = PrintJob(
        job_id="j", entry_id=entry, copy=0, language=language, state=JobState.QUEUED, reason=""
    )
    return Papers(till.books, till.shop()).document(job)


def receipt(hands: Hands, language: str = "en") -> str:
    """The receipt of the last sale, as text."""
    entry = last_entry(hands).envelope.id
    return text_of(paper(hands, entry, language))


def text_of(document: Document) -> str:
    """As it is read."""
    return plain_text(document, Grid(42))


def written(hands: Hands, kind: type[Fact]) -> list[Entry]:
    """All entries of a kind, oldest first."""
    statement = select(entries.c.bytes).where(entries.c.kind == kind.kind).order_by(entries.c.seq)
    with hands.station.till.books.reading() as connection:
        return [decode_entry(row.bytes) for row in connection.execute(statement)]


def facts(hands: Hands, kind: type[AnyFact]) -> list[AnyFact]:
    """Their facts."""
    found = (read_fact(entry.envelope) for entry in written(hands, kind))
    return [fact for fact in found if isinstance(fact, kind)]


def audited(hands: Hands) -> list[Difference] | Unjudged:
    """What a server that prices the last sale again finds."""
    entry, sale = _last(hands)
    at = datetime.fromisoformat(entry.envelope.occurred_at)
    till = hands.station.till
    with till.books.reading() as connection:
        skus = [GoodsId(line.goods_id) for line in sale.lines]
        goods = {str(sku): find_by_id(connection, sku) for sku in skus}
    known = {sku: one for sku, one in goods.items() if one}
    return judge(sale, at, till.pricing().programme, known)


def allow(hands: Hands) -> None:
    """The manager types the PIN."""
    assert hands.overlay.kind == "approval"
    hands.type(MANAGER_PIN)
    hands.key(Key.Key_Return)
    hands.clock.advance(seconds=1)


def weigh(hands: Hands, kilograms: str) -> None:
    """Apples."""
    hands.type(APPLES.sku)
    hands.key(Key.Key_Return)
    hands.type(kilograms)
    hands.key(Key.Key_Return)


def open_return(hands: Hands, receipt_no: str) -> None:
    """The sheet of a receipt."""
    hands.key(Key.Key_F5)
    hands.type(receipt_no)
    hands.key(Key.Key_Return)
    assert hands.overlay.is_wide


def take_back(hands: Hands, sale: SaleCompleted, *lines: int) -> int:
    """One unit of each of these lines, or all where none is named; what is given back in cash."""
    hands.clock.advance(seconds=1)
    open_return(hands, sale.receipt_no)
    for line in lines:
        hands.tap("units", f"{line}:1")
    if not lines:
        hands.tap("all")
    hands.key(Key.Key_F12)
    return refunded(hands)


def refunded(hands: Hands) -> int:
    """What the message says is to be given back in cash; 0 where it says nothing of cash."""
    assert hands.told == "till.return.done"
    assert hands.view.message is not None
    for part in hands.view.message.text.parts[1:]:
        if part.key == "till.return.in-cash":
            return int(dict(part.fields)["amount"].minor)
    return 0


def tiles(hands: Hands, name: str) -> list[str]:
    """The values of the tiles of one kind on the sheet in front."""
    parts = [part for part in hands.overlay.parts if isinstance(part, Choices)]
    return [item.value for part in parts if part.name == name for item in part.items]
