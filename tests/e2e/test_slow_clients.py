"""A real server process is beset by slow, greedy and poisonous clients; a till goes on pushing.

The till and those who mean well come from other addresses than who does not.
"""

import gzip
import socket
from collections.abc import Callable, Iterator, Sequence

import httpx
import msgspec
import pytest

from shared.ids import StoreId
from shared.protocol.message import BODY_BYTES_MAX, CONTENT_TYPE, PROTOCOL, PUSH_ENTRIES_MAX
from sync_server.bootstrap import initialise, open_services
from tests.support.limited_server import SHORT
from tests.support.servers import Child, peak_bytes, reset_peak, server_child
from tests.support.till_writer import Line, TillWriter

PATIENCE = 20_000
"""Pushes after which a client that is still there counts as one that is never cut."""
HEAD = (
    b"POST /v1/sync/push HTTP/1.1\r\nHost: t\r\nContent-Type: application/msgpack\r\n"
    b"Content-Length: 1000000\r\n\r\n"
)


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Child, str]]:
    """The server, and a code to enrol a till with."""
    folder = tmp_path_factory.mktemp("beset") / "server"
    initialise(folder)
    with open_services(folder) as services:
        store = services.stores.add_store("Main Street", "UTC")
        till = services.stores.add_till(StoreId(store.store_id), "1")
        code = services.enrolment.issue_code(till.till_id)
    with server_child(folder, module="tests.support.limited_server") as started:
        yield started, code


class Shop:
    """A till that pushes, and remembers how often it was answered."""

    def __init__(self, line: Line, till: TillWriter) -> None:
        self._line = line
        self._till = till
        self.pushes = 0

    def push(self) -> None:
        """One more sale reaches the server."""
        self._till.sell(100)
        start = len(self._till.entries) - 1
        assert self._line.push(self._till, start).next_seq == start + 1
        self.pushes += 1


@pytest.fixture(scope="module")
def shop(child: tuple[Child, str]) -> Iterator[Shop]:
    """A till on another address than the attackers'."""
    transport = httpx.HTTPTransport(local_address="127.0.0.9")
    with httpx.Client(base_url=child[0].url, timeout=60, transport=transport) as client:
        line = Line(client)
        yield Shop(line, line.enrol(child[1]))


@pytest.fixture
def dial(child: tuple[Child, str]) -> Iterator[Callable[..., socket.socket]]:
    """Opens connections to the server from an address."""
    port = int(child[0].url.rpartition(":")[2])
    opened: list[socket.socket] = []

    def open_one(address: str = "127.0.0.2", receive_bytes: int | None = None) -> socket.socket:
        dialled = socket.socket()
        if receive_bytes:
            dialled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        dialled.bind((address, 0))
        dialled.connect(("127.0.0.1", port))
        opened.append(dialled)
        return dialled

    yield open_one
    for each in opened:
        each.close()


def is_cut(connection: socket.socket, piece: bytes) -> bool:
    """Whether the server has cut a connection; it is sent a piece otherwise."""
    try:
        connection.sendall(piece)
        connection.setblocking(False)
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)


def outlast(shop: Shop, attackers: Sequence[socket.socket], piece: bytes) -> None:
    """Push until all of them are cut."""
    alive, before = list(attackers), shop.pushes
    while alive:
        shop.push()
        alive = [each for each in alive if not is_cut(each, piece)]
        assert shop.pushes - before < PATIENCE, f"{len(alive)} are never cut"
    assert shop.pushes > before


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(b"", b""), (b"GET /v1/hello HTTP/1.1\r\n", b"x"), (HEAD, b""), (HEAD, b"x")],
    ids=["silent", "slow-head", "stopped-body", "slow-body"],
)
def test_who_sends_a_request_too_slowly_is_cut(
    shop: Shop, dial: Callable[..., socket.socket], beginning: bytes, piece: bytes
) -> None:
    attackers = [dial() for _ in range(SHORT.per_address)]
    for each in attackers:
        each.sendall(beginning)

    outlast(shop, attackers, piece)


def test_a_second_request_has_the_same_limits(
    shop: Shop, dial: Callable[..., socket.socket]
) -> None:
    connection = dial()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /hea")
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    while b'"ok"' not in connection.recv(4096):
        pass

    outlast(shop, [connection], b"x")


