"""Gift cards that are taxed when they are sold: two tills and a server, as ``quote`` reckons."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from desktop.services.checkout import CompletedSale
from desktop.services.gift_cards import card_account
from desktop.services.paper import Papers
from desktop.services.returns import ReturnedBy
from desktop.services.stored_value import VALUE_OUT, By, paying
from desktop.store.leases import HeldLease, held_leases
from desktop.store.print_jobs import JobState, PrintJob
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import EntryId, GoodsId
from shared.loyalty.accounts import GiftCards
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.gift_card_code import card_instance
from shared.receipt.layout import Grid, plain_text
from shared.returning.lines import Wanted
from shared.trade.fact import Approval, TaxTotal, TenderKind
from shared.trade.tax_due import tax_table
from shared.trade.value import GiftCardClosed, GiftCardSold
from shared.workbench.playing import play, refused_unforeseen
from shared.workbench.result import State
from shared.workbench.scenario import read_scenario
from sync_server.ledger.audit_job import AuditJob
from tests.support.little_chain import LittleChain, TillHere

PROGRAMME = msgspec.structs.replace(
    template("default"), gift_cards=GiftCards(valid_months=12, taxed_when_sold_as="standard")
)
BREAD = Goods(
    sku=GoodsId("A"),
    name_zh="面包",
    name_en="Bread",
    tax_class="standard",
    list_price_minor=5650,
    barcodes=("2900000000018",),
)
BOOK = Goods(
    sku=GoodsId("B"),
    name_zh="书",
    name_en="Book",
    tax_class="zero",
    list_price_minor=1000,
    barcodes=("2900000000025",),
)
PIN = Goods(
    sku=GoodsId("C"),
    name_zh="别针",
    name_en="Pin",
    tax_class="standard",
    list_price_minor=37,
    barcodes=("2900000000032",),
)


@pytest.fixture
def chain(tmp_path: Any) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as chain:
        chain.server.services.programme.publish(programme_bytes(PROGRAMME))
        chain.server.services.catalogue.put((BREAD, BOOK, PIN))
        chain.drain()
        yield chain


class Bearer:
    """A card and what happens to it, here and in a scenario of the workbench."""

    def __init__(self, chain: LittleChain) -> None:
        self.chain = chain
        self.steps: list[dict[str, Any]] = []
        self.code = ""

    def sell(self, till: TillHere, amount: int) -> GiftCardSold:
        done = till.counter.cards.sell(
            till.till.pricing(), amount, paying(TenderKind.CASH, amount), by(till)
        )
        with till.till.books.reading() as connection:
            (self.code,) = connection.exec_driver_sql("SELECT code FROM card_codes").one()
        self.steps.append({"do": "sell-gift-card", "code": "G", "amount_minor": amount})
        assert isinstance(done.fact, GiftCardSold)
        self.entry_id = done.entry_id
        return done.fact

    def pay(self, till: TillHere, *goods: Goods, amount: int | None = None) -> CompletedSale:
        """The basket is rung up: the card pays what it may, cash the rest."""
        till.counter.checkout.tender_gift_card(self.code, amount)
        if not till.counter.checkout.can_finish:
            till.counter.checkout.tender_cash()
        sale = till.counter.checkout.finish(till.shift, till.operator_id)
        self.steps += [{"do": "add", "goods": one.sku, "units": 1} for one in goods]
        tender = {"do": "tender", "tender": "gift-card", "code": "G"}
        self.steps.append(tender if amount is None else {**tender, "amount_minor": amount})
        if any(one.tender is TenderKind.CASH for one in sale.fact.tenders):
            self.steps.append({"do": "tender", "tender": "cash"})
        self.steps.append({"do": "complete", "sale": sale.fact.receipt_no})
        return sale

    def ask(self, till: TillHere) -> None:
        """Scanned; the server is asked."""
        with pytest.raises(DomainError) as error:
            till.counter.checkout.tender_gift_card(self.code)
        assert error.value.code == "card-asked"
        till.sync()

    def wait(self, till: TillHere, other: TillHere) -> None:
        """Until the other one has given the card up."""
        account = card_account(card_instance(till.till.identity.lookup_key, self.code))
        while (answer := till.till.leases.answer(account)) is None or answer.elsewhere:
            other.sync()
            till.sync()

    def bring_back(self, till: TillHere, sale: CompletedSale, line: int) -> None:
        till.till.returns.take_back(
            till.till.pricing(),
            till.till.returns.by_receipt(sale.fact.receipt_no),
            [Wanted(line, 1)],
            ReturnedBy(shift=till.shift, operator_id=till.operator_id, reason="changed mind"),
        )
        lines = [{"line": str(line), "units": 1}]
        self.steps.append({"do": "return", "sale": sale.fact.receipt_no, "lines": lines})

    def quoted(self) -> State:
        """How the workbench ends the same day."""
        goods = [
            {"sku": one.sku, "price_minor": one.list_price_minor, "tax_class": one.tax_class}
            for one in (BREAD, BOOK, PIN)
        ]
        document = {
            "at": "2026-03-02T09:00:00",
            "programme": PROGRAMME,
            "goods": goods,
            "steps": [*self.steps, {"do": "close-day"}],
        }
        scenario = read_scenario(msgspec.json.encode(document), is_toml=False)
        states = list(play(scenario))
        assert refused_unforeseen(scenario, states) == []
        return states[-1]


def by(till: TillHere) -> By:
    return By(till.shift, till.operator_id)


def ring(till: TillHere, *goods: Goods) -> None:
    till.counter.checkout.clear(till.till.pricing())
    for one in goods:
        till.counter.scanning.scan(one.barcodes[0])


def taxes(till: TillHere) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in till.counter.shifts.figures().taxes:
        found[row.tax_class] = found.get(row.tax_class, 0) + row.tax
    return found


def due(chain: LittleChain) -> int:
    """Of all tills."""
    return sum(taxes(till).get("standard", 0) for till in chain.tills)


def paper(till: TillHere, entry_id: EntryId, language: str = "en") -> str:
    job = PrintJob(
        job_id="j", entry_id=entry_id, copy=0, language=language, state=JobState.QUEUED, reason=""
    )
    return plain_text(Papers(till.till.books, till.till.shop()).document(job), Grid(42))


def audits(chain: LittleChain) -> int:
    services = chain.server.services
    found = (services.audit, services.returns_audit, services.cards_audit)
    assert all(isinstance(one, AuditJob) for one in found)
    return sum(one.run().different for one in found)


def held_leases_of(till: TillHere) -> list[HeldLease]:
    with till.till.books.reading() as connection:
        return held_leases(connection)


def taxes_of(sale: CompletedSale) -> int:
    return sum(one.tax for one in sale.fact.tenders[0].prepaid)


def row(net: int, tax: int) -> TaxTotal:
    return TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=net, tax=tax)


def test_a_card_is_taxed_once_wherever_it_pays_and_till_and_quote_agree(chain):
    first, second = chain.tills
    card = Bearer(chain)

    sold = card.sell(first, 11_300)
    first.sync()

    # The worked cases 217, 256 and 274: 13.00 are due at once, and it pays for its class only.
    assert sold.taxes == (row(10_000, 1_300),)
    assert taxes(first) == {"standard": 1_300}
    ring(second, BREAD, BOOK)
    card.ask(second)
    sale = card.pay(second, BREAD, BOOK)
    tender, cash = sale.fact.tenders
    assert (tender.amount, cash.amount, tender.left) == (5_650, 1_000, 5_650)
    assert tender.prepaid == (row(5_000, 650),)
    assert taxes(second) == {"zero": 0}
    assert "Taxed when the card was sold" in paper(second, sale.entry_id)
    assert "售卡时已计税" in paper(second, sale.entry_id, "zh_CN")
    assert "13.00" in paper(first, card.entry_id)
    card.bring_back(second, sale, 1)
    assert (taxes(second), due(chain)) == ({"zero": 0}, 1_300)

    # One till at a time has it, offline none that was not told what is left of its tax.
    ring(first, PIN, BOOK)
    card.ask(first)
    with pytest.raises(DomainError) as error:
        first.counter.checkout.tender_gift_card(card.code)
    assert error.value.code == "card-held-elsewhere"
    card.wait(first, second)
    first.counter.checkout.tender_gift_card(card.code, 1)
    with pytest.raises(DomainError) as error:
        first.counter.checkout.basket.void(first.counter.checkout.basket.state.lines[0].id)
    assert error.value.code == "tenders-first"
    first.counter.checkout.withdraw(0)

    # Odd amounts: a payment of 0.01 uses up no tax, another one what is missing by then.
    one = card.pay(first, PIN, BOOK, amount=1)
    ring(first, PIN)
    card.ask(first)
    other = card.pay(first, PIN)
    assert [taxes_of(done) for done in (one, other)] == [0, 4]
    card.bring_back(first, other, 1)

    ring(first, BOOK)
    card.ask(first)
    with pytest.raises(DomainError) as error:
        first.counter.checkout.tender_gift_card(card.code)
    assert (error.value.code, error.value.fields["most"]) == ("tender-may-not-pay", 0)
    first.counter.scanning.scan(BREAD.barcodes[0])
    card.pay(first, BOOK, BREAD)
    (left,) = card.quoted().gift_cards

    # What is left is paid out, and its tax is due no more.
    desk, pricing = first.counter.cards, first.till.pricing()
    with pytest.raises(DomainError) as error:
        desk.left_on(pricing, card.code)
    first.sync()
    amount = desk.left_on(pricing, card.code)
    assert amount == left.left_minor
    word = Approval(approval_id="a", action=VALUE_OUT, approver_id=first.operator_id, amount=amount)
    closed = desk.close(pricing, card.code, by(first), (word,))
    assert isinstance(closed.fact, GiftCardClosed)
    assert sum(one.tax for one in closed.fact.taxes) == left.tax_minor
    card.steps.append({"do": "close-card", "code": "G"})
    assert due(chain) == card.quoted().days[0].tax_minor["standard"]

    z = first.counter.shifts.close(first.operator_id, [])
    assert z.taxes == tax_table(z.taxes)
    assert first.counter.shifts.close_day(first.operator_id).taxes == z.taxes
    chain.drain()
    assert all(not held_leases_of(till) for till in chain.tills)
    assert audits(chain) == 0
    with chain.server.services.database.reading() as snapshot:
        unused = snapshot.connection.exec_driver_sql(
            "SELECT SUM(amount) FROM balances WHERE account = 'prepaid-tax'"
        ).scalar()
    assert unused == 0
    chain.close()
    assert chain.reckon().differences == []
