"""Two server processes behind one PostgreSQL, and one push that comes to both from many threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

import httpx
from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.ids import EntryId
from shared.protocol.message import PushReply
from sync_server.bootstrap import open_database
from sync_server.database.schema import entries, exceptions
from sync_server.database.transaction import Database
from sync_server.journal.audit import audit
from tests.support.servers import serve_here, server_child
from tests.support.till_writer import START, Line, TillWriter


class Pair(NamedTuple):
    """Two processes behind one database, and tills that both of them know."""

    lines: tuple[Line, Line]
    tills: list[TillWriter]
    database: Database


@contextmanager
def two_processes(folders: Sequence[Path], *, tills: int) -> Iterator[Pair]:
    """A process on each of two folders that have the same keys and database."""
    with ExitStack() as closing:
        with serve_here(folders[0], clock=ManualClock(START)) as server:
            enrolled = [server.enrol_till(f"till {number}") for number in range(tills)]
        first, second = (
            Line(closing.enter_context(httpx.Client(base_url=address, timeout=60)))
            for address in [
                closing.enter_context(server_child(each, log=each / "server.log")).url
                for each in folders
            ]
        )
        yield Pair((first, second), enrolled, closing.enter_context(open_database(folders[0])))


def push_at_once(pair: Pair, till: TillWriter, *, threads: int, sales: int) -> None:
    """Sell, take one sale back twice, push all of it from many threads: it is booked once, and
    every thread gets the same answer."""
    start = len(till.entries)
    sold = [till.sell(100 + number) for number in range(sales)]
    returns = [till.take_back(sold[-1], 100), till.take_back(sold[-1], 100)]
    together = Barrier(threads)

    def push(number: int) -> PushReply:
        together.wait()
        return pair.lines[number % 2].push(till, start)

    with ThreadPoolExecutor(threads) as pool:
        replies = list(pool.map(push, range(threads)))

    for reply in replies:
        assert (reply.next_seq, reply.head_hash) == (len(till.entries), till.head.hash)
        assert [(one.rule, one.facts) for one in reply.exceptions] == [
            ("receipt-returned-twice", (sold[-1], *returns))
        ]
        assert reply.enrol_again is False
    _check_once(pair, till, sold[-1])


def _check_once(pair: Pair, till: TillWriter, returned: EntryId) -> None:
    with pair.database.reading() as snapshot:
        count = select(func.count()).select_from(entries).where(entries.c.journal == till.journal)
        assert snapshot.connection.execute(count).scalar_one() == len(till.entries)
        found = select(func.count()).select_from(exceptions)
        named = found.where(exceptions.c.natural_key.contains(returned))
        assert snapshot.connection.execute(named).scalar_one() == 1
        assert audit(snapshot).flaws == []