def test_who_does_not_read_the_answer_is_cut(
    shop: Shop, dial: Callable[..., socket.socket]
) -> None:
    connection = dial(receive_bytes=4096)
    request = b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n"
    connection.setblocking(False)
    before = shop.pushes
    while True:
        shop.push()
        try:
            connection.send(request * 50)
        except BlockingIOError:
            pass
        except OSError:
            break  # cut: what was never read is gone with the connection
        assert shop.pushes - before < PATIENCE


def test_one_address_has_so_many_connections_and_leaves_others_theirs(
    shop: Shop, dial: Callable[..., socket.socket]
) -> None:
    mine = [dial("127.0.0.3") for _ in range(3 * SHORT.per_address)]
    for each in mine:
        each.settimeout(60)
    asked = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"

    answered = [serves(each, asked) for each in mine]
    shop.push()

    assert answered.count(True) == SHORT.per_address
    assert serves(dial("127.0.0.4"), asked)
    for each in mine:
        each.close()
    while not serves(dial("127.0.0.3"), asked):  # places come free as they are given up
        shop.push()


def serves(connection: socket.socket, request: bytes) -> bool:
    """Whether a connection is answered."""
    try:
        connection.sendall(request)
        return connection.recv(15) == b"HTTP/1.1 200 OK"
    except OSError:
        return False


def test_who_goes_on_sending_what_was_refused_is_cut(
    shop: Shop, dial: Callable[..., socket.socket]
) -> None:
    connection = dial()
    connection.sendall(HEAD.replace(b"1000000", b"100000000000"))
    assert connection.recv(12) == b"HTTP/1.1 413"

    outlast(shop, [connection], b" " * 8192)


def packed(**fields: object) -> bytes:
    """A push with only so much of it."""
    return msgspec.msgpack.encode({"protocol": PROTOCOL, **fields})


def many(name: str, element: bytes) -> bytes:
    """A push whose array fills the whole body with one small element."""
    head = b"\x82\xa8protocol" + bytes([PROTOCOL]) + msgspec.msgpack.encode(name) + b"\xdd"
    count = (BODY_BYTES_MAX - len(head) - 4) // len(element)
    return head + count.to_bytes(4, "big") + element * count


GIGABYTE_IN_GZIP = gzip.compress(bytes(1 << 26), 9) * 16
"""Sixteen members of one stream: 1 MB that become 1 GiB."""
ATTACHMENT = b"\x83\xa2id\xa1x\xa4salt\xc4\x02xx\xa7content\xc4\x02xx"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (GIGABYTE_IN_GZIP, {"Content-Encoding": "gzip"}, 415),
        (GIGABYTE_IN_GZIP, {"Content-Encoding": "identity, gzip"}, 415),
        (b"\xdd\xff\xff\xff\xff", {}, 400),
        (b"\xc6\xff\xff\xff\xff", {}, 400),
        (b"\xdf\xff\xff\xff\xff", {}, 400),
        (b"\x91" * BODY_BYTES_MAX, {}, 400),
        (b"\x81\xa1x" * (BODY_BYTES_MAX // 3), {}, 400),
        (many("entries", b"\xc4\x02xx"), {}, 413),
        (many("attachments", ATTACHMENT), {}, 413),
        (packed(entries=[b"[" * 65_000] * PUSH_ENTRIES_MAX)[:BODY_BYTES_MAX], {}, 400),
    ],
    ids=[
        *("gzip", "hidden-gzip", "array-claim", "binary-claim", "map-claim"),
        *("nested", "nested-maps", "many-entries", "many-attachments", "cut-off"),
    ],
)
def test_a_bomb_is_refused_before_it_is_unpacked(
    shop: Shop, child: tuple[Child, str], body: bytes, headers: dict[str, str], status: int
) -> None:
    assert len(body) <= BODY_BYTES_MAX
    shop.push()
    pid = child[0].process.pid
    before = reset_peak(pid)

    sent = {"Content-Type": CONTENT_TYPE, **headers}
    answers = [
        httpx.post(f"{child[0].url}/v1/sync/push", content=body, headers=sent, timeout=60)
        for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [status] * 3
    assert peak_bytes(pid) - before < 6 * BODY_BYTES_MAX
    shop.push()
