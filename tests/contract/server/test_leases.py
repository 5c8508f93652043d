"""Leases: who is given how much, what comes back when, and what is found, on every database."""

import msgspec
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.errors import DomainError
from shared.ids import EntryId, LeaseId, LotId, MemberId, random_id
from shared.journal.keys import Signed, new_signing_key
from shared.loyalty.bundle import bundle_ref, programme_bytes, template
from shared.loyalty.leasing import Leases
from shared.protocol.lease import (
    ASKS_MAX,
    HELD_MAX,
    LEASE_BODY_BYTES_MAX,
    SHOWN_AT_ONCE,
    LeaseAnswer,
    LeaseAsk,
    LeaseReply,
    LeaseRequest,
    lease_of,
)
from shared.protocol.message import PROTOCOL, PushReply
from shared.trade.fact import LotDraw, Tender, TenderKind
from shared.trade.lease import LeaseClosed, LeaseEnd, LeaseTerms
from shared.trade.value import GiftCardSold, ValueBalance, ValueToppedUp
from sync_server.database import schema
from sync_server.leases.exposure import exposures, outstanding
from tests.support.servers import Server
from tests.support.till_writer import Refused, TillWriter, where

BUDGET = Leases(for_points=True, budget_points=300, budget_per_member=100)


@pytest.fixture(autouse=True)
def programme(server: Server) -> None:
    """Points are spent by lease."""
    publish(server, Leases(for_points=True))


def publish(server: Server, leases: Leases) -> None:
    rules = msgspec.structs.replace(template("default"), leases=leases)
    server.services.programme.publish(programme_bytes(rules))


def member_with(server: Server, till: TillWriter, points: int) -> tuple[MemberId, LotId]:
    """A member with a lot of points that the server knows of."""
    at = len(till.entries)
    member = till.enrol_member()
    lot = LotId(till.sell(points * 100, member=member, earned=points))
    server.line.push(till, at)
    return member, lot


def ask(
    server: Server,
    till: TillWriter,
    *asks: LeaseAsk,
    held: tuple[str, ...] = (),
    budget: bool = False,
) -> LeaseReply:
    request = LeaseRequest(
        protocol=PROTOCOL, asks=asks, held=tuple(LeaseId(one) for one in held), budget=budget
    )
    return server.line.post("/v1/leases", request, LeaseReply, signer=till.key)


def ask_points(server: Server, till: TillWriter, member: MemberId, wanted: int = 0) -> LeaseAnswer:
    (answer,) = ask(server, till, LeaseAsk(account="points", owner=member, wanted=wanted)).answers
    return answer


def terms_of(server: Server, till: TillWriter, signed: Signed | None) -> LeaseTerms:
    assert signed is not None
    return lease_of(signed, server.services.vault.signing.public, till.journal)


def spend(
    till: TillWriter, member: MemberId, lot: LotId, points: int, lease: str | None
) -> EntryId:
    return till.sell(
        points + 100,
        member=member,
        spend=(LotDraw(lot=lot, points=points),),
        lease_id=lease,
    )


def push(server: Server, till: TillWriter, start: int) -> PushReply:
    return server.line.push(till, start)


def rules(reply: PushReply) -> list[str]:
    return [notice.rule for notice in reply.exceptions]


@pytest.fixture
def east(server: Server) -> TillWriter:
    return enrolled(server, "east")


@pytest.fixture
def west(server: Server) -> TillWriter:
    return enrolled(server, "west")


def enrolled(server: Server, name: str) -> TillWriter:
    till = server.enrol_till(name)
    document = programme_bytes(
        msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
    )
    till.programme = bundle_ref(1, document)
    return till


def close(till: TillWriter, lease: str, spent: int = 0) -> None:
    till.write(
        LeaseClosed(
            lease_id=LeaseId(lease),
            till_id=where(till)["till_id"],
            spent=spent,
            reason=LeaseEnd.EXPIRED,
        )
    )


def test_a_till_is_given_half_of_an_account_for_a_day(
    server: Server, east: TillWriter, clock: ManualClock
) -> None:
    member, _ = member_with(server, east, 1000)

    terms = terms_of(server, east, ask_points(server, east, member).granted)

    assert (terms.amount, terms.member_id, terms.serial) == (500, member, 1)
    assert terms.granted_at == clock.now().isoformat(timespec="milliseconds")
    assert (terms.till_id, terms.epoch) == (east.certificate.till_id, east.certificate.epoch)
    assert terms.expires_at[:10] == "2026-03-02"


