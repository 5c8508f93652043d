"""Own entries and what the server tells: never twice, never missing, also on a branch."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.store.members import Member, forget_member
from desktop.sync.http import ServerConnection
from shared.trade.profile import KeyKind
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere, Weather

BISCUIT = BISCUITS.barcodes[0]
PHONE = "13800138000"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=2) as made:
        yield made


@pytest.fixture
def member(chain: LittleChain) -> Member:
    """Known everywhere, with points of a sale."""
    east = chain.tills[0]
    enrolled = east.enrol("李雷", phone=PHONE)
    east.sell(BISCUIT, member=enrolled)
    chain.drain()
    return enrolled


def points(till: TillHere, member: Member) -> int:
    found = till.member(member.member_id)
    assert found is not None
    return found.points


def drop(till: TillHere, member: Member) -> None:
    """As where the server was restored and did not know them for a while."""
    till.till.store.writer.run(lambda work: forget_member(work.connection, member.member_id))
    assert till.member(member.member_id) is None


def look_up(till: TillHere) -> list[Member]:
    return till.till.elsewhere.member(KeyKind.PHONE, PHONE)


def test_a_member_looked_up_after_a_lost_reply_is_shown_once(
    chain: LittleChain, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    east, west = chain.tills
    each = points(east, member)
    east.sell(BISCUIT, member=member)
    weather = Weather(chain.plugs[0], lose_reply_of="/v1/sync/push")
    with monkeypatch.context() as context:
        context.setattr(ServerConnection, "_send", weather.send(ServerConnection._send))
        assert not east.sync()
    assert east.till.unsent() > 0
    east.sell(BISCUIT, member=member)
    drop(east, member)

    look_up(east)

    assert points(east, member) == 3 * each
    chain.drain()
    assert points(west, member) == points(east, member) == 3 * each


def test_who_is_erased_while_the_look_up_is_on_its_way_does_not_come_back(
    chain: LittleChain, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    east = chain.tills[0]
    lookup = ServerConnection.lookup

    def late(connection: ServerConnection, request: Any) -> Any:
        reply = lookup(connection, request)
        chain.server.services.erasure.erase(member.member_id, reason="asked for")
        assert east.sync()
        return reply

    monkeypatch.setattr(ServerConnection, "lookup", late)

    assert look_up(east) == []
    assert east.member(member.member_id) is None


def test_a_branch_that_is_longer_than_the_other_is_not_counted_twice(
    chain: LittleChain, member: Member, tmp_path: Path
) -> None:
    _check_branch(chain, member, tmp_path / "image", before=1, after=4)


def test_a_branch_that_is_shorter_than_the_other_is_not_missing(
    chain: LittleChain, member: Member, tmp_path: Path
) -> None:
    _check_branch(chain, member, tmp_path / "image", before=5, after=1)


def _check_branch(
    chain: LittleChain, member: Member, image: Path, *, before: int, after: int
) -> None:
    """A disk is set back; what was sold on it before and after counts, once."""
    east, west = chain.tills
    each = points(east, member)
    east.till.close()
    shutil.copytree(east.folder.path, image)
    east.open()
    for _ in range(before):
        east.sell(BISCUIT, member=member)
    chain.drain()
    east.till.close()
    shutil.rmtree(east.folder.path)
    shutil.copytree(image, east.folder.path)
    east.open()
    for _ in range(after):
        east.sell(BISCUIT, member=member)
    for _ in range(2):
        assert east.sync()
        assert west.sync()

    assert points(east, member) == points(west, member) == (1 + before + after) * each

    # A sale of the other till brings the member again while something waits here.
    sold: list[Any] = []
    west.sell(BISCUIT, member=member)
    assert west.sync()
    with pytest.MonkeyPatch.context() as context:
        weather = Weather(
            chain.plugs[0], amid=lambda: sold.append(east.sell(BISCUIT, member=member))
        )
        context.setattr(ServerConnection, "_send", weather.send(ServerConnection._send))
        assert east.sync()
    assert sold
    assert east.till.unsent() == 1
    assert points(east, member) == (3 + before + after) * each
