"""Gift cards that are taxed when sold, at the server: one till at a time, and the audit."""

import msgspec
import pytest
from sqlalchemy import select

from shared.ids import CardId, EntryId
from shared.journal.entry import decode_entry
from shared.loyalty.accounts import GiftCards
from shared.loyalty.bundle import bundle_ref, programme_bytes, template
from shared.loyalty.prepaid_tax import TaxTable
from shared.pricing.card_tax import taxes_of_card
from shared.protocol.lease import LeaseAnswer, LeaseAsk, LeaseReply, LeaseRequest, lease_of
from shared.protocol.message import PROTOCOL, PROTOCOL_CARD_TAX
from shared.trade.fact import TaxTotal, Tender, TenderKind
from shared.trade.kinds import read_fact
from shared.trade.server import ExceptionRaised
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned
from shared.trade.value import GiftCardClosed, GiftCardSold
from sync_server.database.schema import entries
from tests.support.servers import Server
from tests.support.till_writer import TillWriter, where

PROGRAMME = msgspec.structs.replace(
    template("default"), gift_cards=GiftCards(taxed_when_sold_as="standard")
)
CARD = CardId("ab" * 16)
WORTH = 11_300
RULES = {"card-taxed-otherwise", "returned-otherwise"}


def row(net: int, tax: int) -> TaxTotal:
    return TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=net, tax=tax)


def place(till: TillWriter) -> dict[str, object]:
    return {k: v for k, v in where(till).items() if k not in {"ticket_id", "engine"}}


def sold(till: TillWriter, taxes: TaxTable, card: CardId = CARD) -> GiftCardSold:
    cash = Tender(tender=TenderKind.CASH, amount=WORTH)
    return GiftCardSold(**place(till), card_id=card, amount=WORTH, tenders=(cash,), taxes=taxes)


def line(amount: int, tax_class: str = "standard") -> SaleLine:
    return SaleLine(
        line=1,
        goods_id="tea",
        names={"en": "Tea", "zh_CN": "茶"},
        quantity=1,
        list_price=amount,
        unit_price=amount,
        gross=amount,
        amount=amount,
        tax_class=tax_class,
    )


def paid(
    till: TillWriter, left: int, prepaid: TaxTable, amount: int = 1_130, tax_class: str = "standard"
) -> SaleCompleted:
    tender = Tender(
        tender=TenderKind.GIFT_CARD, amount=amount, reference=CARD, left=left, prepaid=prepaid
    )
    lines = (line(amount, tax_class),)
    return SaleCompleted(**where(till), lines=lines, total=amount, tenders=(tender,))


def returned(till: TillWriter, sale: EntryId, refund: Tender) -> SaleReturned:
    back = ReturnLine(
        line=1,
        of_line=1,
        goods_id="tea",
        names={"en": "Tea", "zh_CN": "茶"},
        quantity=1,
        amount=refund.amount,
        tax_class="standard",
    )
    return SaleReturned(
        **where(till),
        original=sale,
        lines=(back,),
        total=refund.amount,
        refunds=(refund,),
        reason="",
    )


def ask(server: Server, till: TillWriter, protocol: int = PROTOCOL) -> LeaseAnswer:
    asks = (LeaseAsk(account="gift-card", owner=CARD, wanted=100),)
    request = LeaseRequest(protocol=protocol, asks=asks)
    return server.line.post("/v1/leases", request, LeaseReply, signer=till.key).answers[0]


def found(server: Server) -> list[tuple[str, int]]:
    """What head office is told of the taxes of cards: how much, in which account."""
    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(
            select(entries.c.bytes)
            .where(entries.c.kind == ExceptionRaised.kind)
            .order_by(entries.c.server_seq)
        ).scalars()
        facts = [read_fact(decode_entry(one).envelope) for one in rows]
    return [
        (effect.account, effect.amount)
        for fact in facts
        if isinstance(fact, ExceptionRaised)
        and fact.rule in {"card-taxed-otherwise", "returned-otherwise"}
        for effect in fact.effects
    ]


@pytest.fixture
def till(server: Server) -> TillWriter:
    document = programme_bytes(PROGRAMME)
    server.services.programme.publish(document)
    till = server.enrol_till("east")
    till.programme = bundle_ref(1, document)
    return till


def test_one_till_at_a_time_has_all_of_a_card_and_is_told_its_tax(
    server: Server, till: TillWriter
) -> None:
    west = server.enrol_till("west")
    taxes = taxes_of_card(WORTH, PROGRAMME)
    till.write(sold(till, taxes))
    till.write(paid(till, WORTH - 1_130, (row(1_000, 130),)))
    server.line.push(till)

    older = ask(server, west, PROTOCOL_CARD_TAX - 1)
    assert (older.granted, older.balance, older.card_tax) == (None, 10_170, None)
    mine, theirs = ask(server, till), ask(server, west)

    assert mine.granted is not None
    terms = lease_of(mine.granted, server.services.vault.signing.public, till.journal)
    assert (terms.amount, terms.is_taxed) == (10_170, True)
    assert mine.card_tax is not None
    assert (mine.card_tax.as_sold, mine.card_tax.unused) == (taxes, (row(9_000, 1_170),))
    assert (theirs.granted, theirs.elsewhere) == (None, 10_170)


def test_the_audit_judges_the_tax_of_a_card_wherever_it_stands(
    server: Server, till: TillWriter
) -> None:
    right = taxes_of_card(WORTH, PROGRAMME)
    till.write(sold(till, right))
    till.write(sold(till, (row(10_100, 1_200),), CardId("cd" * 16)))
    sale = till.write(paid(till, 10_170, (row(1_000, 130),)))
    # It says that nothing of it was taxed before, then too little, then it pays for other goods.
    till.write(paid(till, 9_040, ()))
    till.write(paid(till, 7_910, (row(930, 200),)))
    till.write(paid(till, 6_780, (row(940, 190),), tax_class="zero"))
    services, at = server.services, len(till.entries)
    server.line.push(till)
    services.audit.run()
    services.cards_audit.run()
    # What the first of them left out the next one has to make good: 2.60.
    untaxed, too_little, other_goods, sold_otherwise = found(server)
    assert untaxed == ("audit-prepaid-tax", -130)
    assert too_little == ("audit-prepaid-tax", 200 - 260)
    assert other_goods == ("audit-money", 1_130)
    assert sold_otherwise == ("audit-prepaid-tax", 1_200 - 1_300)

    refund = Tender(tender=TenderKind.GIFT_CARD, amount=1_130, reference=CARD)
    till.write(returned(till, sale, refund))
    # 13.00 less 1.30, 2.00 and 1.90 are in it; a refund that says so puts 1.30 back.
    rest = {k: v for k, v in place(till).items() if k != "programme"}
    till.write(GiftCardClosed(**rest, card_id=CARD, amount=7_910))
    server.line.push(till, at)
    services.returns_audit.run()
    services.cards_audit.run()
    assert found(server)[4:] == [("audit-prepaid-tax", -130), ("audit-prepaid-tax", -780)]
