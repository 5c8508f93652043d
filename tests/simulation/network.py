"""The line between a till and the server: every request can be lost, doubled, late or cut."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest import mock

import msgspec
import requests

from desktop.sync.http import ServerConnection
from shared.clock import ManualClock
from shared.errors import EnvironmentFault
from shared.protocol.message import CONTENT_TYPE, PullRequest
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.machine import Crash
from tests.simulation.server import Answer, SimulatedServer

REQUESTS_MAX = 500
"""Far more than any sync of these small shops needs."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {
    "/v1/hello": "handshake",
    "/v1/enrol": "enrolment",
    "/v1/sync/push": "push",
    "/v1/lookup": "look-up",
    "/v1/leases": "leases",
    "/v1/sync/snapshot": "snapshot",
}
PORTAL = Answer(200, b"<html>Welcome to our free network</html>")


@dataclass(slots=True)
class Trouble:
    """One fault that waits for a request."""

    fault: Fault
    skip: int = 0
    """Requests that go through before."""
    moments: int = 0
    """Of the server's process, before it dies."""
    delay: timedelta = timedelta()


@dataclass
class Line:
    """One till's way to the server."""

    name: str
    cut_until: datetime = LONG_AGO
    trouble: Trouble | None = None
    amid: Callable[[], None] | None = None
    """What happens at the till while a request is on its way."""
    amid_skip: int = 0
    """Requests that go through before."""
    since: str = ""
    """What happened to this till that the protocol has not got over yet."""
    at: str = ""
    """Where the protocol is: the newest request."""
    requests: int = 0
    """Made in this round so far."""
    streams: list[str] = field(default_factory=list)
    """Pulled in this round so far: a second page of a stream is a state of its own."""

    def state(self, path: str, body: bytes) -> str:
        """Where the protocol is, for the coverage report."""
        if path != "/v1/sync/pull":
            base = NAMES.get(path, "part of a snapshot")
        else:
            stream = msgspec.msgpack.decode(body, type=PullRequest).stream.value
            is_next = any(one.startswith(f"pull of {stream}") for one in self.streams)
            base = f"pull of {stream}" + (", next page" if is_next else "")
        return f"{base}, {self.since}" if self.since else base


class Late(NamedTuple):
    """A request on its way."""

    due: datetime
    order: int
    method: str
    path: str
    body: bytes
    headers: dict[str, str]


Heard = Callable[[Line, str, bytes, Answer], None]
"""Told what a till hears: its line, the path, its request, the answer."""


@contextmanager
def carried_by(network: "Network") -> Iterator[None]:
    """Let all requests of tills go over a simulated network."""

    def send(connection: ServerConnection, *request: Any) -> requests.Response:
        return network.send(*request)

    with mock.patch.object(ServerConnection, "_send", send):
        yield


class Network:
    """All lines; knows whose request it carries by who is acting."""

    def __init__(self, server: SimulatedServer, true: ManualClock, coverage: Coverage) -> None:
        self.server = server
        self.coverage = coverage
        self.acting: Line
        self.late: list[Late] = []
        self.trace = hashlib.sha256()
        self.on_served: Callable[[], None] = lambda: None
        """Told whenever the server may have written something."""
        self.on_heard: Heard = lambda _line, _path, _body, _answer: None
        self._true = true
        self._order = 0

    def send(self, method: str, path: str, body: bytes, told: dict[str, str]) -> requests.Response:
        """In place of ``ServerConnection._send``; raises what that raises."""
        headers = {"Content-Type": CONTENT_TYPE, **told}
        line = self.acting
        line.requests += 1
        assert line.requests < REQUESTS_MAX, "a sync goes on for ever"
        line.at = state = line.state(path, body)
        self._let_happen(line)
        answer = self._carry(line, state, method, path, body, headers)
        self._let_happen(line)
        if path == "/v1/sync/pull" and answer.status == 200:
            line.streams.append(state)
        self.on_heard(line, path, body, answer)
        response = requests.Response()
        response.status_code, response._content = answer.status, answer.body
        response.headers.update(answer.headers)
        return response

    @staticmethod
    def _let_happen(line: Line) -> None:
        """Something at the till, before the request arrives or before its answer does."""
        if line.amid is None:
            return
        line.amid_skip -= 1
        if line.amid_skip < 0:
            happening, line.amid = line.amid, None
            happening()

    def deliver(self, *, all_of_them: bool = False) -> None:
        """What was late arrives, in the order in which it is due; nobody hears the answers."""
        now = self._true.now()
        due = sorted(one for one in self.late if all_of_them or one.due <= now)
        self.late = [one for one in self.late if one not in due]
        for one in due:
            self._serve(one.method, one.path, one.body, one.headers)

    def note(self, *what: object) -> None:
        """Add to the trace, of which two runs of a seed must have the same hash."""
        self.trace.update(repr(what).encode())

    def _carry(
        self, line: Line, state: str, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> Answer:
        trouble = line.trouble
        if self._true.now() < line.cut_until:
            self.coverage.hit(Fault.PARTITION, state)
            raise EnvironmentFault("server-unreachable", url=line.name)
        if trouble is None or trouble.skip:
            if trouble is not None:
                trouble.skip -= 1
            return self._serve(method, path, body, headers)
        line.trouble = None
        self.coverage.hit(trouble.fault, state)
        line.since = f"after {trouble.fault.value}"
        return self._trouble(trouble, method, path, body, headers)

    def _trouble(
        self, trouble: Trouble, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> Answer:
        match trouble.fault:
            case Fault.DROP_REPLY:
                self._serve(method, path, body, headers)
                raise EnvironmentFault("server-timeout", url="lost")
            case Fault.DUPLICATE:
                self._serve(method, path, body, headers)
                return self._serve(method, path, body, headers)
            case Fault.DELAY:
                self._order += 1
                due = self._true.now() + trouble.delay
                self.late.append(Late(due, self._order, method, path, body, headers))
            case Fault.CUT_REQUEST:
                self._serve(method, path, body, headers, arriving=len(body) // 2)
            case Fault.CUT_REPLY:
                self._serve(method, path, body, headers)
                raise EnvironmentFault("server-unreachable", url="cut")
            case Fault.SERVER_ERROR:
                return Answer(503, b"")
            case Fault.FOREIGN_REPLY:
                return PORTAL
            case Fault.CRASH_SERVER:
                self._crash(trouble, method, path, body, headers)
            case _:
                assert trouble.fault is Fault.DROP_REQUEST, trouble.fault
        raise EnvironmentFault("server-timeout", url="lost")

    def _crash(
        self, trouble: Trouble, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> None:
        """The server dies of a request, or right after it; a new process takes its place."""
        self.server.fuse.light(trouble.moments)
        with suppress(Crash):
            self._serve(method, path, body, headers)
        self.server.restart()
        self.on_served()
        raise EnvironmentFault("server-unreachable", url="crashed")

    def _serve(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        *,
        arriving: int | None = None,
    ) -> Answer:
        answer = self.server.call(method, path, body, headers, arriving=arriving)
        digests = [hashlib.sha256(one).hexdigest()[:16] for one in (body, answer.body)]
        self.note(method, path, answer.status, *digests)
        self.on_served()
        return answer
