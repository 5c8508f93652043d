"""Spending by lease with real tills and a real server: what is allowed, refused, and found."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.reckoning.file import read_server
from desktop.services.leases import LeasedAccount
from desktop.store.database import TillFolder
from desktop.store.leases import call_back, held_leases, put_lease
from desktop.store.members import Member
from desktop.store.schema import leases as lease_table
from desktop.sync.http import ServerConnection
from shared.errors import DomainError
from shared.journal.keys import Signed, new_signing_key
from shared.language import Language, words
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import template
from shared.loyalty.leasing import Leases
from shared.protocol.lease import LeaseReply, lease_of, sign_lease
from shared.trade.lease import LeaseClass
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
BY_LEASE = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
BUDGET = msgspec.structs.replace(
    template("default"),
    leases=Leases(for_points=True, budget_points=100, budget_per_member=60),
)


@pytest.fixture
def chain(request: pytest.FixtureRequest, tmp_path) -> Iterator[LittleChain]:
    programme = getattr(request, "param", BY_LEASE)
    with LittleChain(tmp_path, programme=programme) as chain:
        yield chain


def member_with_points(chain: LittleChain, phone: str = "13800138000") -> Member:
    """Somebody who has bought much at the first till; all tills know."""
    first = chain.tills[0]
    member = first.enrol("李雷", phone=phone)
    first.sell(*[BISCUIT] * 60, member=member)
    chain.drain()
    found = first.member(member.member_id)
    assert found is not None
    assert found.points >= 500
    return found


def account(member: Member) -> LeasedAccount:
    return LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)


def right(till: TillHere, member: Member) -> int:
    return till.till.leases.right(account(member)).amount


def attach(till: TillHere, member: Member) -> None:
    """The member's card is scanned; the server is asked as far as it can be reached."""
    till.counter.checkout.clear()
    till.counter.checkout.basket.attach(till.member(member.member_id))


def see(till: TillHere, member: Member) -> None:
    """The member was at this till while it was online."""
    attach(till, member)
    assert till.sync()


def spend(till: TillHere, member: Member, points: int) -> Any:
    return till.sell(*[BISCUIT] * 8, member=member, points=points)


def refusal(till: TillHere, member: Member, points: int) -> DomainError:
    """Why points are not taken; there are words for it in both languages."""
    with pytest.raises(DomainError) as refused:
        spend(till, member, points)
    for language in Language:
        assert "{" not in words(language).error(refused.value)
    till.counter.checkout.clear()
    return refused.value


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]


