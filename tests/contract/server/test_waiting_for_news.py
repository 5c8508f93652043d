"""Tills that wait are answered when there is something new to pull, whoever wrote it."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.protocol.message import PROTOCOL, WaitReply, WaitRequest
from sync_server.bootstrap import open_database
from sync_server.members.segments import Segments
from sync_server.sync import news
from tests.support.till_writer import Refused

MANY = 30
LONGEST = 25
"""Seconds; a reply that comes by news and one that comes when the time is over look alike."""


@pytest.fixture
def given_up(monkeypatch):
    """The seconds of each waiting that nothing but its own end has ended."""
    ended, wait_for = [], asyncio.wait_for

    async def watched(waiting, seconds):
        try:
            return await wait_for(waiting, seconds)
        except TimeoutError:
            ended.append(seconds)
            raise

    monkeypatch.setattr(news.asyncio, "wait_for", watched)
    return ended


@pytest.fixture
def till(server):
    """A till with one member enrolled and pushed."""
    till = server.enrol_till()
    till.member = till.enrol_member()
    server.line.push(till)
    return till


def wait(server, till, after, seconds=LONGEST):
    request = WaitRequest(protocol=PROTOCOL, server_seq=after, seconds=seconds)
    return server.line.post("/v1/sync/wait", request, WaitReply, signer=till.key).server_seq


def until_waiting(server, count):
    while server.services.news.waiting < count:
        time.sleep(0.005)


def test_what_is_there_is_told_at_once(server, till):
    assert wait(server, till, 0) > 0


@pytest.mark.parametrize("seconds", [0, 1])
def test_nothing_new_is_told_when_the_time_is_over(server, till, given_up, seconds):
    newest = wait(server, till, 0)
    assert wait(server, till, newest, seconds) == newest
    assert server.services.news.waiting == 0
    assert given_up == [seconds]


def test_all_that_wait_are_answered_when_another_till_sells_to_a_member(server, till, given_up):
    other, newest = server.enrol_till("other"), wait(server, till, 0)
    with ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(wait, server, till, newest) for _ in range(MANY)]
        until_waiting(server, MANY)
        other.sell(10_00, member=till.member, earned=10)
        server.line.push(other)
        assert all(one.result() > newest for one in waiting)
    assert given_up == []


def test_a_sale_without_a_member_is_no_news(server, till, given_up):
    newest = wait(server, till, 0)
    till.sell(10_00)
    server.line.push(till)
    assert wait(server, till, newest, 1) == newest
    assert given_up == [1]


def test_what_another_process_wrote_is_news(server, till, given_up):
    newest = wait(server, till, 0)
    with ThreadPoolExecutor(1) as pool, open_database(server.folder, is_shared=True) as database:
        waiting = pool.submit(wait, server, till, newest)
        until_waiting(server, 1)
        Segments(database).put("young", [till.member])
        assert waiting.result() > newest
    assert given_up == []


def test_a_server_that_stops_keeps_nobody_waiting(server, till, given_up):
    newest = wait(server, till, 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait, server, till, newest)
        until_waiting(server, 1)
        server.services.news.let_go()
        assert waiting.result() == newest
    assert given_up == []


@pytest.mark.parametrize("seconds", [-1, 26])
def test_nobody_waits_for_ever(server, till, seconds):
    with pytest.raises(Refused) as refused:
        wait(server, till, 0, seconds)
    assert refused.value.status == 400


def test_strangers_do_not_wait(server, till):
    request = WaitRequest(protocol=PROTOCOL, server_seq=0, seconds=LONGEST)
    with pytest.raises(Refused) as refused:
        server.line.post("/v1/sync/wait", request, WaitReply)
    assert refused.value.status == 401
