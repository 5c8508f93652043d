"""Bodies in memory: how much of them all requests together may hold."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import ProtocolError

HELD_BYTES_MAX: Final = 128 * 1024 * 1024
"""Sixty-four of the largest pushes at once; any number of connections may be sending one."""


SMALL_BYTES: Final = 256 * 1024
"""A sale or a hundred, and every question: large pushes leave a quarter of the budget to these."""


class BodyBudget:
    """Counts what requests have sent and not been answered yet; beyond the limit 503.

    Backlogs that many tills send at once must not keep others' single sales out.
    """

    def __init__(self, app: ASGIApp, *, limit: int = HELD_BYTES_MAX) -> None:
        self.app = app
        self.limit = limit
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its body is counted as it comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        mine = 0

        async def take() -> Message:
            nonlocal mine
            message = await receive()
            size = len(message.get("body", b""))
            limit = self.limit if mine + size <= SMALL_BYTES else self.limit * 3 // 4
            if self.held + size > limit:
                raise ProtocolError("unavailable")
            mine += size
            self.held += size
            return message

        try:
            await self.app(scope, take, send)
        finally:
            self.held -= mine
