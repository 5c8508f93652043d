"""Pushes while thousands of tills wait for news, against pushes with nobody waiting.

A real server process on loopback, SQLite. The limit is 100 ms at the 99th percentile while all
wait. Then one push is news: everybody is answered, and waits again, while others push.
"""

import asyncio
import resource
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec

from desktop.shop.server_process import ServerProcess
from shared.journal.keys import SigningKey
from shared.loyalty.bundle import template
from shared.protocol.message import CONTENT_TYPE, PROTOCOL, WaitReply, WaitRequest
from shared.protocol.request_signature import sign_request
from tests.bench.timing import percentile
from tests.support.till_writer import Line, TillWriter

WAITING = 3_000
PUSHES = 200
LIMIT_MS = 100.0
PATH = "/v1/sync/wait"
CONNECTING = 50
"""So many at once, as tills of a chain do not all come in the same second."""


def run() -> dict[str, Any]:
    """Push with nobody waiting, then with everybody."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, WAITING + 1_000), hard))
    with tempfile.TemporaryDirectory(dir=".") as name:
        server = ServerProcess(Path(name) / "server")
        sown = server.prepare(
            {
                "stores": [{"name": "Bench", "tills": [{"name": "A"}]}],
                "programme": msgspec.json.decode(msgspec.json.encode(template("default"))),
            }
        )
        with server:
            url = server.start()
            with httpx.Client(base_url=url, timeout=60) as client:
                line = Line(client)
                till = line.enrol(sown["stores"][0]["tills"][0]["code"])
                return asyncio.run(_measure(line, till, url))


async def _measure(line: Line, till: TillWriter, url: str) -> dict[str, Any]:
    alone = await asyncio.to_thread(_pushes, line, till)
    chain = _Chain(url, till.key, line)
    await chain.gather()
    crowded = await asyncio.to_thread(_pushes, line, till)
    before = chain.told
    began = time.perf_counter()
    await asyncio.to_thread(_push_news, line, till)
    amid = await asyncio.to_thread(_pushes, line, till)
    while chain.told - before < WAITING:
        amid += await asyncio.to_thread(_pushes, line, till)
    all_told_s = time.perf_counter() - began
    await chain.leave()
    p99 = percentile(crowded, 0.99)
    return {
        "waiting": WAITING,
        "pushes": PUSHES,
        "nobody waits p50 ms": percentile(alone, 0.5),
        "nobody waits p99 ms": percentile(alone, 0.99),
        "all wait p50 ms": percentile(crowded, 0.5),
        "all wait p99 ms": p99,
        "p99 / limit": p99 / LIMIT_MS,
        "while all are told p99 ms": percentile(amid, 0.99),
        "until all are told s": all_told_s,
    }


def _pushes(line: Line, till: TillWriter) -> list[float]:
    taken: list[float] = []
    for _ in range(PUSHES):
        start = len(till.entries)
        till.sell(10_00)
        began = time.perf_counter()
        line.push(till, start)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _push_news(line: Line, till: TillWriter) -> None:
    start = len(till.entries)
    till.enrol_member()
    line.push(till, start)


class _Chain:
    """Many connections that wait, are answered, and wait again."""

    def __init__(self, url: str, key: SigningKey, line: Line) -> None:
        self._address = httpx.URL(url)
        self._key = key
        self._line = line
        self._nonce = line.hello().nonce
        self._tills: list[asyncio.Task[None]] = []
        self._all_wait = asyncio.Event()
        self._settled = 0
        self.told = 0

    async def gather(self) -> None:
        """Until all wait."""
        gate = asyncio.Semaphore(CONNECTING)
        self._tills = [asyncio.create_task(self._wait(gate)) for _ in range(WAITING)]
        await self._all_wait.wait()

    async def leave(self) -> None:
        """All hang up."""
        for till in self._tills:
            till.cancel()
        await asyncio.gather(*self._tills, return_exceptions=True)

    async def _wait(self, gate: asyncio.Semaphore) -> None:
        async with AsyncExitStack() as at_the_end:
            async with gate:
                reader, writer = await asyncio.open_connection(
                    self._address.host, self._address.port
                )
                at_the_end.push_async_callback(_hang_up, writer)
                newest = await self._ask(reader, writer, 0, seconds=0)
                self._settled += 1
                if self._settled == WAITING:
                    self._all_wait.set()
            while True:
                newest = await self._ask(reader, writer, newest, seconds=25)
                self.told += 1

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        after: int,
        *,
        seconds: int,
    ) -> int:
        message = WaitRequest(protocol=PROTOCOL, server_seq=after, seconds=seconds)
        body = msgspec.msgpack.encode(message)
        headers = sign_request(self._key, method="POST", path=PATH, body=body, nonce=self._nonce)
        headers |= {"Host": "bench", "Content-Type": CONTENT_TYPE, "Content-Length": len(body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body)
        reply = await reader.readuntil(b"\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 200"), reply
        sizes = [
            int(line.partition(b":")[2])
            for line in reply.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        content = await reader.readexactly(sizes[0])
        return msgspec.msgpack.decode(content, type=WaitReply).server_seq


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
