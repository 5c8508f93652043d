"""Connections with limits of time and number, so that slow clients do not keep others out.

uvicorn bounds the size of a request's head and how long a connection may rest between requests.
It waits for ever for a head that comes byte by byte, for the rest of a body, and for a client that
does not read its answer; and it counts connections only in all. What is ours is here: a connection
that is late is cut, whatever it was sending, and one address has so many of them.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, cast

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

PROXIES: Final = frozenset({"127.0.0.1", "::1"})
"""What may say for whom it asks (uvicorn's ``forwarded_allow_ips``): its connections are those of
many, and are not counted."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long and how often; times in seconds."""

    head_s: float = 10.0
    """From the first byte of a request, or from the connection, to the end of its head."""
    body_pause_s: float = 10.0
    """Between two pieces of a body."""
    request_s: float = 60.0
    """For head and body together: 2 MiB at 35 KiB/s; a till halves what takes longer."""
    answer_pause_s: float = 30.0
    """For a client to take what it asked for, piece by piece."""
    drained_bytes_max: int = 16 * 1024 * 1024
    """Of a body that was refused and is sent all the same: a client cut off cannot read why."""
    per_address: int = 256
    """Connections of one address; a till has two, and a shop may have one address."""


class _Limited(H11Protocol):
    """One connection under limits; made for a server by ``limited``."""

    limits: ConnectionLimits
    addresses: Counter[str]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._address: str | None = None
        self._request_ends: float | None = None
        """When the request that is coming must be whole; None while none is."""
        self._heard = 0.0
        self._has_head = False
        self._drained = 0
        self._reading: TimerHandle | None = None
        self._writing: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, or cut it where its address has too many."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if address not in PROXIES:
            self._address = address
            self.addresses[address] += 1
            if self.addresses[address] > self.limits.per_address:
                transport.abort()
                return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        for timer in (self._reading, self._writing):
            if timer is not None:
                timer.cancel()
        if self._address is not None:
            self.addresses[self._address] -= 1
            if not self.addresses[self._address]:
                del self.addresses[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and note how far the request is."""
        self._heard = self.loop.time()
        if self._request_ends is None:
            self._expect_head()
        if self.cycle is not None and self.cycle.response_complete and self._has_head:
            self._drained += len(data)
            if self._drained > self.limits.drained_bytes_max:
                self.transport.abort()
                return
        super().data_received(data)
        self._note_place()

    def on_response_complete(self) -> None:
        """The answer is written; what of the request is still to come has its old limits."""
        super().on_response_complete()
        self._note_place()

    def pause_writing(self) -> None:
        """The client does not read: give it so long."""
        super().pause_writing()
        self._writing = self.loop.call_later(self.limits.answer_pause_s, self._cut)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that rests; what its client never took does not keep it."""
        super().timeout_keep_alive_handler()
        self._writing = self._writing or self.loop.call_later(self.limits.answer_pause_s, self._cut)

    def _expect_head(self) -> None:
        now = self.loop.time()
        self._heard, self._has_head, self._drained = now, False, 0
        self._request_ends = now + self.limits.request_s
        self._watch_from(now + self.limits.head_s)

    def _note_place(self) -> None:
        """What the parser waits for now."""
        if self.conn.their_state is h11.SEND_BODY:
            if not self._has_head:
                self._has_head = True
                self._watch_from(self._body_ends())
        elif self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]:
            # Whole, or nothing of the next one yet: how long it may rest is uvicorn's to watch.
            self._request_ends = None
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None
        elif self._has_head:
            self._expect_head()  # a next request came in one piece with the end of this one

    def _body_ends(self) -> float:
        assert self._request_ends is not None
        return min(self._heard + self.limits.body_pause_s, self._request_ends)

    def _watch_from(self, at: float) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = self.loop.call_at(at, self._look)

    def _look(self) -> None:
        """The time is over, unless pieces of a body came meanwhile."""
        self._reading = None
        ends = self._body_ends() if self._has_head else 0.0
        if ends > self.loop.time():
            self._watch_from(ends)
        else:
            self._cut()

    def _cut(self) -> None:
        self.transport.abort()


def limited(limits: ConnectionLimits) -> type[H11Protocol]:
    """uvicorn's HTTP protocol under limits, with counts of its own for one server."""
    namespace = {"limits": limits, "addresses": Counter[str]()}
    return cast("type[H11Protocol]", type("LimitedProtocol", (_Limited,), namespace))
