"""A round of sync ends, whatever the server answers, and wherever it stands."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.sync.http import RefusedError, ServerConnection
from shared.errors import EnvironmentFault, EvertillError
from shared.language import Language, words
from shared.protocol.message import ErrorReply
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
ENOUGH = 40
"""More requests than any round of these tests needs."""
Asked = Callable[[ServerConnection, Any], Any]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=1) as made:
        yield made


def answering(monkeypatch: pytest.MonkeyPatch, name: str, answer: Callable[[Asked], Asked]) -> list:
    """The server answers requests of one kind in its own way; how often it was asked.

    Where a till asks without end, the line is cut in the end: the count tells.
    """
    asked: list[Any] = []
    answered = answer(getattr(ServerConnection, name))

    def asking(connection: ServerConnection, request: Any) -> Any:
        asked.append(request)
        if len(asked) > ENOUGH:
            raise EnvironmentFault("server-timeout", url="asked without end")
        return answered(connection, request)

    monkeypatch.setattr(ServerConnection, name, asking)
    return asked


def fails_with(till: TillHere) -> str:
    assert not till.sync()
    status = till.till._status
    assert status is not None
    for language in Language:
        assert words(language).error(EvertillError(status.error_code, **status.error_fields))
    return status.error_code


def takes_nothing(push: Asked) -> Asked:
    def answer(connection: ServerConnection, request: Any) -> Any:
        reply = push(connection, request)
        return msgspec.structs.replace(
            reply, next_seq=request.first_seq, head_hash=request.prev_hash
        )

    return answer


def always(status: int, code: str, next_seq: int | None) -> Callable[[Asked], Asked]:
    def refusing(_push: Asked) -> Asked:
        def answer(_connection: ServerConnection, _request: Any) -> Any:
            reply = ErrorReply(code=code, fields={"limit": 1}, next_seq=next_seq)
            raise RefusedError(status, reply)

        return answer

    return refusing


def forgets_every_other_time(push: Asked) -> Asked:
    times = iter(range(10_000))

    def answer(connection: ServerConnection, request: Any) -> Any:
        if next(times) % 2:
            raise RefusedError(409, ErrorReply(code="gap", fields={}, next_seq=0))
        reply = push(connection, request)
        return msgspec.structs.replace(reply, next_seq=request.first_seq + len(request.entries))

    return answer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (takes_nothing, "server-stands-still"),
        (always(409, "gap", 0), "gap"),
        (always(409, "unknown-parent", 0), "unknown-parent"),
        (always(413, "body-too-large", None), "body-too-large"),
        (forgets_every_other_time, "gap"),
    ],
)
def test_a_server_that_does_not_get_on_with_a_journal_ends_the_round(
    chain: LittleChain,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[Asked], Asked],
    code: str,
) -> None:
    till = chain.tills[0]
    monkeypatch.setattr("desktop.sync.push.PUSH_ENTRIES_MAX", 2)
    till.restart()
    for _ in range(3):
        till.sell(BISCUIT)
    with monkeypatch.context() as context:
        asked = answering(context, "push", answer)
        assert fails_with(till) == code
        assert len(asked) < ENOUGH
        till.sell(BISCUIT)

    chain.drain()

    till.till.close()
    assert chain.reckon().differences == []
    till.open()


def test_pages_that_lead_nowhere_end_the_round(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = chain.tills[0]

    def never_last(pull: Asked) -> Asked:
        def answer(connection: ServerConnection, request: Any) -> Any:
            return msgspec.structs.replace(pull(connection, request), is_last=False)

        return answer

    with monkeypatch.context() as context:
        asked = answering(context, "pull", never_last)
        assert fails_with(till) == "bad-page"
        assert len(asked) < ENOUGH
    assert till.sync()


def test_an_image_with_more_unsent_than_a_push_takes_is_sent_as_a_branch(
    chain: LittleChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is common comes in several pushes before the one that contradicts."""
    till = chain.tills[0]
    chain.plugs[0].pull()
    for _ in range(6):
        till.sell(BISCUIT)
    till.till.close()
    shutil.copytree(till.folder.path, tmp_path / "image")
    till.open()
    chain.plugs[0].plug_in()
    for _ in range(4):
        till.sell(BISCUIT)
    chain.drain()
    till.till.close()
    shutil.rmtree(till.folder.path)
    shutil.copytree(tmp_path / "image", till.folder.path)
    monkeypatch.setattr("desktop.sync.push.PUSH_ENTRIES_MAX", 2)
    till.open()
    for _ in range(9):
        till.sell(BISCUIT)
    asked = answering(monkeypatch, "push", lambda push: push)

    assert till.sync()

    assert len(asked) < ENOUGH
    assert till.till.unsent() == 0
    with chain.server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
        kept = snapshot.connection.execute(select(schema.tickets.c.entry_id)).all()
    # Common to both, on the disk that was replaced, on the image.
    assert len(kept) == 6 + 4 + 9
