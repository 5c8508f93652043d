"""A server that can be stopped and started on its port, and tills that reach it through a plug.

Everything runs in this process and this thread decides when a till syncs: no sleeps, no races.
"""

import shutil
import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import requests
import uvicorn
from sqlalchemy import Engine

from desktop.bootstrap import Counter, OpenStore, Surroundings, Till
from desktop.reckoning.agreement import Agreement, reckon
from desktop.reckoning.file import read_server, read_till, reading
from desktop.services.returns import ReturnedBy
from desktop.shop.network_plug import NetworkPlug
from desktop.store.database import TillFolder
from desktop.store.identity import write_identity
from desktop.store.members import Member
from desktop.store.sealing import unlock
from desktop.store.tickets import OpenShift
from desktop.store.writer import Writer
from desktop.sync.http import ServerConnection
from shared.clock import ManualClock
from shared.errors import DomainError, EnvironmentFault
from shared.ids import MemberId, OperatorId
from shared.loyalty.bundle import template
from shared.loyalty.programme import Programme
from shared.returning.lines import Wanted
from shared.returning.sold import ReturnableSale
from sync_server.api.application import make_application
from sync_server.api.listening import listen
from sync_server.api.stopping import StoppingServer
from sync_server.bootstrap import DATABASE_FILE, Services, initialise, open_services
from sync_server.operators.desk import Role
from tests.support.enrolled_till import GOODS, START
from tests.support.scratch import scratch_folder
from tests.support.servers import FAST_HASHER

Send = Callable[[ServerConnection, str, str, bytes, dict[str, str]], requests.Response]


