"""Tills of two regions: each holds its own members; a visitor is looked up and stays true."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.store.members import Member
from shared.ids import MemberId, StoreId
from shared.trade.profile import KeyKind
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere
from tests.support.new_till import enrolled_till, holdings, opened

CODE = BISCUITS.barcodes[0]
PHONE = "13100000001"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as chain:
        for till, region in zip(chain.tills, ("north", "south"), strict=True):
            chain.server.services.regions.set_store(store_of(till), region)
        chain.drain()
        yield chain


def store_of(till: TillHere) -> StoreId:
    return till.till.identity.store_id


def held(till: TillHere) -> set[str]:
    return {row[0] for row in holdings(till.folder)["members"]}


def points(till: TillHere, member: MemberId) -> int | None:
    found = till.member(member)
    return found.points if found is not None else None


def looked_up(till: TillHere, phone: str) -> list[Member]:
    return till.till.elsewhere.member(KeyKind.PHONE, phone)


def test_a_visitor_earns_and_is_right_at_both_tills(chain: LittleChain) -> None:
    north, south = chain.tills
    visitor, at_home = north.enrol("访客", PHONE), north.enrol("本地", "13100000002")
    north.sell(CODE, member=visitor)
    chain.drain()
    assert held(south) == set()
    assert south.till.members.by_phone(PHONE) == []

    (found,) = looked_up(south, PHONE)
    assert found.points == points(north, visitor.member_id)
    # The line is cut right after: the sale is made all the same, and others sell meanwhile.
    chain.plugs[1].pull()
    south.sell(CODE, member=found)
    assert not south.sync()
    north.sell(CODE, member=visitor)
    chain.drain()
    assert points(south, visitor.member_id) == points(north, visitor.member_id)
    assert held(south) == {visitor.member_id}
    # Whatever comes later is told to both.
    north.sell(CODE, CODE, member=visitor)
    chain.drain()
    assert points(south, visitor.member_id) == points(north, visitor.member_id)
    assert held(north) == {visitor.member_id, at_home.member_id}
    chain.close()
    assert chain.reckon().differences == []


def test_who_leaves_a_region_is_forgotten_there_but_nothing_they_did_is(
    chain: LittleChain,
) -> None:
    north, south = chain.tills
    first = north.enrol("搬家", PHONE)
    north.sell(CODE, member=first)
    chain.drain()
    before = points(north, first.member_id)
    # Not sent yet when the member is moved: the enrolment of one, a sale to the other.
    chain.plugs[0].pull()
    second = north.enrol("未发送", "13100000003")
    north.sell(CODE, member=first)
    chain.server.services.regions.move(first.member_id, "south")
    chain.plugs[0].plug_in()
    chain.drain()
    # The sale showed that they still come here: they are known in both.
    assert points(north, first.member_id) == points(south, first.member_id)
    assert points(south, first.member_id) == 2 * (before or 0)
    assert held(north) == {first.member_id, second.member_id}

    chain.server.services.regions.move(first.member_id, "south")
    chain.drain()
    assert held(north) == {second.member_id}
    assert north.till.members.by_phone(PHONE) == []
    (back,) = looked_up(north, PHONE)
    assert back.points == points(south, first.member_id)
    chain.drain()
    chain.server.services.erasure.erase(first.member_id, reason="request")
    chain.drain()
    assert held(south) == set()
    assert looked_up(north, PHONE) == []
    chain.close()
    assert chain.reckon().differences == []


def test_a_leave_row_keeps_what_was_not_sent(chain: LittleChain) -> None:
    """The pull of a till that could not push tells it of the leaving first."""
    north, _south = chain.tills
    member = north.enrol("改名", PHONE)
    chain.drain()
    chain.server.services.regions.move(member.member_id, "south")
    profiles = north.till.profiles
    profiles.write(profiles.edit(member, language="en"), operator_id=north.operator_id)
    server = north.till.connect()
    north.till.pull_all(server)
    server.close()
    assert held(north) == set()
    assert north.till.unsent() > 0
    chain.drain()
    assert held(north) == {member.member_id}
    (row,) = holdings(chain.tills[1].folder)["members"]
    assert "en" in row
    chain.close()
    assert chain.reckon().differences == []


def test_a_new_till_takes_the_snapshot_of_its_region(chain: LittleChain) -> None:
    north, south = chain.tills
    mine = {north.enrol(f"北{one}", f"1310000010{one}").member_id for one in range(5)}
    theirs = {south.enrol(f"南{one}", f"1310000020{one}").member_id for one in range(3)}
    chain.drain()
    made = chain.server.services.snapshots.make()
    assert sorted((one.terms.scope, one.terms.rows) for one in made) == [("north", 5), ("south", 3)]
    new = enrolled_till(chain, store_id=store_of(north))
    till = opened(new)
    till.sync.try_once()
    till.close()
    assert held(new) == mine
    assert holdings(new.folder)["held_rows"] == holdings(north.folder)["held_rows"]

    # The store joins the other region: its tills take over that one's members, and forget these.
    chain.server.services.regions.set_store(store_of(north), "south")
    chain.drain()
    assert held(south) == theirs | mine
    assert held(north) == theirs | mine
    chain.server.services.regions.set_store(store_of(north), "")
    chain.drain()
    assert held(north) == theirs | mine
