"""A till that begins with one file of members, while others sell."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from desktop.reckoning.file import reading
from desktop.store.masked_file import MaskedFile
from desktop.store.sealing import is_plain, unlock
from desktop.store.settings import read_cursor
from desktop.sync.http import ServerConnection
from desktop.sync.snapshot import SnapshotTaker
from shared.errors import EnvironmentFault
from shared.protocol.message import Stream
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere
from tests.support.new_till import enrolled_till, holdings, opened

MEMBERS = 60
CODE = BISCUITS.barcodes[0]


def phone(number: int) -> str:
    return str(13_000_000_000 + number)


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleChain]:
    """A chain with members of whom some have bought, and a snapshot made before the last sales."""
    monkeypatch.setattr("sync_server.sync.snapshot_file.BLOCK_ROWS", 8)
    monkeypatch.setattr("desktop.sync.snapshot_fetch.PART_BYTES_MIN", 1000)
    monkeypatch.setattr("desktop.sync.snapshot_fetch.PART_BYTES_MAX", 2000)
    with LittleChain(tmp_path) as chain:
        first, second = chain.tills
        members = [first.enrol(f"顾客{number}", phone(number)) for number in range(MEMBERS)]
        for member in members[:10]:
            first.sell(CODE, member=member)
        chain.drain()
        (made,) = chain.server.services.snapshots.make()
        assert made.terms.rows == MEMBERS
        # What came after it is pulled on from its cursor: changed, new, and gone in turn.
        for member in members[5:18]:
            second.sell(CODE, member=member)
        second.enrol("后来", phone(MEMBERS))
        chain.drain()
        yield chain


def pulls_of_members(chain: LittleChain, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The cursors that members are asked for with, from now on."""
    asked: list[str | None] = []
    pull = ServerConnection.pull

    def noting(connection: ServerConnection, request: Any) -> Any:
        if request.stream == "members":
            asked.append(request.cursor)
        return pull(connection, request)

    monkeypatch.setattr(ServerConnection, "pull", noting)
    return asked


def joined(chain: LittleChain) -> TillHere:
    """A new till that has read everything."""
    here = enrolled_till(chain)
    till = opened(here)
    till.sync.try_once()
    assert not till.is_offline()
    till.close()
    here.open()
    chain.tills.append(here)
    return here


