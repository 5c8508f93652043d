"""The real server in this thread: its ASGI application, called by hand, on a file in memory."""

import shutil
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

import sqlcipher3.dbapi2
from starlette.responses import Response

from shared.clock import Clock
from sync_server.api.application import make_application
from sync_server.bootstrap import DATABASE_FILE, Services, open_services
from tests.simulation.machine import Crash, Fuse
from tests.simulation.releases import Release, serving_as
from tests.support.servers import FAST_HASHER

IN_THREADS = (
    "sync_server.api.tills.run_in_threadpool",
    "sync_server.api.application.run_in_threadpool",
    "fastapi.routing.run_in_threadpool",
    "sync_server.api.snapshots.run_in_threadpool",
)


class Answer(NamedTuple):
    """What came back over the line."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


async def _in_this_thread(work: Callable[..., Any], *told: Any, **named: Any) -> Any:
    return work(*told, **named)


class FileHere(Response):
    """A range of a file, read in this thread; as ``FileResponse`` gives it."""

    def __init__(self, path: Path, *, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(b"", media_type=media_type, headers=headers)
        self._content = path.read_bytes()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = dict(scope["headers"])[b"range"].decode().removeprefix("bytes=").split("-")
        first, end = int(asked[0]), min(int(asked[1]) + 1, len(self._content))
        told = {"Content-Range": f"bytes {first}-{end - 1}/{len(self._content)}"}
        await Response(self._content[first:end], 206, told)(scope, receive, send)


@contextmanager
def without_threads() -> Iterator[None]:
    """Let the application do its work where it is called."""
    with ExitStack() as patches:
        for name in IN_THREADS:
            patches.enter_context(mock.patch(name, _in_this_thread))
        patches.enter_context(mock.patch("sync_server.api.snapshots.FileResponse", FileHere))
        yield


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits for anything."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("the server waited for something that cannot come")


class SimulatedServer:
    """A server that can be called, killed and started again."""

    def __init__(self, folder: Path, clock: Clock, release: Release = Release.CURRENT) -> None:
        self.folder = folder
        self.release = release
        self.clock = clock
        self.fuse = Fuse()
        self._running = ExitStack()
        self.services: Services
        self._application: Any

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.folder / DATABASE_FILE

    def start(self) -> None:
        """Open everything."""
        self._running = ExitStack()
        with serving_as(self.release):
            self.services = self._running.enter_context(
                open_services(self.folder, clock=self.clock, hasher=FAST_HASHER)
            )
        self.fuse.watch(self.services.database.engine)
        self._application = make_application(self.services)
        self.reading = sqlcipher3.dbapi2.connect(
            f"file:{self.database}?mode=ro", uri=True, isolation_level=None
        )

    def stop(self) -> None:
        """Let go of everything; after a kill there is nothing to finish, and nothing is."""
        self.fuse.put_out()
        self.reading.close()
        self._running.close()

    def restart(self) -> None:
        """A new process on the same files."""
        self.stop()
        self.start()

    def upgrade(self) -> None:
        """This release goes on with the files of the one before."""
        self.stop()
        self.release = Release.CURRENT
        self.start()

    def call(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        arriving: int | None = None,
    ) -> Answer:
        """A request; ``arriving`` is how many bytes of its body come before the line breaks.

        Raises Crash where the server dies of it.
        """
        status, parts, headers_told = 0, [], {}
        told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [*told, (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        whole = {"type": "http.request", "body": body, "more_body": False}
        cut = [{"type": "http.request", "body": body[:arriving], "more_body": True}]
        coming = iter([whole] if arriving is None else cut)

        async def receive() -> dict[str, Any]:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers_told.update({n.decode(): v.decode() for n, v in message["headers"]})
            else:
                parts.append(message.get("body", b""))

        try:
            with serving_as(self.release):
                run(self._application(scope, receive, send))
        except Crash:
            raise
        except Exception:
            # Starlette answers, then raises again for the log; without an answer it is a bug.
            if not status and arriving is None:
                raise
        return Answer(status, b"".join(parts), headers_told)

    def keep_copy(self, to: Path) -> None:
        """The files as they are, between two transactions."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to)