def test_asked_again_the_same_lease_is_told(server: Server, east: TillWriter) -> None:
    member, _ = member_with(server, east, 1000)
    first = ask_points(server, east, member)

    assert ask_points(server, east, member).granted == first.granted


def test_what_one_till_holds_another_is_not_given(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, _ = member_with(server, east, 1000)
    ask_points(server, east, member)

    answer = ask_points(server, west, member, wanted=900)

    assert terms_of(server, west, answer.granted).amount == 500
    assert (answer.balance, answer.elsewhere) == (1000, 500)
    third = enrolled(server, "north")
    assert ask_points(server, third, member).granted is None


def test_a_basket_is_given_more_than_the_usual_share_for_a_short_time(
    server: Server, east: TillWriter
) -> None:
    member, _ = member_with(server, east, 1000)
    usual = terms_of(server, east, ask_points(server, east, member).granted)

    more = terms_of(server, east, ask_points(server, east, member, wanted=800).granted)

    assert (more.lease_id, more.serial, more.amount) == (usual.lease_id, 2, 800)
    assert more.expires_at == "2026-03-01T09:15:00.000+00:00"


def test_a_lease_that_was_used_is_topped_up_beyond_what_was_spent(
    server: Server, east: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    usual = terms_of(server, east, ask_points(server, east, member).granted)
    at = len(east.entries)
    spend(east, member, lot, 300, usual.lease_id)
    push(server, east, at)

    more = terms_of(server, east, ask_points(server, east, member, wanted=600).granted)

    assert (more.lease_id, more.serial, more.amount) == (usual.lease_id, 2, 300 + 600)
    assert [one.left for one in all_outstanding(server)] == [600]


def test_rights_come_back_when_the_journal_says_closed_and_not_before(
    server: Server, east: TillWriter, west: TillWriter, clock: ManualClock
) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    spend(east, member, lot, 200, lease)
    assert rules(push(server, east, at)) == []
    clock.advance(hours=48)
    assert ask_points(server, west, member, wanted=800).elsewhere == 300

    close(east, lease, 200)
    push(server, east, at + 1)

    answer = ask_points(server, west, member, wanted=800)
    assert (answer.balance, answer.elsewhere) == (800, 0)
    assert terms_of(server, west, answer.granted).amount == 800


def test_another_tills_need_calls_a_lease_back(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, _ = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    assert ask(server, east, held=(lease,)).called_back == ()

    ask_points(server, west, member, wanted=900)

    assert ask(server, east, held=(lease,)).called_back == (lease,)
    assert ask(server, west, held=(lease,)).called_back == ()
    assert ask_points(server, east, member, wanted=500).granted is None


@pytest.mark.parametrize(
    ("points", "lease_of_whom", "found"),
    [
        (300, "own", []),
        (501, "own", ["lease-overspent"]),
        (100, "none", ["spent-without-lease"]),
        (100, "unknown", ["lease-unknown"]),
        (100, "other", ["lease-foreign"]),
    ],
)
def test_a_spend_is_held_against_its_lease(
    server: Server,
    east: TillWriter,
    west: TillWriter,
    points: int,
    lease_of_whom: str,
    found: list[str],
) -> None:
    member, lot = member_with(server, east, 1000)
    leases = {
        "own": terms_of(server, east, ask_points(server, east, member).granted).lease_id,
        "other": terms_of(server, west, ask_points(server, west, member).granted).lease_id,
        "unknown": "never-granted",
        "none": None,
    }
    at = len(east.entries)
    spend(east, member, lot, points, leases[lease_of_whom])

    reply = push(server, east, at)

    assert rules(reply) == found
    assert rules(push(server, east, at)) == found
    assert balances(server, member) == 1000 - points


def balances(server: Server, owner: str) -> int:
    columns = schema.balances.c
    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(
            select(columns.amount).where(columns.owner == owner, columns.account == "points")
        )
        return sum(rows.scalars())


def test_the_lease_of_another_member_is_foreign(server: Server, east: TillWriter) -> None:
    member, lot = member_with(server, east, 1000)
    friend, _ = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, friend).granted).lease_id
    at = len(east.entries)
    spend(east, member, lot, 100, lease)

    assert rules(push(server, east, at)) == ["lease-foreign"]


def test_many_small_spends_beyond_the_lease_are_found_in_any_pushes(
    server: Server, east: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    for _ in range(6):
        spend(east, member, lot, 100, lease)

    assert rules(server.line.push(east, at, at + 3)) == []
    reply = push(server, east, at + 3)
    assert rules(reply) == ["lease-overspent"]
    assert east.entries[-1].id in reply.exceptions[0].facts


def test_a_clock_set_back_does_not_make_a_lease_last_longer(
    server: Server, east: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    east.clock.advance(hours=30)
    east.sell(100)
    east.clock.set(east.clock.at.replace(day=1, hour=10))
    spend(east, member, lot, 100, lease)

    assert rules(push(server, east, at)) == ["lease-expired"]


def test_what_is_spent_after_closing_is_found(server: Server, east: TillWriter) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    close(east, lease)
    spend(east, member, lot, 100, lease)

    assert rules(push(server, east, at)) == ["lease-closed"]


def test_another_till_cannot_close_a_lease(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, _ = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    close(west, lease)

    assert rules(push(server, west, 0)) == ["lease-foreign"]
    assert ask_points(server, west, member).elsewhere == 500


def test_a_lease_used_on_two_copies_of_a_disk_is_found_and_nothing_more_is_granted(
    server: Server, east: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    clone = east.copy(at)
    spend(east, member, lot, 400, lease)
    assert rules(push(server, east, at)) == []
    spend(clone, member, lot, 400, lease)

    reply = push(server, clone, at)

    assert sorted(rules(reply)) == ["fork", "lease-overspent", "receipt-number-twice"]
    close(east, lease)
    push(server, east, at + 1)
    answers = ask(server, east, LeaseAsk(account="points", owner=member)).answers
    assert answers == ()
    assert [one.left for one in all_outstanding(server)] == [0]


def test_a_till_that_is_enrolled_again_after_a_fork_has_leases_like_any_other(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    old = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    clone, third = east.copy(at), east.copy(at)
    east.sell(1)
    push(server, east, at)
    clone.sell(2)
    push(server, clone, at)
    assert east.certificate.till_id is not None
    again = server.line.enrol(server.services.enrolment.issue_code(east.certificate.till_id))
    again.programme = east.programme
    # A branch that comes to light only now is none of the new key's business.
    third.sell(4)
    push(server, third, at)

    granted = terms_of(server, again, ask_points(server, again, member).granted)

    assert granted.amount == 500
    # The old disk's key sends what it has, and gets nothing.
    with pytest.raises(Refused) as refused:
        ask(server, east, LeaseAsk(account="points", owner=member))
    assert refused.value.reply.code == "replaced-key"
    spend(again, member, lot, 100, granted.lease_id)
    close(again, granted.lease_id, spent=100)
    # The other disk may still spend by the lease of the epoch that forked.
    close(again, old)
    assert rules(push(server, again, 0)) == []
    assert [one.lease_id for one in all_outstanding(server)] == [old]
    assert ask_points(server, west, member).elsewhere == 500


def all_outstanding(server: Server):
    with server.services.database.reading() as snapshot:
        return outstanding(snapshot)


def test_a_copied_disk_gives_no_rights_back(server: Server, east: TillWriter) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    clone = east.copy(at)
    spend(east, member, lot, 100, lease)
    push(server, east, at)
    clone.sell(100)
    close(clone, lease)
    push(server, clone, at)

    assert [one.left for one in all_outstanding(server)] == [400]


def test_head_office_reclaims_by_hand_and_the_rest_is_exposure(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, lot = member_with(server, east, 1000)
    lease = terms_of(server, east, ask_points(server, east, member).granted).lease_id
    at = len(east.entries)
    spend(east, member, lot, 100, lease)
    push(server, east, at)

    assert server.services.leases.reclaim(lease, by="test") == 400

    answer = ask_points(server, west, member, wanted=900)
    assert (terms_of(server, west, answer.granted).amount, answer.elsewhere) == (900, 0)
    (chain, *_stores) = exposures(all_outstanding(server))
    assert (chain.store, chain.secured, chain.reclaimed, chain.total) == ("", 900, 400, 1300)
    spend(east, member, lot, 100, lease)
    assert rules(push(server, east, at + 1)) == ["lease-closed"]
    with pytest.raises(DomainError, match="lease-not-open"):
        server.services.leases.reclaim(lease, by="test")
    with pytest.raises(DomainError, match="unknown-lease"):
        server.services.leases.reclaim(LeaseId("none"), by="test")


def test_a_budget_is_renewed_by_what_the_server_receives_and_not_by_asking(
    server: Server, east: TillWriter, clock: ManualClock
) -> None:
    publish(server, BUDGET)
    first = terms_of(server, east, ask(server, east, budget=True).budget)
    assert (first.amount, first.per_member, first.owner) == (300, 100, "")

    again = terms_of(server, east, ask(server, east, budget=True).budget)
    assert again == first

    member, lot = member_with(server, east, 1000)
    at = len(east.entries)
    spend(east, member, lot, 80, first.lease_id)
    assert terms_of(server, east, ask(server, east, budget=True).budget) == first
    assert rules(push(server, east, at)) == []
    clock.advance(hours=1)
    renewed = terms_of(server, east, ask(server, east, budget=True).budget)
    assert (renewed.lease_id, renewed.amount, renewed.serial) == (first.lease_id, 380, 2)
    assert renewed.expires_at == first.expires_at


def test_one_member_cannot_use_a_whole_budget(server: Server, east: TillWriter) -> None:
    publish(server, BUDGET)
    budget = terms_of(server, east, ask(server, east, budget=True).budget).lease_id
    member, lot = member_with(server, east, 1000)
    at = len(east.entries)
    spend(east, member, lot, 60, budget)
    assert rules(push(server, east, at)) == []
    spend(east, member, lot, 60, budget)

    assert rules(push(server, east, at + 1)) == ["lease-overspent"]


def test_a_budget_that_ended_is_renewed_only_once_it_is_closed(
    server: Server, east: TillWriter, clock: ManualClock
) -> None:
    publish(server, BUDGET)
    first = terms_of(server, east, ask(server, east, budget=True).budget)
    clock.advance(hours=25)
    assert ask(server, east, budget=True).budget is None

    close(east, first.lease_id)
    push(server, east, 0)

    assert terms_of(server, east, ask(server, east, budget=True).budget).lease_id != first.lease_id


def test_no_budget_where_the_programme_has_none(server: Server, east: TillWriter) -> None:
    assert ask(server, east, budget=True).budget is None


def test_exposure_is_summed_by_store_and_over_all(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    publish(server, BUDGET)
    member, _ = member_with(server, east, 1000)
    ask_points(server, east, member)
    ask(server, east, budget=True)
    ask(server, west, budget=True)

    chain, *by_store = exposures(all_outstanding(server))

    assert (chain.leases, chain.secured, chain.budgets, chain.total) == (3, 500, 600, 1100)
    assert sorted(one.total for one in by_store) == [300, 800]


def test_points_that_lapsed_are_not_leased(
    server: Server, east: TillWriter, clock: ManualClock
) -> None:
    member = east.enrol_member()
    east.sell(100_000, member=member, earned=1000, expires_on="2026-03-31")
    push(server, east, 0)
    clock.advance(days=31)

    answer = ask_points(server, east, member)

    assert (answer.balance, answer.granted) == (0, None)


def test_nobody_who_was_erased_is_leased(server: Server, east: TillWriter) -> None:
    member, _ = member_with(server, east, 1000)
    server.services.erasure.erase(member, reason="request")

    assert ask_points(server, east, member).granted is None


def test_stored_value_and_cards_are_leased_from_what_was_paid_in(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member = east.enrol_member()
    place = {k: v for k, v in where(east).items() if k not in {"ticket_id", "engine"}}
    cash = Tender(tender=TenderKind.CASH, amount=10_000)
    after = ValueBalance(principal=10_000, bonus=500, as_of="2026-03-01T09:00:00.000+00:00")
    topped = ValueToppedUp(
        **place, member_id=member, amount=10_000, bonus=500, tenders=(cash,), after=after
    )
    sold = GiftCardSold(
        **place, card_id="ab" * 16, amount=10_000, last_day="2026-03-31", tenders=(cash,)
    )
    east.write(topped)
    east.write(sold)
    push(server, east, 0)

    value = ask(server, east, LeaseAsk(account="stored-value", owner=member)).answers[0]
    card = ask(server, west, LeaseAsk(account="gift-card", owner="ab" * 16, wanted=4000)).answers[0]

    assert terms_of(server, east, value.granted).amount == 5250
    assert terms_of(server, east, value.granted).unit == "CNY/2"
    assert (card.balance, card.last_day) == (10_000, "2026-03-31")
    assert terms_of(server, west, card.granted).amount == 4000


def test_a_lease_is_for_its_journal_and_by_the_servers_key(
    server: Server, east: TillWriter, west: TillWriter
) -> None:
    member, _ = member_with(server, east, 1000)
    signed = ask_points(server, east, member).granted
    assert signed is not None
    key = server.services.vault.signing.public

    with pytest.raises(Exception, match="wrong-statement"):
        lease_of(signed, key, west.journal)
    with pytest.raises(Exception, match="wrong-statement"):
        lease_of(signed, new_signing_key().public, east.journal)
    forged = msgspec.structs.replace(signed, payload=signed.payload.replace(b"500", b"999"))
    with pytest.raises(Exception, match="bad-signature"):
        lease_of(forged, key, east.journal)


@pytest.mark.parametrize(
    "asked",
    [
        {"account": "drawer", "owner": "x"},
        {"account": "points", "owner": ""},
        {"account": "points", "owner": "x", "wanted": -1},
    ],
)
def test_what_is_no_account_is_refused(
    server: Server, east: TillWriter, asked: dict[str, object]
) -> None:
    with pytest.raises(Refused) as refused:
        ask(server, east, LeaseAsk(**asked))

    assert refused.value.reply.code == "bad-message"


def test_never_more_is_leased_than_posted_whoever_asks_in_which_order(
    server: Server, clock: ManualClock
) -> None:
    tills = [enrolled(server, f"till-{number}") for number in range(3)]
    member, lot = member_with(server, tills[0], 1000)
    for step in range(24):
        till = tills[step * 7 % 3]
        wanted = step * 137 % 700
        answer = ask_points(server, till, member, wanted)
        clock.advance(minutes=step)
        held = sum(one.left for one in all_outstanding(server))
        assert 0 <= held <= answer.balance
        if answer.granted is not None and step % 3 == 0:
            terms = terms_of(server, till, answer.granted)
            at = len(till.entries)
            points = min(terms.amount // 5, 40)
            spend(till, member, lot, points, terms.lease_id)
            close(till, terms.lease_id)
            push(server, till, at)
    assert balances(server, member) >= 0


def test_the_facts_of_leases_book_nothing(server: Server, east: TillWriter) -> None:
    member, _ = member_with(server, east, 1000)
    ask_points(server, east, member)
    columns = schema.entries.c
    with server.services.database.reading() as snapshot:
        kinds = snapshot.connection.execute(
            select(columns.id).where(columns.kind == "lease_granted")
        ).scalars()
        booked = [
            snapshot.connection.execute(
                select(schema.postings).where(schema.postings.c.entry_id == entry)
            ).all()
            for entry in kinds
        ]
    assert booked == [[]]


def test_the_largest_request_that_a_till_makes_is_read(server: Server, east: TillWriter) -> None:
    asks = tuple(
        LeaseAsk(account="stored-value", owner=random_id(), wanted=2**53) for _ in range(ASKS_MAX)
    )
    held = tuple(random_id() for _ in range(HELD_MAX))
    assert len(ask(server, east, *asks, held=held, budget=True).called_back) == 0

    member, _lot = member_with(server, east, 100)
    signed = ask(server, east, LeaseAsk(account="points", owner=member)).answers[0].granted
    assert signed is not None
    showing = LeaseRequest(
        protocol=PROTOCOL,
        asks=asks,
        held=tuple(LeaseId(one) for one in held),
        presented=(signed,) * SHOWN_AT_ONCE,
    )
    assert len(msgspec.msgpack.encode(showing)) < LEASE_BODY_BYTES_MAX
