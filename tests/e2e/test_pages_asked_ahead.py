"""The next page comes while the one before is taken over, and nothing else of a pull changes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from desktop.store.settings import read_cursor
from desktop.sync.http import ServerConnection
from shared.errors import EnvironmentFault, ProtocolError
from shared.protocol.cursor import decode_cursor, encode_cursor
from shared.protocol.message import PullReply, PullRequest, Stream
from tests.support.enrolled_till import GOODS
from tests.support.little_chain import LittleChain, TillHere

BOUND_S = 20
"""Where what is waited for never comes."""
Answer = Callable[[ServerConnection, PullRequest], PullReply]


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TillHere]:
    """A till that has the goods to read again, one a page."""
    pull = ServerConnection.pull
    monkeypatch.setattr(
        ServerConnection,
        "pull",
        lambda line, request: pull(line, msgspec.structs.replace(request, limit=1)),
    )
    with LittleChain(tmp_path, tills=1) as chain:
        here = chain.tills[0]
        here.till.puller.gives_way = lambda: False
        here.till.puller._begin_anew(Stream.CATALOGUE, is_mismatched=False)
        yield here


def answering(monkeypatch: pytest.MonkeyPatch, number: int, answer: Callable[[], Any]) -> list[Any]:
    """Before the server answers the pull of this number, something happens; all cursors asked."""
    pull: Answer = ServerConnection.pull
    asked: list[Any] = []

    def answered(line: ServerConnection, request: PullRequest) -> PullReply:
        asked.append(request.cursor)
        if len(asked) == number:
            answer()
        return pull(line, request)

    monkeypatch.setattr(ServerConnection, "pull", answered)
    return asked


def cursor(till: TillHere) -> str | None:
    with till.till.store.reading.connect() as connection:
        return read_cursor(connection, Stream.CATALOGUE)


def pull(till: TillHere) -> int:
    line = till.till.connect()
    try:
        return till.till.puller.pull(line, Stream.CATALOGUE)
    finally:
        line.close()


def test_a_page_is_asked_for_while_the_one_before_waits_for_the_writer(
    till: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, found = Event(), []

    def hold_the_writer() -> None:
        till.till.store.writer.submit(lambda _transaction: found.append(came.wait(BOUND_S)))

    def note() -> None:
        found.append(cursor(till))
        came.set()

    answering(monkeypatch, 1, hold_the_writer)
    asked = answering(monkeypatch, 2, note)
    assert pull(till) == len(GOODS)
    assert len(asked) == len(GOODS)
    assert found == [None, True], "the second was asked for before the first was kept"


def test_where_the_next_page_does_not_come_the_one_before_is_kept(
    till: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise EnvironmentFault("server-timeout", url="lost")

    asked = answering(monkeypatch, 2, fail)
    with pytest.raises(EnvironmentFault):
        pull(till)
    kept = cursor(till)
    assert kept is not None
    assert asked == [None, kept]
    assert pull(till) == len(GOODS) - 1
    assert len(set(asked)) == len(GOODS)


def test_what_cannot_be_taken_over_is_asked_for_again(
    till: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_told: Any, **_named: Any) -> None:
        raise ProtocolError("bad-page", stream="catalogue")

    asked = answering(monkeypatch, 0, lambda: None)
    with monkeypatch.context() as context:
        context.setattr("desktop.sync.page_rows.apply_goods", refused)
        with pytest.raises(ProtocolError, match="bad-page"):
            pull(till)
    assert cursor(till) is None
    asked.clear()
    assert pull(till) == len(GOODS)
    assert asked[0] is None


def test_nothing_is_asked_ahead_where_there_is_something_better_to_do(
    till: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.till.puller.gives_way = lambda: True
    asked = answering(monkeypatch, 0, lambda: None)
    for number in range(1, len(GOODS) + 1):
        assert pull(till) == 1
        assert len(asked) == number
        assert till.till.puller.is_unfinished == (number < len(GOODS))


def test_a_server_that_was_restored_meanwhile_is_read_anew(
    till: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: Answer = ServerConnection.pull
    asked: list[Any] = []

    def answered(line: ServerConnection, request: PullRequest) -> PullReply:
        asked.append(request.cursor)
        if len(asked) == 2:
            request = msgspec.structs.replace(request, cursor=_of_another_life(request.cursor))
        return pulled(line, request)

    monkeypatch.setattr(ServerConnection, "pull", answered)
    assert pull(till) == len(GOODS) + 1
    assert asked[:3] == [None, asked[1], None]


def _of_another_life(told: str | None) -> str:
    assert told is not None
    return encode_cursor(decode_cursor(told)._replace(generation="another"))
