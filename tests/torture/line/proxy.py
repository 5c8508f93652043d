"""A bad line: a TCP proxy that cuts, resets, delays or slices at a chosen byte of one direction."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

CHUNK: Final = 16 * 1024
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset."""
DELAY_S: Final = 0.02
SLICE_S: Final = 0.0005


class Trouble(StrEnum):
    """What the line does at the chosen byte."""

    CUT = "cut"
    """Both sides see an end."""
    RESET = "reset"
    """Both sides see a reset."""
    DELAY = "delay"
    """The rest comes later."""
    SLICE = "slice"
    """The next kilobyte comes byte by byte."""


class Way(StrEnum):
    """In which direction bytes are counted."""

    UP = "up"
    """From the till to the server."""
    DOWN = "down"


@dataclass
class Plan:
    """One trouble, at a byte of what is sent one way over all connections from now on."""

    trouble: Trouble
    way: Way
    at: int
    passed: int = 0
    is_over: bool = False

    def before(self, way: Way, size: int) -> int | None:
        """How many of so many bytes pass before it happens; None where it does not."""
        if self.is_over or way is not self.way:
            return None
        if self.passed + size <= self.at:
            self.passed += size
            return None
        self.is_over = True
        return self.at - self.passed


class BadLine:
    """Forwards to a server; what goes wrong next is told by ``plan``.

    Leaving it ends every connection, in whatever state it is, before its loop ends: what a dead
    loop keeps open is found by the garbage collector, in the midst of somebody else's work.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname, target.port)
        self._runner = asyncio.Runner()
        self._leaving = asyncio.Event()
        self._listening = socket.socket()
        self._thread = threading.Thread(target=self._run)
        self._connections: set[asyncio.Task[None]] = set()
        self.plan: Plan | None = None
        self.counted = {Way.UP: 0, Way.DOWN: 0}
        """Bytes that went each way since it was last set to nothing."""
        self.url = ""

    def __enter__(self) -> Self:
        self._loop = self._runner.get_loop()
        self._listening.setblocking(False)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join()

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._serve())

    async def _serve(self) -> None:
        with self._listening:
            self._loop.add_reader(self._listening, self._accept)
            await self._leaving.wait()
            self._loop.remove_reader(self._listening)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self) -> None:
        try:
            near, _ = self._listening.accept()
        except OSError:  # whoever came has gone
            return
        near.setblocking(False)
        connection = self._loop.create_task(self._carry(near))
        self._connections.add(connection)
        # Not in the task: one that is cancelled before it began would leave it open.
        connection.add_done_callback(lambda _: near.close())
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, near: socket.socket) -> None:
        with socket.socket() as far:
            far.setblocking(False)
            try:
                await self._loop.sock_connect(far, self._target)
            except OSError:
                return
            async with _streams(near) as (told, back), _streams(far) as (answered, forth):
                ends = (back, forth)
                await asyncio.gather(
                    self._forward(Way.UP, told, forth, ends),
                    self._forward(Way.DOWN, answered, back, ends),
                )
                for end in ends:
                    with suppress(OSError):
                        await end.wait_closed()

    async def _forward(
        self,
        way: Way,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                self.counted[way] += len(chunk)
                plan = self.plan
                before = plan.before(way, len(chunk)) if plan else None
                if plan is None or before is None:
                    await _send(sink, chunk)
                    continue
                await _send(sink, chunk[:before])
                if not await _HAPPENS[plan.trouble](sink, chunk[before:], ends):
                    return
        with suppress(OSError, RuntimeError):
            sink.write_eof()
        for end in ends:
            end.close()


@asynccontextmanager
async def _streams(
    connected: socket.socket,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is gone at the end, also for who is cancelled while it is made."""
    making = asyncio.create_task(asyncio.open_connection(sock=connected))
    try:
        yield await asyncio.shield(making)
    finally:
        _, end = await making
        end.transport.abort()
        with suppress(OSError):
            await end.wait_closed()


async def _send(sink: asyncio.StreamWriter, chunk: bytes) -> None:
    sink.write(chunk)
    await sink.drain()


Ends = tuple[asyncio.StreamWriter, ...]


async def _cut(_sink: asyncio.StreamWriter, _rest: bytes, ends: Ends) -> bool:
    for end in ends:
        end.close()
    return False


async def _reset(_sink: asyncio.StreamWriter, _rest: bytes, ends: Ends) -> bool:
    for end in ends:
        plain: Any = end.get_extra_info("socket")
        with suppress(OSError):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.transport.abort()
    return False


async def _delay(sink: asyncio.StreamWriter, rest: bytes, _ends: Ends) -> bool:
    await asyncio.sleep(DELAY_S)
    await _send(sink, rest)
    return True


async def _slice(sink: asyncio.StreamWriter, rest: bytes, _ends: Ends) -> bool:
    for at in range(min(len(rest), 64)):
        await _send(sink, rest[at : at + 1])
        await asyncio.sleep(SLICE_S)
    await _send(sink, rest[64:])
    return True


_HAPPENS: Final[dict[Trouble, Callable[[asyncio.StreamWriter, bytes, Ends], Awaitable[bool]]]] = {
    Trouble.CUT: _cut,
    Trouble.RESET: _reset,
    Trouble.DELAY: _delay,
    Trouble.SLICE: _slice,
}
