"""Enrolments that are one person: verified, merged, followed, undone, erased; on every database."""

import msgspec
import pytest
from sqlalchemy import select

from shared.errors import DomainError
from shared.ids import EntryId, LotId, MemberId
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.leasing import Leases
from shared.protocol.lease import LeaseAsk, LeaseReply, LeaseRequest
from shared.protocol.message import PROTOCOL, MemberRow, Stream
from shared.trade.fact import LotDraw, Tender, TenderKind
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from shared.trade.value import ValueBalance, ValueToppedUp
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.ledger.finding import Rule
from sync_server.members.doubles import doubles
from sync_server.members.merging import MOVES_MAX, Verified
from sync_server.members.persons import person_of
from tests.support.servers import Server
from tests.support.till_writer import TillWriter, rows_of, where

PHONE = "13800138000"


@pytest.fixture
def till(server: Server) -> TillWriter:
    """A till that has enrolled nobody yet."""
    return server.enrol_till()


@pytest.fixture
def pair(server: Server, till: TillWriter) -> tuple[MemberId, MemberId]:
    """One phone enrolled twice, each with a card and points; the first has the phone."""
    found = []
    for number, points in enumerate((100, 40)):
        profile = MemberProfile(name="Li Lei", phone=PHONE, card=f"C{number}")
        member = till.enrol_member(profile)
        till.sell(points * 100, member=member, earned=points)
        found.append(member)
    server.line.push(till)
    return found[0], found[1]


def push(server: Server, till: TillWriter) -> list[str]:
    """Send what is new; the rules of the exceptions about it."""
    with server.services.database.reading() as snapshot:
        known = select(schema.heads.c.next_seq).where(schema.heads.c.journal == till.journal)
        start = int(snapshot.connection.execute(known).scalar_one())
    return [one.rule for one in server.line.push(till, start).exceptions]


def points(server: Server, member: MemberId) -> dict[str, int]:
    """A member's points, lot by lot."""
    columns = schema.balances.c
    statement = select(columns.lot, columns.amount).where(
        columns.owner == member, columns.account == AccountKind.POINTS.value, columns.amount != 0
    )
    with server.services.database.reading() as snapshot:
        return {row.lot: row.amount for row in snapshot.connection.execute(statement)}


def rules(server: Server) -> list[str]:
    with server.services.database.reading() as snapshot:
        return list(snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars())


def check_clean(server: Server) -> None:
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []


def rows(server: Server, till: TillWriter) -> dict[str, MemberRow]:
    page = server.line.pull(till, Stream.MEMBERS)
    return {row.member_id: row for row in rows_of(page, MemberRow)}


def merge(server: Server, alias: MemberId, into: MemberId) -> str:
    return server.services.merging.merge(alias, into, verified=Verified.PHONE)


def test_two_enrolments_with_one_phone_are_listed_until_somebody_decides(
    server: Server, pair: tuple[MemberId, MemberId]
) -> None:
    holder, other = pair

    def listed() -> list[tuple[str, str]]:
        with server.services.database.reading() as snapshot:
            return [(one.holder, one.other) for one in doubles(snapshot)]

    assert listed() == [(holder, other)]
    merge_id = merge(server, other, holder)
    assert listed() == []
    server.services.merging.unmerge(merge_id)
    assert listed() == [(holder, other)]
    server.services.erasure.erase(other, reason="request")
    assert listed() == []


