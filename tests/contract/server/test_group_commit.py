"""Pushes that wait for the writer share its next transaction, and only that."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from shared.errors import ProtocolError
from shared.protocol.message import PushReply, PushRequest
from sync_server.database.schema import entries
from sync_server.database.transaction import Work
from sync_server.journal.audit import audit
from sync_server.sync import ingest
from sync_server.sync.grouping import SIZE_MAX, Groups
from tests.support.servers import Server
from tests.support.till_writer import TillWriter

Pushed = Future[PushReply]


@contextmanager
def one_group(server: Server, *requests: PushRequest) -> Iterator[tuple[list[Pushed], list[Work]]]:
    """Pushes that all came while somebody wrote, and the transactions that took them."""
    database, groups = server.services.database, server.services.ingest.groups
    commits: list[Work] = []
    derive = database.before_commit
    with ThreadPoolExecutor(len(requests)) as pool:
        with database.writing(is_bare=True):
            pushed = []
            for number, request in enumerate(requests):
                pushed.append(pool.submit(server.services.ingest.push, request))
                while groups.waiting <= number:
                    time.sleep(0.001)
            database.before_commit = lambda work: (commits.append(work), derive(work))[1]
        for each in pushed:
            each.exception()
    database.before_commit = derive
    yield pushed, commits


def kept(server: Server, till: TillWriter) -> int:
    with server.services.database.reading() as snapshot:
        statement = select(func.count()).where(entries.c.journal == till.journal)
        return int(snapshot.connection.execute(statement).scalar_one())


def sound(server: Server) -> bool:
    with server.services.database.reading() as snapshot:
        return audit(snapshot).is_clean


def test_pushes_that_wait_are_kept_by_one_commit(server: Server) -> None:
    tills = [server.enrol_till() for _ in range(5)]
    for till in tills:
        till.sell(1000)
    with one_group(server, *(till.push_request() for till in tills)) as (pushed, commits):
        assert [reply.result().next_seq for reply in pushed] == [1] * 5
    assert len(commits) == 1
    assert [kept(server, till) for till in tills] == [1] * 5
    assert sound(server)


def test_one_that_is_refused_or_fails_undoes_nothing_of_the_others(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, refused, failing, last = (server.enrol_till() for _ in range(4))
    for till in (first, refused, refused, failing, last):
        till.sell(1000)
    keep = ingest.keep_attachments

    def fail(work: Work, readings: Any, sent: Any) -> Any:
        """After the entries were written."""
        if readings[0].envelope.journal == failing.journal:
            raise ZeroDivisionError
        return keep(work, readings, sent)

    monkeypatch.setattr(ingest, "keep_attachments", fail)
    requests = [
        first.push_request(),
        refused.push_request(1),
        failing.push_request(),
        last.push_request(),
    ]
    with one_group(server, *requests) as (pushed, commits):
        assert pushed[0].result().next_seq == pushed[3].result().next_seq == 1
        gap = pushed[1].exception()
        assert isinstance(gap, ProtocolError)
        assert (gap.code, gap.fields["next_seq"]) == ("gap", 0)
        assert isinstance(pushed[2].exception(), ZeroDivisionError)
    assert len(commits) == 1
    assert [kept(server, till) for till in (first, refused, failing, last)] == [1, 0, 0, 1]
    assert sound(server)
    monkeypatch.undo()
    assert server.line.push(failing).next_seq == 1


def test_a_transaction_that_the_database_undid_is_nobodys_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, failing, last = (server.enrol_till() for _ in range(3))
    for till in (first, failing, last):
        till.sell(1000)
    keep = ingest.keep_attachments

    def lose(work: Work, readings: Any, sent: Any) -> Any:
        """As SQLite does where the disk is full."""
        if readings[0].envelope.journal == failing.journal:
            work.connection.exec_driver_sql("ROLLBACK")
            raise OSError
        return keep(work, readings, sent)

    monkeypatch.setattr(ingest, "keep_attachments", lose)
    requests = [till.push_request() for till in (first, failing, last)]
    with one_group(server, *requests) as (pushed, _commits):
        assert pushed[0].result().next_seq == pushed[2].result().next_seq == 1
        assert isinstance(pushed[1].exception(), OSError)
    assert [kept(server, till) for till in (first, failing, last)] == [1, 0, 1]
    assert sound(server)


def test_a_push_that_no_commit_takes_fails_alone(server: Server) -> None:
    first, poisonous, last = (server.enrol_till() for _ in range(3))
    for till in (first, poisonous, last):
        till.sell(1000)
    database = server.services.database

    def fail(work: Work) -> None:
        statement = select(func.count()).where(entries.c.journal == poisonous.journal)
        if work.connection.execute(statement).scalar_one():
            raise ZeroDivisionError
        derive(work)

    derive, database.before_commit = database.before_commit, fail
    requests = [till.push_request() for till in (first, poisonous, last)]
    with one_group(server, *requests) as (pushed, _commits):
        assert pushed[0].result().next_seq == pushed[2].result().next_seq == 1
        assert isinstance(pushed[1].exception(), ZeroDivisionError)
    database.before_commit = derive
    assert [kept(server, till) for till in (first, poisonous, last)] == [1, 0, 1]
    assert sound(server)


def test_nobody_is_answered_where_the_commit_fails(server: Server) -> None:
    tills = [server.enrol_till() for _ in range(3)]
    for till in tills:
        till.sell(1000)
    database = server.services.database

    def fail(_work: Work) -> None:
        raise ZeroDivisionError

    derive, database.before_commit = database.before_commit, fail
    with one_group(server, *(till.push_request() for till in tills)) as (pushed, _commits):
        assert [type(reply.exception()) for reply in pushed] == [ZeroDivisionError] * 3
    database.before_commit = derive
    assert [kept(server, till) for till in tills] == [0, 0, 0]
    assert [server.line.push(till).next_seq for till in tills] == [1, 1, 1]


def test_small_pushes_go_first_and_then_the_oldest(
    server: Server,
) -> None:
    groups = Groups(server.services.database)
    order: list[list[str]] = []
    derive = server.services.database.before_commit

    def note(work: Work) -> None:
        order.append([])
        derive(work)

    current: list[str] = []
    sizes = {"old": SIZE_MAX, "great": SIZE_MAX - 1, "small": 1, "tiny": 1}
    with ThreadPoolExecutor(len(sizes)) as pool, server.services.database.writing(is_bare=True):
        for number, (name, size) in enumerate(sizes.items()):
            pool.submit(groups.run, lambda _work, name=name: current.append(name), size=size)
            while groups.waiting <= number:
                time.sleep(0.001)
        server.services.database.before_commit = lambda work: (
            note(work),
            order[-1].extend(current),
            current.clear(),
        )[0]
    server.services.database.before_commit = derive
    assert [group for group in order if group] == [["small", "tiny"], ["old"], ["great"]]
