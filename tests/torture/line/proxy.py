"""A bad line: a TCP proxy that cuts, resets, delays or slices at a chosen byte of one direction."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

CHUNK: Final = 16 * 1024
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset."""
DELAY_S: Final = 0.02
SLICE_S: Final = 0.0005

Done = TypeVar("Done")


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
    """Forwards to a server; what goes wrong next is told by ``plan``."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname, target.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None
        self.plan: Plan | None = None
        self.counted = {Way.UP: 0, Way.DOWN: 0}
        """Bytes that went each way since it was last set to nothing."""
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Awaitable[Done]) -> Done:
        future: Future[Done] = asyncio.run_coroutine_threadsafe(work, self._loop)  # type: ignore[arg-type]
        return future.result()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(*self._target)
        ends = (back, forth)
        await asyncio.gather(
            self._forward(Way.UP, near, forth, ends), self._forward(Way.DOWN, far, back, ends)
        )

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