class ServerHere:
    """A server in this process that can be stopped and started on the same folder and port."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder = folder
        self._clock = clock
        self._running = ExitStack()
        self.port = 0
        self.services: Services

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.folder / DATABASE_FILE

    def start(self) -> None:
        """Serve, on the port of last time."""
        stack = ExitStack()
        self.services = stack.enter_context(
            open_services(self.folder, clock=self._clock, hasher=FAST_HASHER)
        )
        application = make_application(self.services)
        config = uvicorn.Config(application, log_config=None, access_log=False)
        server = StoppingServer(config, self.services.news)
        listener = listen("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join()
            listener.close()

        stack.callback(end)
        self._running = stack

    def stop(self) -> None:
        """End the server; its files are closed."""
        self._running.close()

    def accepted(self) -> dict[str, int]:
        """How many entries of each journal it has, read from its file."""
        with reading(self.database) as connection:
            rows = connection.execute("SELECT journal, COUNT(*) FROM entries GROUP BY journal")
            return {journal: int(count) for journal, count in rows}


@dataclass
class Weather:
    """What happens to the requests of tills, whichever thread makes them."""

    plug: NetworkPlug
    cut_before: int | None = None
    """The line is cut when this many more requests have gone through."""
    lose_reply_of: str = ""
    """The reply to the next request of this path never arrives, though the server did its work."""
    amid: Callable[[], None] | None = None
    """What the cashier does once while the next reply to a pull is on its way."""
    sent: list[str] = field(default_factory=list)

    def send(self, original: Send) -> Send:
        """A ``ServerConnection._send`` in this weather."""

        def send(
            connection: ServerConnection,
            method: str,
            path: str,
            body: bytes,
            headers: dict[str, str],
        ) -> requests.Response:
            if self.cut_before is not None:
                self.cut_before -= 1
                if self.cut_before < 0:
                    self.cut_before = None
                    self.plug.pull()
            response = original(connection, method, path, body, headers)
            self.sent.append(path)
            if path == "/v1/sync/pull" and (amid := self.amid):
                self.amid = None
                amid()
            if path == self.lose_reply_of:
                self.lose_reply_of = ""
                raise EnvironmentFault("server-timeout", url="lost")
            return response

        return send


@dataclass
class TillHere:
    """One till with its counter; closed and opened again at will."""

    folder: TillFolder
    clock: ManualClock
    operator_id: OperatorId
    around: dict[str, Any] = field(default_factory=dict)
    seals: bool = False
    """Encrypt its files."""
    make_writer: Callable[[Engine], Writer] = Writer
    till: Till = field(init=False)
    counter: Counter = field(init=False)
    shift: OpenShift = field(init=False)

    def open(self) -> None:
        """Start the program."""
        store = OpenStore(self.folder, make_writer=self.make_writer, seals=self.seals)
        self.till = Till(store, Surroundings(clock=self.clock, **self.around))
        self.counter = self.till.counter()
        shifts = self.counter.shifts
        self.shift = shifts.current() or shifts.open(self.operator_id, [])

    @property
    def database_key(self) -> str:
        """What its database is encrypted with; empty where it is plain."""
        key = unlock(self.folder).key
        return key.database if key is not None else ""

    def restart(self) -> None:
        """Close and open the program."""
        self.till.close()
        self.open()

    def sync(self) -> bool:
        """One try; whether it went through."""
        self.till.sync.try_once()
        return not self.till.is_offline()

    def member(self, member_id: MemberId) -> Member | None:
        """The member as shown here."""
        return self.till.members.by_id(member_id)

    def enrol(self, name: str, phone: str = "", card: str = "", birthday: str = "") -> Member:
        """A new member."""
        return self.till.members.enrol(
            name=name,
            phone=phone,
            card=card,
            birthday=birthday,
            operator_id=self.operator_id,
            tier="member",
        )

    def sell(self, *codes: str, member: Member | None = None, points: int = 0) -> Any:
        """Ring up, spend points if told, take cash for the rest."""
        checkout = self.counter.checkout
        checkout.clear()
        if member is not None:
            checkout.basket.attach(self.member(member.member_id))
        for code in codes:
            self.counter.scanning.scan(code)
        if points:
            checkout.tender_points(points)
        checkout.tender_cash()
        return checkout.finish(self.shift, self.operator_id)

    def take_back(self, receipt_no: str, *wanted: tuple[int, int]) -> Any:
        """Return ``(line, quantity)`` pairs of a sale of any till of the chain."""
        by = ReturnedBy(shift=self.shift, operator_id=self.operator_id, reason="changed mind")
        return self.till.returns.take_back(
            self.till.pricing(),
            self._sold(receipt_no),
            [Wanted(line, quantity) for line, quantity in wanted],
            by,
        )

    def _sold(self, receipt_no: str) -> ReturnableSale:
        try:
            return self.till.returns.by_receipt(receipt_no)
        except DomainError:
            return self.till.elsewhere.receipt(receipt_no)


@cache
def _initialised() -> Path:
    """The folder of a server that has just been set up: its schema is made once for all."""
    folder = scratch_folder() / "server"
    initialise(folder, clock=ManualClock(START))
    return folder


@cache
def _enrolled(document: bytes, tills: int) -> Path:
    """A server, and tills that are enrolled and up to date: made once for each programme."""
    folder, clock = scratch_folder(), ManualClock(START)
    shutil.copytree(_initialised(), folder / "server")
    server = ServerHere(folder / "server", clock)
    server.start()
    services = server.services
    services.catalogue.put(GOODS)
    services.programme.publish(document)
    services.operators.add("王芳", pin="1234", role=Role.MANAGER)
    for number in range(1, tills + 1):
        store = services.stores.add_store(f"店{number}", "Asia/Shanghai")
        till = services.stores.add_till(store.store_id, f"Till {number}")
        code = services.enrolment.issue_code(till.till_id)
        with OpenStore(TillFolder(folder / f"till-{number}")) as opened:
            opened.enrol(url=server.url, code=code)
            first = Till(opened, Surroundings(clock=clock))
            assert first.sync.try_once() > 0
            first.sync.disconnect()
    server.stop()
    return folder


def _point_at(folder: TillFolder, url: str) -> None:
    """Let a till ask for its server there."""
    with OpenStore(folder) as opened:
        identity = opened.identity()
        assert identity is not None
        moved = msgspec.structs.replace(identity, server_url=url)
        opened.writer.run(lambda work: write_identity(work.connection, moved))


class LittleChain:
    """A server, a plug for each till, and tills enrolled over HTTP; the files are copies."""

    def __init__(
        self,
        folder: Path,
        *,
        tills: int = 2,
        programme: Programme | None = None,
        sealed: Collection[int] = (),
    ) -> None:
        """``sealed``: the numbers of the tills whose files are encrypted."""
        self.folder = folder
        self._sealed = sealed
        self.clock = ManualClock(START)
        document = msgspec.json.encode(programme or template("default"), order="sorted")
        shutil.copytree(_enrolled(document, tills), folder, dirs_exist_ok=True)
        self.server = ServerHere(folder / "server", self.clock)
        self.server.start()
        (operator,) = self.server.services.operators.all()
        self.operator_id = operator.operator_id
        self.plugs: list[NetworkPlug] = []
        self.tills: list[TillHere] = []
        try:
            for number in range(1, tills + 1):
                self.tills.append(self._open(number))
        except BaseException:
            # Its threads would keep the process alive.
            self.close()
            raise

    def _open(self, number: int) -> TillHere:
        plug = NetworkPlug(self.server.url)
        self.plugs.append(plug)
        folder = TillFolder(self.folder / f"till-{number}")
        _point_at(folder, plug.url)
        here = TillHere(folder, self.clock, self.operator_id, seals=number in self._sealed)
        here.open()
        return here

    def drain(self) -> None:
        """Everything up, everybody synced, twice: the last one's facts reach the first."""
        for plug in self.plugs:
            plug.plug_in()
        for _ in range(2):
            for till in self.tills:
                assert till.sync()
                assert till.till.unsent() == 0

    def close(self) -> None:
        """End all programs."""
        for till in self.tills:
            till.till.close()
        for plug in self.plugs:
            plug.pull()
        self.server.stop()

    def reckon(self) -> Agreement:
        """What the files say; only after ``close``."""
        return reckon(
            [read_till(till.folder.database, till.database_key) for till in self.tills],
            read_server(self.server.database),
        )

    def keep_copy(self, to: Path) -> Path:
        """A copy of all files."""
        return Path(shutil.copytree(self.folder, to))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
