"""How much of all requests' bodies is held at once, and for whom the last of it is kept."""

from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.errors import ProtocolError
from sync_server.api.bodies import SMALL_BYTES, BodyBudget

LIMIT = 8 * SMALL_BYTES


class Waiting:
    """A request whose whole body was taken in, and which is not answered yet."""

    def __init__(self, budget: BodyBudget, *parts: int) -> None:
        """Raises what the server refuses it with."""
        self._parts = [{"type": "http.request", "body": b"x" * size} for size in parts]
        self._running = budget({"type": "http", "parts": len(parts)}, self._receive, _send)
        self._running.send(None)

    async def _receive(self) -> Message:
        return self._parts.pop(0)

    def end(self) -> None:
        """Be answered."""
        self._running.close()


class _AnswerLater:
    def __await__(self) -> Iterator[None]:
        yield


async def _application(scope: Scope, receive: Receive, _send: Send) -> None:
    for _ in range(scope["parts"]):
        await receive()
    await _AnswerLater()


async def _send(_message: Message) -> None:
    raise AssertionError("nothing is answered here")


def test_large_bodies_leave_a_quarter_to_small_ones() -> None:
    budget = BodyBudget(_application, limit=LIMIT)
    backlogs = [Waiting(budget, SMALL_BYTES, SMALL_BYTES) for _ in range(3)]
    with pytest.raises(ProtocolError, match="unavailable"):
        Waiting(budget, SMALL_BYTES, SMALL_BYTES)
    sales = [Waiting(budget, SMALL_BYTES) for _ in range(2)]
    with pytest.raises(ProtocolError, match="unavailable"):
        Waiting(budget, SMALL_BYTES)
    for one in (*backlogs, *sales):
        one.end()
    assert budget.held == 0
    Waiting(budget, SMALL_BYTES, SMALL_BYTES).end()
