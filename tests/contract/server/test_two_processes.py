"""Two server processes on one PostgreSQL: numbers in commit order, every entry booked once.

Whoever follows the shard's counter (tills' pulls, the audits) must never meet a number below the
one it stands at: that row would be skipped for good.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event

import msgspec
import pytest
from sqlalchemy import ColumnElement, Table, create_engine, func, make_url, select, text

from shared.clock import ManualClock
from shared.errors import EnvironmentFault
from shared.ids import MemberId
from shared.protocol.message import MemberRow, Stream
from shared.protocol.replica import Scope, row_hash
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import URL_FILE, open_database
from sync_server.database.schema import entries, shards
from sync_server.database.transaction import Database, Snapshot
from sync_server.journal.audit import audit
from sync_server.operators.desk import Role
from tests.support.servers import fresh_database, serve_here
from tests.support.till_writer import START, TillWriter
from tests.support.two_processes import Pair, push_at_once, two_processes

PUSHERS = 6
PUSHES = 10
"""Of each pusher; every one tells of a member nobody else tells of."""
THREADS = 50
SALES = 20


@pytest.fixture
def folders(
    tmp_path: Path, postgres: str, postgres_template: tuple[Path, str]
) -> Iterator[list[Path]]:
    """Two data folders with the same keys and database, as on two machines."""
    original, name = postgres_template
    found = [tmp_path / "first", tmp_path / "second"]
    with fresh_database(postgres, template=name) as url:
        for folder in found:
            shutil.copytree(original, folder)
            (folder / URL_FILE).write_text(url)
        yield found


@pytest.fixture
def pair(folders: list[Path]) -> Iterator[Pair]:
    """A process on each folder."""
    with two_processes(folders, tills=PUSHERS + 1) as made:
        yield made


def test_no_row_is_skipped_and_none_comes_twice_while_both_take_pushes(pair: Pair) -> None:
    *pushing, reading = pair.tills
    done = Event()
    with ThreadPoolExecutor(PUSHERS + 2) as pool:
        puller = pool.submit(_pull_until, done, pair, reading)
        follower = pool.submit(_follow_until, done, pair.database)
        pushers = [
            pool.submit(_push_all, pair, till, number) for number, till in enumerate(pushing)
        ]
        try:
            told = [member for pusher in pushers for member in pusher.result()]
        finally:
            done.set()
        pulled, scope = puller.result()
        followed = follower.result()

    assert Counter(member for member, _row in pulled) == Counter(told)
    assert scope == (len(told), _checksum(row for _member, row in pulled))
    with pair.database.reading() as snapshot:
        assert followed == _numbers(snapshot, after=-1)
        assert len(set(followed)) == len(followed)
        assert audit(snapshot).flaws == []
        times = _own_times(snapshot)
    assert len(times) > PUSHERS * PUSHES
    assert times == sorted(set(times))


def test_the_servers_journal_keeps_its_order_where_two_clocks_differ(
    folders: list[Path],
) -> None:
    slow = ManualClock(START - timedelta(hours=1))
    with (
        serve_here(folders[0], clock=ManualClock(START)) as first,
        serve_here(folders[1], clock=slow) as second,
    ):
        for number in range(3):
            for server in (first, second):
                server.services.operators.add(f"Operator {number}", pin="123456", role=Role.CASHIER)
        with first.services.database.reading() as snapshot:
            times = _own_times(snapshot)
    assert times == sorted(set(times))


def test_a_cluster_that_may_lose_commits_is_refused(folders: list[Path]) -> None:
    url = make_url((folders[0] / URL_FILE).read_text())
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" SET synchronous_commit = off'))
    engine.dispose()
    with pytest.raises(EnvironmentFault) as fault, open_database(folders[1]) as database:
        database.engine.connect()
    assert (fault.value.code, fault.value.fields["setting"]) == (
        "postgresql-unsafe",
        "synchronous_commit",
    )


def test_a_process_that_hangs_in_a_transaction_is_cut_off(pair: Pair) -> None:
    with pair.database.reading() as snapshot:
        setting = snapshot.connection.execute(text("SHOW idle_in_transaction_session_timeout"))
        assert setting.scalar_one() == "1min"


def test_one_batch_from_fifty_threads_is_booked_once_and_answered_alike(pair: Pair) -> None:
    push_at_once(pair, pair.tills[0], threads=THREADS, sales=SALES)


def _push_all(pair: Pair, till: TillWriter, number: int) -> list[MemberId]:
    """A member nobody else tells of, a sale, and one return too many, again and again."""
    told = []
    for push in range(PUSHES):
        start = len(till.entries)
        profile = MemberProfile(name="Li Lei", phone=f"138{number:04}{push:04}")
        told.append(till.enrol_member(profile))
        sale = till.sell(1000)
        till.take_back(sale, 1000)
        till.take_back(sale, 1000)
        reply = pair.lines[(number + push) % 2].push(till, start)
        assert reply.next_seq == len(till.entries)
        assert [one.rule for one in reply.exceptions] == ["receipt-returned-twice"]
    return told


def _pull_until(
    done: Event, pair: Pair, till: TillWriter
) -> tuple[list[tuple[MemberId, bytes]], tuple[int | None, str | None]]:
    """The members a till reads that follows its cursor, from one process and the other in turn."""
    rows: list[tuple[MemberId, bytes]] = []
    cursor: str | None = None
    for turn in count():
        is_over = done.is_set()
        page = pair.lines[turn % 2].pull(till, Stream.MEMBERS, cursor, limit=7)
        rows += [
            (msgspec.msgpack.decode(row, type=MemberRow).member_id, bytes(row)) for row in page.rows
        ]
        cursor = page.cursor
        if page.is_last and is_over:
            return rows, (page.scope_rows, page.scope_checksum)
    raise AssertionError


def _follow_until(done: Event, database: Database) -> list[int]:
    """The numbers of entries that a job reads which follows the counter."""
    seen: list[int] = []
    while True:
        is_over = done.is_set()
        with database.reading() as snapshot:
            seen += _numbers(snapshot, after=seen[-1] if seen else -1)
        if is_over:
            return seen


def _checksum(rows: Iterable[bytes]) -> str:
    scope = Scope()
    for row in rows:
        scope = scope.changed(None, row_hash(row))
    return scope.checksum


def _numbers(snapshot: Snapshot, *, after: int) -> list[int]:
    statement = select(entries.c.server_seq).where(entries.c.server_seq > after)
    return list(snapshot.connection.execute(statement.order_by(entries.c.server_seq)).scalars())


def _own_times(snapshot: Snapshot) -> list[str]:
    """The hybrid times of the server's own entries, in the order of its journal."""
    own = select(shards.c.own_journal).scalar_subquery()
    statement = select(entries.c.hlc).where(entries.c.journal == own)
    return list(snapshot.connection.execute(statement.order_by(entries.c.seq)).scalars())


def _count(snapshot: Snapshot, table: Table, *where: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(table).where(*where)
    return int(snapshot.connection.execute(statement).scalar_one())