def test_who_has_not_been_verified_reaches_nothing_of_the_other(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    """A stranger's phone at enrolment gives neither sight nor use of what its owner has."""
    holder, other = pair
    key = lookup_hash(till.reply.lookup_key, KeyKind.PHONE, PHONE)

    found = server.line.look_up(till, member_key=key).members

    assert [row.member_id for row in found] == [holder]
    stranger = rows(server, till)[other]
    assert sum(one.amount for one in stranger.balances if one.account == "points") == 40
    assert points(server, holder) != points(server, other)


def test_a_merge_joins_points_and_keys_and_tills_hear_of_it(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    merge(server, alias, into)

    assert sorted(points(server, into).values()) == [40, 100]
    assert points(server, alias) == {}
    told = rows(server, till)
    assert len(told[into].keys) == 3
    assert (told[alias].keys, told[alias].name, told[alias].balances) == ((), "", ())
    card = lookup_hash(till.reply.lookup_key, KeyKind.CARD, "C1")
    found = server.line.look_up(till, member_key=card).members
    assert [row.member_id for row in found] == [into]
    check_clean(server)


def test_what_a_till_still_books_for_the_alias_follows(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    (lot,) = points(server, alias)
    merge(server, alias, into)
    sale = till.sell(1_000, member=alias, earned=10)
    till.sell(500, member=alias, spend=(LotDraw(lot=LotId(lot), points=30),))

    # The lot has it, with the other: nothing is overspent.
    assert push(server, till) == []

    assert points(server, alias) == {}
    assert points(server, into)[sale] == 10
    assert points(server, into)[lot] == 10
    till.sell(500, member=alias, spend=(LotDraw(lot=LotId(lot), points=30),))
    assert push(server, till) == [Rule.LOT_OVERSPENT]
    check_clean(server)


def test_undoing_a_merge_gives_each_what_it_would_have_without_it(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    before = points(server, into), points(server, alias)
    merge_id = merge(server, alias, into)
    first = till.sell(1_000, member=alias, earned=10)
    second = till.sell(2_000, member=into, earned=20)
    push(server, till)

    server.services.merging.unmerge(merge_id)

    assert points(server, into) == {**before[0], second: 20}
    assert points(server, alias) == {**before[1], first: 10}
    assert len(rows(server, till)[alias].keys) == 1
    assert Rule.UNMERGED_SHORT not in rules(server)
    with pytest.raises(DomainError, match="merge-undone"):
        server.services.merging.unmerge(merge_id)
    check_clean(server)


def test_undoing_a_merge_after_its_points_were_spent_is_seen(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    (lot,) = points(server, alias)
    merge_id = merge(server, alias, into)
    till.sell(500, member=into, spend=(LotDraw(lot=LotId(lot), points=40),))
    assert push(server, till) == []

    server.services.merging.unmerge(merge_id)

    assert points(server, alias) == {lot: 40}
    assert points(server, into)[lot] == -40
    assert Rule.UNMERGED_SHORT in rules(server)


def test_merges_of_merges_are_undone_from_the_last_one(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    third = till.enrol_member(MemberProfile(name="Li Lei", phone="13900139000"))
    push(server, till)
    first = merge(server, alias, into)
    second = merge(server, into, third)
    late = till.sell(1_000, member=alias, earned=10)
    push(server, till)

    assert points(server, third)[late] == 10
    with server.services.database.reading() as snapshot:
        assert [one.merge_id for one in person_of(snapshot, third).merges] == [second, first]
    with pytest.raises(DomainError, match="merge-not-last"):
        server.services.merging.unmerge(first)
    with pytest.raises(DomainError, match="already-merged"):
        merge(server, alias, third)
    server.services.merging.unmerge(second)
    server.services.merging.unmerge(first)
    assert points(server, alias)[late] == 10
    assert points(server, third) == {}
    check_clean(server)


def test_a_member_with_very_many_lots_is_merged_in_several_entries(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    for _ in range(MOVES_MAX):
        till.sell(100, member=alias, earned=1)
    push(server, till)
    before = points(server, alias)
    merge_id = merge(server, alias, into)
    assert len(points(server, into)) == MOVES_MAX + 2
    server.services.merging.unmerge(merge_id)
    assert points(server, alias) == before
    check_clean(server)


def test_stored_value_and_leases_stand_in_the_way_of_a_merge(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    into, alias = pair
    rules_in_force = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
    server.services.programme.publish(programme_bytes(rules_in_force))
    asked = LeaseRequest(protocol=PROTOCOL, asks=(LeaseAsk(account="points", owner=alias),))
    server.line.post("/v1/leases", asked, LeaseReply, signer=till.key)
    with pytest.raises(DomainError, match="merge-leases-open"):
        merge(server, alias, into)
    top_up(till, into)
    push(server, till)
    with pytest.raises(DomainError, match="merge-stored-value"):
        merge(server, into, alias)


def top_up(till: TillWriter, member: MemberId) -> None:
    """Pay 1.00 in."""
    place = {k: v for k, v in where(till).items() if k not in {"ticket_id", "engine"}}
    till.write(
        ValueToppedUp(
            **place,
            member_id=member,
            amount=100,
            tenders=(Tender(tender=TenderKind.CASH, amount=100),),
            after=ValueBalance(principal=100, bonus=0, as_of="2026-03-01T09:00:00.000+00:00"),
        )
    )


def test_stored_value_that_comes_in_for_an_alias_follows_and_goes_back(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId]
) -> None:
    def stored() -> list[int]:
        told = rows(server, till)
        return [
            -sum(b.amount for b in told[one].balances if b.account == AccountKind.STORED_VALUE)
            for one in (into, alias)
        ]

    into, alias = pair
    merge_id = merge(server, alias, into)
    top_up(till, alias)
    push(server, till)
    assert stored() == [100, 0]
    server.services.merging.unmerge(merge_id)
    assert stored() == [0, 100]
    check_clean(server)


@pytest.mark.parametrize("erased", [0, 1], ids=["the alias", "the other"])
def test_erasing_one_of_them_erases_the_person(
    server: Server, till: TillWriter, pair: tuple[MemberId, MemberId], erased: int
) -> None:
    into, alias = pair
    merge_id = merge(server, alias, into)

    server.services.erasure.erase((alias, into)[erased], reason="request")

    told = rows(server, till)
    assert (told[into].gone, told[alias].gone) == (True, True)
    with server.services.database.reading() as snapshot:
        keys = select(schema.merges.c.key_hashes)
        assert snapshot.connection.execute(keys).scalars().all() == [""]
        assert snapshot.connection.execute(select(schema.attachments)).all() == []
    with pytest.raises(DomainError, match="unknown-member"):
        server.services.merging.unmerge(merge_id)
    with pytest.raises(DomainError, match="unknown-member"):
        merge(server, into, alias)


def test_nobody_is_merged_with_himself_or_with_a_stranger(
    server: Server, pair: tuple[MemberId, MemberId]
) -> None:
    with pytest.raises(DomainError, match="merge-same-member"):
        merge(server, pair[0], pair[0])
    with pytest.raises(DomainError, match="unknown-member"):
        merge(server, pair[0], MemberId("nobody"))
    with pytest.raises(DomainError, match="unknown-merge"):
        server.services.merging.unmerge(EntryId("none"))