def kinds(chain: LittleChain, kind: str) -> list[dict[str, Any]]:
    return [
        entry.told["body"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == kind
    ]


def test_half_can_be_spent_offline_and_the_sale_names_its_lease(chain):
    member = member_with_points(chain)
    till, other = chain.tills
    see(till, member)
    half = member.points // 2
    assert right(till, member) == half
    chain.plugs[0].pull()

    sale = spend(till, member, 100)

    (tender,) = [one for one in sale.fact.tenders if one.points]
    with till.till.books.reading() as connection:
        (lease,) = held_leases(connection)
    assert tender.lease_id == lease.terms.lease_id
    assert (right(till, member), right(other, member)) == (half - 100, 0)
    chain.drain()
    assert rules(chain) == []
    chain.close()
    assert chain.reckon().differences == []


def test_offline_beyond_the_lease_is_refused_with_what_may_be_spent_here(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    half = member.points // 2
    chain.plugs[0].pull()
    assert not till.sync()

    error = refusal(till, member, half + 10)

    assert error.code == "beyond-lease-offline"
    assert error.fields == {"wanted": f"{half + 10:,}", "here": f"{half:,}"}


def test_online_the_server_is_asked_for_the_rest_and_the_next_try_goes_through(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    wanted = member.points - 20
    attach(till, member)
    for _ in range(8):
        till.counter.scanning.scan(BISCUIT)
    with pytest.raises(DomainError, match="beyond-lease") as refused:
        till.counter.checkout.tender_points(wanted)
    assert refused.value.code == "beyond-lease"

    assert till.sync()

    till.counter.checkout.tender_points(wanted)
    till.counter.checkout.tender_cash()
    till.counter.checkout.finish(till.shift, till.operator_id)
    chain.drain()
    assert rules(chain) == []


def test_a_till_that_never_saw_the_member_online_spends_nothing(chain):
    member = member_with_points(chain)
    chain.plugs[1].pull()
    assert not chain.tills[1].sync()

    assert refusal(chain.tills[1], member, 10).code == "beyond-lease-offline"


def test_two_tills_cannot_spend_the_same_points_offline(chain):
    member = member_with_points(chain)
    for till in chain.tills:
        see(till, member)
    for plug in chain.plugs:
        plug.pull()
    spent = 0
    for till in chain.tills:
        points = right(till, member)
        spend(till, member, points)
        spent += points
    assert 0 < spent <= member.points

    chain.drain()

    assert rules(chain) == []
    assert chain.tills[0].member(member.member_id).points >= member.points - spent


def test_a_lease_is_called_back_from_a_till_that_is_online(chain):
    member = member_with_points(chain)
    first, second = chain.tills
    see(first, member)
    first.counter.checkout.clear()
    wanted = member.points - 10
    attach(second, member)
    second.till.leases.want(account(member), wanted)
    assert second.sync()
    assert right(second, member) < wanted
    assert first.sync()  # hears that it is called back
    assert first.sync()  # closes it
    assert right(first, member) == 0

    assert second.sync()

    assert right(second, member) == wanted
    (closed,) = kinds(chain, "lease_closed")
    assert (closed["reason"], closed["spent"]) == ("called-back", 0)


def test_more_leases_than_one_request_tells_are_called_back_too(chain, monkeypatch):
    monkeypatch.setattr("desktop.sync.leases.HELD_MAX", 1)
    first, second = chain.tills
    members = [member_with_points(chain), member_with_points(chain, "13800138001")]
    for member in members:
        see(first, member)
        first.counter.checkout.clear()
    for member in members:
        attach(second, member)
        second.till.leases.want(account(member), member.points - 10)
        assert second.sync()
        second.counter.checkout.clear()
    assert first.sync()
    assert first.sync()

    assert [right(first, member) for member in members] == [0, 0]


def test_a_basket_keeps_its_lease_though_another_till_calls_for_it(chain):
    member = member_with_points(chain)
    first, second = chain.tills
    see(first, member)
    attach(second, member)
    second.till.leases.want(account(member), member.points)
    second.sync()
    first.sync()
    first.sync()

    assert right(first, member) == member.points // 2


def test_the_end_of_the_term_stops_spending_and_the_journal_gives_the_rights_back(chain):
    member = member_with_points(chain)
    till, other = chain.tills
    see(till, member)
    till.counter.checkout.clear()
    chain.plugs[0].pull()
    chain.clock.advance(hours=25)
    assert refusal(till, member, 10).code in {"beyond-lease", "beyond-lease-offline"}
    see(other, member)
    assert right(other, member) == member.points // 2
    other.till.leases.want(account(member), member.points)
    other.sync()
    assert right(other, member) < member.points

    till.counter.checkout.clear()
    chain.drain()
    other.till.leases.want(account(member), member.points)
    other.sync()

    assert right(other, member) == member.points
    assert [one["reason"] for one in kinds(chain, "lease_closed")] == ["expired"]


def test_a_lease_that_ended_is_closed_though_nobody_calls_for_it(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    till.counter.checkout.clear()
    chain.clock.advance(hours=25)

    assert till.sync()

    assert [one["reason"] for one in kinds(chain, "lease_closed")] == ["expired"]


def test_a_clock_set_back_does_not_bring_an_ended_lease_back(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    chain.plugs[0].pull()
    chain.clock.advance(hours=25)
    chain.clock.set(chain.clock.at - timedelta(hours=24))

    assert right(till, member) == 0


def test_after_a_reboot_with_the_clock_behind_leases_rest_until_the_server_answers(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    chain.plugs[0].pull()
    right_time = chain.clock.at
    chain.clock.start_again()
    chain.clock.set(right_time - timedelta(hours=3))
    till.restart()

    assert refusal(till, member, 10).code == "leases-rest"

    # A sale in between does not make the wrong time right.
    till.sell(WATER.barcodes[0])
    assert till.till.leases.right(account(member)).is_resting
    chain.clock.set(right_time)
    chain.plugs[0].plug_in()
    till.till.leases.want(account(member))
    assert till.sync()
    assert right(till, member) == member.points // 2


def test_a_lease_that_ends_while_the_sale_is_paid_gives_the_points_back(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    chain.plugs[0].pull()
    attach(till, member)
    for _ in range(8):
        till.counter.scanning.scan(BISCUIT)
    till.counter.checkout.tender_points(50)
    till.counter.checkout.tender_cash()
    chain.clock.advance(hours=25)

    with pytest.raises(DomainError, match="lease-gone"):
        till.counter.checkout.finish(till.shift, till.operator_id)

    assert [one.tender for one in till.counter.checkout.tenders] == ["cash"]


@pytest.mark.parametrize("chain", [BUDGET], indirect=True)
def test_a_budget_pays_for_members_that_cannot_be_asked_about(chain):
    member = member_with_points(chain)
    till = chain.tills[1]
    assert till.sync()
    chain.plugs[1].pull()
    assert right(till, member) == 60

    sale = spend(till, member, 50)

    (tender,) = [one for one in sale.fact.tenders if one.points]
    with till.till.books.reading() as connection:
        (budget,) = held_leases(connection)
    assert budget.terms.lease_class is LeaseClass.BUDGET
    assert tender.lease_id == budget.terms.lease_id
    assert right(till, member) == 10
    assert refusal(till, member, 20).code in {"beyond-lease", "beyond-lease-offline"}
    chain.drain()
    assert rules(chain) == []


@pytest.mark.parametrize("chain", [BUDGET], indirect=True)
def test_a_budget_is_used_up_by_entries_and_renewed_by_what_the_server_received(chain):
    member = member_with_points(chain)
    friend = chain.tills[0].enrol("韩梅梅", phone="13900139000")
    chain.tills[0].sell(*[BISCUIT] * 60, member=friend)
    chain.drain()
    till = chain.tills[1]
    till.sync()
    chain.plugs[1].pull()
    spend(till, member, 60)
    assert right(till, friend) == 40
    spend(till, friend, 40)
    assert right(till, friend) == 0

    chain.plugs[1].plug_in()
    till.sync()

    with till.till.books.reading() as connection:
        budgets = [
            one for one in held_leases(connection) if one.terms.lease_class is LeaseClass.BUDGET
        ]
    assert [(one.left, one.terms.amount) for one in budgets] == [(100, 200)]
    chain.drain()
    assert rules(chain) == []


def test_a_cloned_till_cannot_use_one_lease_twice_unseen(chain, tmp_path):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    chain.plugs[0].pull()
    till.till.close()
    shutil.copytree(till.folder.path, tmp_path / "clone")
    till.open()
    clone = TillHere(TillFolder(tmp_path / "clone"), chain.clock, chain.operator_id)
    clone.open()
    points = member.points // 2
    spend(till, member, points)
    spend(clone, member, points)
    chain.plugs[0].plug_in()
    assert till.sync()

    assert clone.sync()

    clone.till.close()
    assert {"fork", "lease-overspent"} <= set(rules(chain))
    see(till, member)
    assert right(till, member) == 0


def grant_of(till: TillHere) -> Signed:
    with till.till.books.reading() as connection:
        statement = connection.execute(select(lease_table.c.statement)).scalar_one()
    return msgspec.msgpack.decode(statement, type=Signed)


def test_a_replayed_grant_gives_nothing_back(chain):
    member = member_with_points(chain)
    till = chain.tills[0]
    see(till, member)
    grant = grant_of(till)
    key = chain.server.services.vault.signing.public
    terms = lease_of(grant, key, till.till.identity.journal)
    spend(till, member, right(till, member) - 50)

    till.till.store.writer.run(lambda work: put_lease(work.connection, grant, terms))
    assert right(till, member) == 50

    till.till.store.writer.run(lambda work: call_back(work.connection, [terms.lease_id]))
    assert till.sync()  # closes it, with something left
    assert right(till, member) == 0
    till.till.store.writer.run(lambda work: put_lease(work.connection, grant, terms))
    assert right(till, member) == 0


@pytest.mark.parametrize("forgery", ["other key", "other amount", "other till"])
def test_a_forged_grant_is_not_taken(chain, monkeypatch, forgery):
    member = member_with_points(chain)
    till, other = chain.tills
    see(till, member)
    genuine = grant_of(till)
    key = chain.server.services.vault.signing
    terms = lease_of(genuine, key.public, till.till.identity.journal)
    more = msgspec.structs.replace(terms, amount=10**6, serial=9)
    forged = {
        "other key": sign_lease(new_signing_key(), more),
        "other amount": msgspec.structs.replace(
            genuine, payload=genuine.payload.replace(b'"serial":1', b'"serial":9')
        ),
        "other till": sign_lease(
            key, msgspec.structs.replace(more, journal=other.till.identity.journal)
        ),
    }[forgery]
    asked = ServerConnection.leases

    def lie(connection: ServerConnection, request: Any) -> LeaseReply:
        reply = asked(connection, request)
        return msgspec.structs.replace(reply, budget=forged)

    monkeypatch.setattr(ServerConnection, "leases", lie)
    assert not till.sync()
    assert right(till, member) == member.points // 2
    monkeypatch.undo()


def test_without_the_programmes_word_points_are_spent_as_before(tmp_path):
    with LittleChain(tmp_path) as chain:
        member = member_with_points(chain)
        chain.plugs[1].pull()

        sale = spend(chain.tills[1], member, 100)

        assert all(one.lease_id is None for one in sale.fact.tenders)
        chain.drain()
        assert rules(chain) == []


@pytest.mark.parametrize("how", ["held", "given up", "member off"])
def test_a_basket_that_leaves_the_screen_keeps_no_lease_from_being_called_back(chain, how):
    member = member_with_points(chain)
    till = chain.tills[0]
    attach(till, member)
    till.counter.scanning.scan(BISCUIT)
    assert till.till.leases.in_use()
    match how:
        case "held":
            till.counter.holding.hold(till.shift, till.operator_id)
        case "given up":
            till.counter.holding.abandon(till.shift, till.operator_id)
        case _:
            till.counter.checkout.basket.attach(None)

    assert not till.till.leases.in_use()