def test_a_till_from_a_snapshot_holds_what_one_that_pulled_page_by_page_holds(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pulls_of_members(chain, monkeypatch)
    from_file = joined(chain)
    assert len(asked) == 1
    assert asked[0] is not None
    chain.server.services.snapshots.drop_all()
    by_pages = joined(chain)
    assert asked[1] is None

    assert not from_file.folder.snapshot.exists()
    assert holdings(from_file.folder) == holdings(by_pages.folder)
    assert len(holdings(from_file.folder)["members"]) == MEMBERS + 1


def test_a_till_sells_while_its_members_are_arriving_and_all_agree_in_the_end(
    chain: LittleChain,
) -> None:
    here = enrolled_till(chain)
    till = opened(here)
    # It fetches the file and takes over two slices, then the power fails.
    steps = count()

    def fail() -> bool:
        if here.folder.snapshot.exists() and next(steps) >= 1:
            raise EnvironmentFault("server-unreachable", url="off")
        return False

    till.puller.gives_way = fail
    till.sync.try_once()
    assert till.is_offline()
    till.close()
    here.open()
    chain.tills.append(here)
    here.till.puller.resume()
    with reading(here.folder.database, here.database_key) as connection:
        before = connection.execute("SELECT COUNT(*) FROM members").fetchone()[0]
    assert 0 < before < MEMBERS / 2

    # Somebody in the last block is found at once, by phone and by last digits, and earns.
    far = here.till.members.by_phone(phone(3))
    last = here.till.members.search(phone(MEMBERS - 1)[-4:])
    assert [one.name for one in far] == ["顾客3"]
    assert [one.name for one in last] == [f"顾客{MEMBERS - 1}"]
    chain.plugs[-1].pull()
    for member in (*far, *last):
        here.sell(CODE, member=member)
    assert not here.sync()
    earned = here.member(far[0].member_id)
    assert earned is not None
    assert earned.points > far[0].points
    # Others sell to the same member meanwhile.
    chain.tills[0].sell(CODE, member=far[0])
    chain.tills[0].sync()

    chain.plugs[-1].plug_in()
    here.restart()
    assert here.till.unsent() > 0
    assert here.sync()
    chain.drain()
    shown = [till.member(far[0].member_id) for till in chain.tills]
    assert len({one.points for one in shown if one is not None}) == 1
    held = [holdings(till.folder)["held_rows"] for till in chain.tills]
    assert held[0] == held[1] == held[2]
    chain.close()
    agreement = chain.reckon()
    assert agreement.differences == []


def test_a_fetch_that_is_cut_goes_on_where_it_stopped_after_a_restart(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = enrolled_till(chain)
    asked: list[int] = []
    part = ServerConnection.snapshot_part

    def cut(connection: ServerConnection, name: str, *, first: int, size: int) -> bytes:
        asked.append(first)
        if len(asked) == 4:
            raise EnvironmentFault("server-unreachable", url="cut")
        return part(connection, name, first=first, size=size)

    monkeypatch.setattr(ServerConnection, "snapshot_part", cut)
    till = opened(here)
    assert till.sync.try_once() > 0
    assert till.is_offline()
    till.close()
    file = MaskedFile(here.folder.snapshot.with_suffix(".part"), unlock(here.folder).key)
    kept = file.size
    assert not is_plain(file.path)
    assert kept == asked[3] > 0
    assert file.path.stat().st_mode & 0o077 == 0

    # A newer one was made meanwhile; the server keeps the one that was begun, too.
    chain.tills[0].enrol("更后来", phone(MEMBERS + 1))
    chain.drain()
    chain.server.services.snapshots.make()
    till = opened(here)
    till.sync.try_once()
    till.close()
    assert asked[4] == kept
    # No byte was asked for twice, save those of the part that never came.
    assert len(asked) == len(set(asked)) + 1
    assert len(holdings(here.folder)["members"]) == MEMBERS + 2


def test_a_fetch_that_was_cut_for_so_long_that_its_file_is_gone_takes_the_newest(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = enrolled_till(chain)
    part, cuts = ServerConnection.snapshot_part, count()

    def cut(connection: ServerConnection, name: str, *, first: int, size: int) -> bytes:
        if next(cuts) == 3:
            raise EnvironmentFault("server-unreachable", url="cut")
        return part(connection, name, first=first, size=size)

    monkeypatch.setattr(ServerConnection, "snapshot_part", cut)
    till = opened(here)
    till.sync.try_once()
    till.close()
    for number in range(2):
        chain.tills[0].enrol("更后来", phone(MEMBERS + 1 + number))
        chain.drain()
        chain.server.services.snapshots.make()
    asked = pulls_of_members(chain, monkeypatch)
    till = opened(here)
    till.sync.try_once()
    till.close()
    assert None not in asked
    assert len(holdings(here.folder)["members"]) == MEMBERS + 3


def test_a_till_that_begins_anew_from_a_snapshot_counts_its_own_sales_once(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = chain.tills
    first.till.puller._begin_anew(Stream.MEMBERS, is_mismatched=True)
    chain.server.services.snapshots.make()
    asked = pulls_of_members(chain, monkeypatch)
    (member,) = first.till.members.by_phone(phone(0))
    first.sell(CODE, member=member)
    chain.drain()
    assert asked[0] is not None
    mine, theirs = first.member(member.member_id), second.member(member.member_id)
    assert mine is not None
    assert theirs is not None
    assert mine.points == theirs.points
    chain.close()
    assert chain.reckon().differences == []


def test_a_power_cut_after_the_last_member_came_brings_nobody_back(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = enrolled_till(chain)
    till = opened(here)
    drop, cuts = SnapshotTaker._drop, count()

    def cut(taker: SnapshotTaker) -> None:
        with till.store.reading.connect() as connection:
            is_over = read_cursor(connection, Stream.MEMBERS) is not None
        if is_over and here.folder.snapshot.exists():
            next(cuts)
            raise EnvironmentFault("server-unreachable", url="off")
        drop(taker)

    with monkeypatch.context() as power:
        power.setattr(SnapshotTaker, "_drop", cut)
        till.sync.try_once()
        till.close()
    assert next(cuts) > 0
    here.open()
    chain.tills.append(here)
    (member,) = here.till.members.by_phone(phone(30))
    here.sync()
    chain.server.services.erasure.erase(member.member_id, reason="request")
    here.sync()
    assert here.till.members.by_phone(phone(30)) == []
    assert here.till.members.by_id(member.member_id) is None
    assert not here.folder.snapshot.exists()


def test_a_file_that_the_disk_cannot_read_keeps_no_sale_from_being_sent(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = half_taken(chain)
    (member,) = here.till.members.by_phone(phone(3))
    here.sell(CODE, member=member)
    assert here.till.unsent() > 0

    def fail(_file: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr("desktop.sync.snapshot_fetch._digest", fail)
        here.sync()
        assert here.till.unsent() == 0
        refused = here.till.puller.refused_snapshot
        assert refused is not None
        assert refused.fields["reason"] == "disk"
    here.sync()
    chain.drain()
    assert holdings(here.folder)["members"] == holdings(chain.tills[0].folder)["members"]


def test_without_a_network_a_file_that_was_damaged_since_stops_nobody(chain: LittleChain) -> None:
    here = half_taken(chain, seals=False)
    here.till.puller.resume()
    chain.plugs[-1].pull()
    content = here.folder.snapshot.read_bytes()
    with here.folder.snapshot.open("r+b") as file:
        file.seek(16_384)
        file.write(b"\xff" * (len(content) - 16_384))
    assert here.till.members.by_phone(phone(MEMBERS - 1)) == []
    new = here.enrol("新", phone(MEMBERS + 5))
    assert [one.member_id for one in here.till.members.by_phone(phone(MEMBERS + 5))] == [
        new.member_id
    ]


def half_taken(chain: LittleChain, *, seals: bool = True) -> TillHere:
    """A till that was closed when the file was here and not all members were taken over."""
    here = enrolled_till(chain, seals=seals)
    till = opened(here)
    steps = count()

    def leave() -> bool:
        if here.folder.snapshot.exists() and next(steps) >= 1:
            raise EnvironmentFault("server-unreachable", url="off")
        return False

    till.puller.gives_way = leave
    till.sync.try_once()
    till.close()
    assert here.folder.snapshot.exists()
    here.open()
    chain.tills.append(here)
    return here
