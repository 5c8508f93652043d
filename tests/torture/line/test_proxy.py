"""The bad line itself leaves nothing behind, in whatever state of a connection it ends."""

import gc
import logging
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.torture.line.proxy import BadLine, Plan, Trouble, Way

MORE_THAN_WAITS = 64 << 20
"""Bytes that no buffers between two sockets hold."""
CALLERS = 20


@contextmanager
def leaving_nothing(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is said of what was left open fails the test, as it fails innocent ones."""
    gc.collect()
    said: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda told: said.append(repr(told.exc_value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
            gc.collect()
    finally:
        sys.unraisablehook = before
    assert said == []
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


def calling(line: BadLine) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(line.url.rpartition(":")[2])))


class Server:
    """A listening socket, and what answers there once somebody has come."""

    def __init__(self, stack: ExitStack, *, backlog: int = 16) -> None:
        self.listening = stack.enter_context(socket.socket())
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(backlog)
        self.address = self.listening.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self._stack = stack

    def accept(self) -> socket.socket:
        return self._stack.enter_context(self.listening.accept()[0])


def open_and_idle(stack: ExitStack, line: BadLine, server: Server) -> None:
    till = stack.enter_context(calling(line))
    till.sendall(b"?")
    answering = server.accept()
    assert answering.recv(1) == b"?"
    answering.sendall(b"!")
    assert till.recv(1) == b"!"


def more_under_way_than_is_read(stack: ExitStack, line: BadLine, server: Server) -> None:
    till = stack.enter_context(calling(line))
    answering = server.accept()

    def pour() -> None:
        with suppress(OSError):  # the line ends before it is all taken
            answering.sendall(bytes(MORE_THAN_WAITS))

    pouring = threading.Thread(target=pour)
    pouring.start()
    stack.callback(pouring.join)
    assert till.recv(1) == b"\0"


def half_closed(stack: ExitStack, line: BadLine, server: Server) -> None:
    """The server has said all and gone; the till has not read it."""
    till = stack.enter_context(calling(line))
    with server.accept() as answering:
        answering.sendall(b"all")
    assert till.recv(1) == b"a"


def in_the_middle_of(trouble: Trouble) -> Callable[[ExitStack, BadLine, Server], None]:
    def happen(stack: ExitStack, line: BadLine, server: Server) -> None:
        line.plan = Plan(trouble, Way.UP, 1)
        till = stack.enter_context(calling(line))
        till.sendall(b"?" * 1000)
        with suppress(ConnectionResetError):
            server.accept().recv(1)

    happen.__name__ = f"in_the_middle_of_{trouble}"
    return happen


def just_come(stack: ExitStack, line: BadLine, server: Server) -> None:
    """Accepted, being connected, or still waiting at the door."""
    for _ in range(CALLERS):
        stack.enter_context(calling(line))


STATES = (
    open_and_idle,
    more_under_way_than_is_read,
    half_closed,
    just_come,
    *map(in_the_middle_of, Trouble),
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_line_that_ends_leaves_no_connection_open(state, caplog):
    with ExitStack() as stack, leaving_nothing(caplog):
        server = Server(stack)
        with BadLine(server.url) as line:
            state(stack, line, server)


def test_a_line_that_ends_while_the_server_does_not_answer_leaves_nothing_open(caplog):
    with ExitStack() as stack, leaving_nothing(caplog):
        server = Server(stack, backlog=0)
        stack.enter_context(socket.create_connection(server.address))
        with BadLine(server.url) as line:
            just_come(stack, line, server)


def test_who_comes_while_there_is_no_server_sees_an_end(caplog):
    with ExitStack() as nobody:
        url = Server(nobody).url
    with leaving_nothing(caplog), BadLine(url) as line, calling(line) as till:
        assert till.recv(1) == b""
