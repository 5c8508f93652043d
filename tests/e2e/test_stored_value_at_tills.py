"""Stored value and gift cards over the counter, with real tills and a real server."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from desktop.reckoning.file import read_server, reading
from desktop.services.checkout import CompletedSale
from desktop.services.gift_cards import card_account
from desktop.services.paper import Papers
from desktop.services.returns import ReturnedBy
from desktop.services.shifts import shift_figures
from desktop.services.stored_value import VALUE_OUT, By, Written, paying
from desktop.store.members import Member
from desktop.store.print_jobs import JobState, PrintJob, move
from desktop.store.tickets import read_shift
from desktop.store.verification import verify_till
from shared.catalogue.codes import GiftCardCode, classify
from shared.errors import DomainError
from shared.language import Language, words
from shared.ledger.account import AccountKind
from shared.loyalty.accounts import GiftCards, SpendFirst, StoredValue, TopUpOffer
from shared.loyalty.bundle import template
from shared.loyalty.gift_card_code import card_instance, new_gift_card_code
from shared.receipt.layout import Grid, plain_text
from shared.returning.lines import Wanted
from shared.trade.fact import Approval, TenderKind
from shared.trade.value import GiftCardSold, ValueToppedUp
from sync_server.ledger.audit_job import AuditJob
from tests.pricing_builders import names
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
TOP_UP = TopUpOffer(
    id="100", names=names("10 on 100"), minimum_minor=10_000, bonus_minor=1_000, points=50
)
STORED = StoredValue(top_ups=(TOP_UP,))
PROGRAMME = msgspec.structs.replace(
    template("default"), stored_value=STORED, gift_cards=GiftCards(valid_months=12)
)
BONUS_FIRST = msgspec.structs.replace(
    PROGRAMME, stored_value=StoredValue(top_ups=(TOP_UP,), spend_first=SpendFirst.BONUS)
)


@pytest.fixture
def chain(request: pytest.FixtureRequest, tmp_path) -> Iterator[LittleChain]:
    programme = getattr(request, "param", PROGRAMME)
    with LittleChain(tmp_path, programme=programme) as chain:
        yield chain


def by(till: TillHere) -> By:
    return By(till.shift, till.operator_id)


def top_up(till: TillHere, member: Member, amount: int = 10_000) -> Written:
    return till.counter.value.top_up(
        till.till.pricing(), member, amount, paying(TenderKind.CASH, amount), by(till)
    )


def saved(chain: LittleChain, amount: int = 10_000) -> Member:
    """Somebody who has topped up at the first till; the server knows of it."""
    first = chain.tills[0]
    member = first.enrol("李雷", phone="13800138000")
    top_up(first, member, amount)
    chain.drain()
    return known(first, member)


def known(till: TillHere, member: Member) -> Member:
    found = till.member(member.member_id)
    assert found is not None
    return found


def attach(till: TillHere, member: Member) -> None:
    till.counter.checkout.clear()
    till.counter.checkout.basket.attach(known(till, member))
    till.sync()


def ring(till: TillHere, count: int = 4) -> None:
    for _ in range(count):
        till.counter.scanning.scan(BISCUIT)


def finish(till: TillHere) -> CompletedSale:
    checkout = till.counter.checkout
    if not checkout.can_finish:
        checkout.tender_cash()
    return checkout.finish(till.shift, till.operator_id)


def approved(till: TillHere, action: str, amount: int) -> tuple[Approval, ...]:
    return (Approval(approval_id="a", action=action, approver_id=till.operator_id, amount=amount),)


def refused(error: pytest.ExceptionInfo[DomainError]) -> str:
    for language in Language:
        assert "{" not in words(language).error(error.value)
    return error.value.code


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]


def agree(chain: LittleChain) -> None:
    chain.drain()
    for audit in (chain.server.services.audit, chain.server.services.returns_audit):
        assert isinstance(audit, AuditJob)
        assert audit.run().different == 0
    assert rules(chain) == []
    chain.close()
    assert chain.reckon().differences == []


def paper(till: TillHere, entry_id: Any, copy: int = 0) -> str:
    job = PrintJob(
        job_id="j", entry_id=entry_id, copy=copy, language="en", state=JobState.QUEUED, reason=""
    )
    document = Papers(till.till.books, till.till.shop()).document(job)
    return plain_text(document, Grid(42))


def test_a_till_that_holds_a_bonus_of_the_servers_verifies_clean(chain: LittleChain) -> None:
    member = saved(chain)
    first, second = chain.tills
    top_up(second, known(second, member))
    second.sync()
    for till in (first, second):
        assert verify_till(till.folder).flaws == []


def test_a_top_up_gives_its_bonus_and_points_and_reaches_every_till(chain):
    member = saved(chain)

    assert (member.wallet.principal, member.wallet.bonus, member.points) == (10_000, 1_000, 50)
    assert known(chain.tills[1], member).wallet == member.wallet
    agree(chain)


def test_stored_value_is_spent_by_lease_and_the_receipt_says_what_is_left(chain):
    member = saved(chain)
    till = chain.tills[0]
    attach(till, member)
    ring(till)
    tender = till.counter.checkout.tender_stored_value(3_000)
    assert (tender.bonus, tender.left) == (0, 8_000)

    sale = finish(till)

    assert sale.fact.tenders[0].lease_id is not None
    text = paper(till, sale.entry_id)
    assert "Stored value" in text
    assert "80.00" in text
    assert known(till, member).wallet.principal == 7_000
    agree(chain)


def test_stored_value_is_never_spent_without_a_lease(chain):
    member = saved(chain)
    till = chain.tills[1]
    chain.plugs[1].pull()
    till.sync()
    attach(till, member)
    ring(till)

    with pytest.raises(DomainError) as error:
        till.counter.checkout.tender_stored_value(1_000)

    assert refused(error) == "beyond-lease-offline"
    assert error.value.fields["here"] == "¥0.00"


def test_bonus_pays_first_where_the_programme_says_so_and_earns_nothing(tmp_path):
    with LittleChain(tmp_path, programme=BONUS_FIRST) as chain:
        member = saved(chain)
        till = chain.tills[0]
        attach(till, member)
        ring(till)
        due = till.counter.checkout.due().amount
        tender = till.counter.checkout.tender_stored_value(3_000)
        assert tender.bonus == 1_000

        sale = finish(till)

        assert sale.fact.member is not None
        assert sale.fact.member.spend == due - 1_000
        assert sum(line.spend for line in sale.fact.lines) == due - 1_000
        wallet = known(till, member).wallet
        assert (wallet.principal, wallet.bonus) == (8_000, 0)
        agree(chain)


@pytest.mark.parametrize("count", [1, 2])
def test_a_return_goes_back_to_principal_and_bonus_as_they_paid(tmp_path, count):
    with LittleChain(tmp_path, programme=BONUS_FIRST) as chain:
        member = saved(chain)
        till = chain.tills[0]
        attach(till, member)
        ring(till, 2)
        due = till.counter.checkout.due().amount
        till.counter.checkout.tender_stored_value()
        sale = finish(till)
        assert sale.fact.tenders[0].amount == due
        give_back = ReturnedBy(
            shift=till.shift, operator_id=till.operator_id, reason="changed mind"
        )

        for units in {1: (2,), 2: (1, 1)}[count]:
            till.till.returns.take_back(
                till.till.pricing(),
                till.till.returns.by_receipt(sale.fact.receipt_no),
                [Wanted(1, units)],
                give_back,
            )

        wallet = known(till, member).wallet
        assert (wallet.principal, wallet.bonus) == (10_000, 1_000)
        agree(chain)


def test_closing_pays_the_principal_with_a_managers_word_and_forfeits_the_bonus(chain):
    member = saved(chain)
    till = chain.tills[0]
    desk, pricing = till.counter.value, till.till.pricing()
    attach(till, member)
    with pytest.raises(DomainError) as error:
        desk.close(pricing, known(till, member), by(till), ())
    assert refused(error) in {"beyond-lease", "approval-needed"}
    till.sync()
    with pytest.raises(DomainError) as error:
        desk.close(pricing, known(till, member), by(till), approved(till, VALUE_OUT, 9_999))
    assert refused(error) == "approval-needed"

    done = desk.close(pricing, known(till, member), by(till), approved(till, VALUE_OUT, 10_000))

    assert known(till, member).wallet.total == 0
    assert "100.00" in paper(till, done.entry_id)
    agree(chain)


def sell_card(till: TillHere, amount: int = 5_000, code: str = "") -> tuple[Written, str]:
    done = till.counter.cards.sell(
        till.till.pricing(), amount, paying(TenderKind.CASH, amount), by(till), code=code
    )
    with till.till.books.reading() as connection:
        row = connection.exec_driver_sql("SELECT code FROM card_codes").first()
    return done, row[0] if row else code


def pay_with(till: TillHere, code: str, amount: int | None = None):
    """Scanned; the server is asked; scanned again."""
    with pytest.raises(DomainError) as error:
        till.counter.checkout.tender_gift_card(code, amount)
    assert refused(error) == "card-asked"
    assert till.sync()
    return till.counter.checkout.tender_gift_card(code, amount)


def test_a_card_sold_at_one_till_pays_at_another_and_says_what_is_left(chain):
    first, second = chain.tills
    done, code = sell_card(first)
    assert isinstance(done.fact, GiftCardSold)
    assert done.fact.last_day == "2027-03-02"
    chain.drain()
    ring(second)

    tender = pay_with(second, code, 3_000)

    assert tender.left == 2_000
    sale = finish(second)
    assert "20.00" in paper(second, sale.entry_id)
    chain.drain()
    ring(first, 2)
    assert pay_with(first, code).amount == 2_000
    finish(first)
    agree(chain)


def test_the_code_has_83_random_bits_and_stands_in_no_journal_and_on_one_paper(chain):
    till = chain.tills[0]
    done, code = sell_card(till)
    assert isinstance(classify(code), GiftCardCode)
    assert len(code) == 28
    assert sell_card(till)[0].fact.card_id != done.fact.card_id
    assert code in "".join(paper(till, done.entry_id).split())
    assert code not in "".join(paper(till, done.entry_id, copy=1).split())
    chain.drain()
    assert all(
        code.encode() not in one.encoded for one in read_server(chain.server.database).entries()
    )
    with reading(till.folder.database) as connection:
        (job,) = connection.execute(
            "SELECT job_id FROM print_jobs WHERE entry_id = ?", (done.entry_id,)
        ).fetchone()

    till.till.store.writer.run(
        lambda work: move(
            work.connection,
            job,
            from_states=frozenset({JobState.QUEUED}),
            to=JobState.CONFIRMED,
        )
    )

    assert code not in "".join(paper(till, done.entry_id).split())


def test_a_card_from_the_rack_is_sold_once(chain):
    till = chain.tills[0]
    _, code = sell_card(till)
    with pytest.raises(DomainError) as error:
        sell_card(till, code=code)
    assert refused(error) == "card-known-already"
    with pytest.raises(DomainError) as error:
        sell_card(till, code="12345")
    assert refused(error) == "unknown-card"


def test_an_unknown_or_lapsed_or_empty_card_pays_nothing(chain):
    till = chain.tills[0]
    _, code = sell_card(till)
    chain.drain()
    chain.clock.advance(days=400)
    till.counter.checkout.clear()
    ring(till)
    with pytest.raises(DomainError) as error:
        pay_with(till, code)
    assert refused(error) == "gift-card-lapsed"
    till.counter.checkout.clear()
    ring(till)
    with pytest.raises(DomainError) as error:
        pay_with(till, new_gift_card_code())
    assert refused(error) == "gift-card-empty"
    with pytest.raises(DomainError) as error:
        till.counter.checkout.tender_gift_card("77")
    assert refused(error) == "unknown-card"


def test_offline_a_card_is_not_believed(chain):
    first, second = chain.tills
    _, code = sell_card(first)
    chain.drain()
    chain.plugs[1].pull()
    second.sync()
    ring(second)

    with pytest.raises(DomainError) as error:
        second.counter.checkout.tender_gift_card(code)

    assert refused(error) == "card-asked-offline"


def test_goods_come_back_to_the_card_that_paid(chain):
    first, second = chain.tills
    done, code = sell_card(first)
    chain.drain()
    ring(second, 1)
    pay_with(second, code)
    sale = finish(second)
    second.till.returns.take_back(
        second.till.pricing(),
        second.till.returns.by_receipt(sale.fact.receipt_no),
        [Wanted(1, 1)],
        ReturnedBy(shift=second.shift, operator_id=second.operator_id, reason="changed mind"),
    )
    chain.drain()

    account = card_account(card_instance(first.till.identity.lookup_key, code))
    assert account.kind is AccountKind.GIFT_CARD
    first.till.leases.want(account)
    first.sync()
    answer = first.till.leases.answer(account)
    assert answer is not None
    assert answer.balance == 5_000
    assert done.fact.card_id == account.owner
    agree(chain)


def test_what_is_left_on_a_card_is_paid_out_once_and_until_its_last_day(chain):
    till = chain.tills[0]
    _, code = sell_card(till)
    chain.drain()
    desk, pricing = till.counter.cards, till.till.pricing()
    with pytest.raises(DomainError) as error:
        desk.left_on(pricing, code)
    assert refused(error) == "card-asked"
    till.sync()
    with pytest.raises(DomainError) as error:
        desk.left_on(pricing, code)
    assert refused(error) == "beyond-lease"
    till.sync()
    assert desk.left_on(pricing, code) == 5_000

    desk.close(pricing, code, by(till), approved(till, VALUE_OUT, 5_000))

    # The server is asked what is left, and says that it is nothing.
    for told in ("card-asked", "nothing-to-pay-out"):
        with pytest.raises(DomainError) as error:
            desk.close(pricing, code, by(till), approved(till, VALUE_OUT, 5_000))
        assert refused(error) == told
        till.sync()

    _, other = sell_card(till)
    chain.drain()
    with pytest.raises(DomainError):
        desk.left_on(pricing, other)
    till.sync()
    chain.clock.advance(seconds=370 * 24 * 3600)
    with pytest.raises(DomainError) as error:
        desk.left_on(pricing, other)
    assert refused(error) == "gift-card-lapsed"
    agree(chain)


def test_the_drawer_and_the_z_know_of_value_in_and_out(chain):
    member = saved(chain)
    till = chain.tills[0]
    sell_card(till)
    desk, pricing = till.counter.value, till.till.pricing()
    till.counter.cards.sell(pricing, 2_000, paying(TenderKind.CARD, 2_000), by(till))
    attach(till, member)
    till.till.leases.want(card_account("x"))  # something else is asked for at the same time
    till.sync()
    with pytest.raises(DomainError):
        desk.to_pay_out(pricing, known(till, member))
    till.sync()
    desk.close(pricing, known(till, member), by(till), approved(till, VALUE_OUT, 10_000))

    with till.till.books.reading() as connection:
        figures = shift_figures(read_shift(connection, till.shift))

    assert (figures.value_in, figures.value_out, figures.value_cash) == (17_000, 10_000, 5_000)
    assert (figures.expected_cash, figures.turnover) == (5_000, 0)
    closed = till.counter.shifts.close(till.operator_id, [])
    assert closed.expected_cash == 5_000
    chain.drain()
    agree_books(chain)


def agree_books(chain: LittleChain) -> None:
    chain.close()
    assert chain.reckon().differences == []


@pytest.mark.parametrize(
    ("programme", "code"),
    [
        (template("default"), "no-stored-value"),
        (PROGRAMME, "bad-value-amount"),
    ],
)
def test_a_top_up_that_cannot_be_is_refused(tmp_path, programme, code):
    with LittleChain(tmp_path, tills=1, programme=programme) as chain:
        till = chain.tills[0]
        member = till.enrol("李雷", phone="13800138000")
        tender = paying(TenderKind.CASH, 10_000, 5_000)
        with pytest.raises(DomainError) as error:
            till.counter.value.top_up(till.till.pricing(), member, 10_000, tender, by(till))
        assert refused(error) == code


def test_the_most_that_stored_value_may_be_is_kept(tmp_path):
    most = msgspec.structs.replace(
        PROGRAMME, stored_value=StoredValue(top_ups=(), maximum_minor=12_000)
    )
    with LittleChain(tmp_path, tills=1, programme=most) as chain:
        till = chain.tills[0]
        member = till.enrol("李雷", phone="13800138000")
        done = top_up(till, member)
        assert isinstance(done.fact, ValueToppedUp)
        assert done.fact.bonus == 0
        with pytest.raises(DomainError) as error:
            top_up(till, member)
        assert refused(error) == "stored-value-limit"
