"""A shop behind a bad line: a server process, and tills that push, pull and join."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.file import reading
from desktop.store.database import TillFolder
from desktop.store.identity import write_identity
from desktop.store.verification import verify_till
from shared.clock import ManualClock
from shared.errors import EvertillError
from shared.protocol.message import Stream
from sync_server.bootstrap import DATABASE_FILE, initialise, open_services, open_snapshot_desk
from sync_server.database import schema
from sync_server.operators.desk import Role
from sync_server.sync.scopes import count_scopes
from tests.support.enrolled_till import APPLES, GOODS, START
from tests.support.little_chain import TillHere
from tests.support.many_members import write_members
from tests.support.new_till import holdings, opened
from tests.support.scratch import scratch_folder
from tests.support.servers import server_child
from tests.torture.line.proxy import BadLine, Plan, Trouble, Way
from tests.torture.stage import BISCUIT, PROGRAMME, pull_all

KIB = 1024
PUSH_BYTES = 40 * KIB
TRIES_MAX = 6
"""A trouble happens once; more tries than this mean that the till does not come to rest."""


class LineShop:
    """A server with members, its till at work, and folders of tills that have pulled nothing."""

    def __init__(self, line: BadLine, server: Path, working: TillHere, new: Path) -> None:
        self.line = line
        self.server = server
        self.working = working
        self._new = new

    def push(self, trouble: Trouble, way: Way, at: int) -> None:
        """The till sends; what comes of it is at the server once, and the till sold meanwhile."""
        here = self.working
        self._sell_until_full()
        self._until_done(
            Plan(trouble, way, at),
            lambda: self._sync(here),
            lambda: here.sell(BISCUIT),
        )
        assert here.till.unsent() == 0
        with reading(self.server / DATABASE_FILE) as connection:
            theirs = connection.execute(
                "SELECT seq, hash FROM entries WHERE journal = ? ORDER BY seq",
                (here.till.identity.journal,),
            ).fetchall()
        with reading(here.folder.database) as connection:
            ours = connection.execute("SELECT seq, hash FROM entries ORDER BY seq").fetchall()
        assert theirs == ours

    def pull(self, trouble: Trouble, at: int, expected: dict[str, list[Any]] | None) -> Any:
        """A new till pulls all; what it holds in the end."""
        with self._joining() as here:
            till = opened(here)

            def pulled() -> bool:
                try:
                    pull_all(till)
                except EvertillError:
                    return False
                return True

            self._until_done(Plan(trouble, Way.DOWN, at), pulled, lambda: None)
            till.close()
            assert verify_till(here.folder).flaws == []
            held = holdings(here.folder)
            assert expected is None or held == expected
            return held

    def fetch(self, trouble: Trouble, at: int) -> int:
        """A till that sells fetches the file of members; how many bytes came in all."""
        with self._joining() as here:
            here.open()
            sold = []

            def sell() -> bool:
                if not sold:
                    sold.append(here.sell(BISCUIT))
                return here.folder.snapshot.exists()

            here.till.puller.gives_way = sell
            server = here.till.connect()

            def fetched() -> bool:
                try:
                    here.till.puller.pull(server, Stream.MEMBERS)
                except EvertillError:
                    return False
                return here.folder.snapshot.exists()

            came = self._until_done(Plan(trouble, Way.DOWN, at), fetched, sell)
            server.close()
            (file,) = (self.server / "snapshots").glob("*.snapshot")
            assert here.folder.snapshot.read_bytes() == file.read_bytes()
            assert sold
            here.till.close()
            return came

    def _until_done(
        self, plan: Plan, step: Callable[[], bool], meanwhile: Callable[[], object]
    ) -> int:
        self.line.counted = {Way.UP: 0, Way.DOWN: 0}
        self.line.plan = plan
        try:
            for _ in range(TRIES_MAX):
                if step():
                    assert plan.is_over, "so much did not come"
                    return self.line.counted[Way.DOWN]
                meanwhile()
        finally:
            self.line.plan = None
        raise AssertionError(f"no end after {TRIES_MAX} tries")

    def _sell_until_full(self) -> None:
        here = self.working
        while self._unsent_bytes() < PUSH_BYTES:
            for number in range(20):
                here.counter.checkout.basket.add(APPLES, grams=500 + number)
            here.counter.checkout.tender_cash()
            here.counter.checkout.finish(here.shift, here.operator_id)

    def _unsent_bytes(self) -> int:
        with reading(self.working.folder.database) as connection:
            found = connection.execute(
                "SELECT TOTAL(LENGTH(bytes)) FROM entries"
                " WHERE seq >= (SELECT acknowledged_seq FROM epochs)"
            )
            return int(found.fetchone()[0])

    @staticmethod
    def _sync(here: TillHere) -> bool:
        here.till.sync.try_once()
        return not here.till.is_offline() and here.till.unsent() == 0

    @contextmanager
    def _joining(self) -> Iterator[TillHere]:
        root = scratch_folder()
        shutil.copytree(self._new, root / "till")
        yield TillHere(TillFolder(root / "till"), ManualClock(START), self.working.operator_id)
        shutil.rmtree(root)


@contextmanager
def line_shop(members: int, *, has_snapshot: bool) -> Iterator[LineShop]:
    """A server process with so many members, behind a line."""
    folder = scratch_folder()
    data = folder / "server"
    initialise(data)
    with open_services(data) as services:
        services.catalogue.put(GOODS)
        services.programme.publish(msgspec.json.encode(PROGRAMME, order="sorted"))
        services.operators.add("王芳", pin="1234", role=Role.MANAGER)
        with services.database.writing(is_bare=True) as work:
            write_members(work, range(members), services.vault.lookup)
            work.connection.execute(schema.scopes.delete())
        count_scopes(services.database)
        store = services.stores.add_store("人民路店", "Asia/Shanghai")
        tills = [services.stores.add_till(store.store_id, f"Till {n}") for n in (1, 2)]
        codes = [services.enrolment.issue_code(till.till_id) for till in tills]
    if has_snapshot:
        with open_snapshot_desk(data) as desk:
            desk.make()
    with server_child(data, log=folder / "server.log") as child, BadLine(child.url) as line:
        folders = [folder / f"till-{number}" for number in (1, 2)]
        for path, code in zip(folders, codes, strict=True):
            _enrol(path, line.url, code)
        operator = _with_programme(folders)
        working = TillHere(TillFolder(folders[0]), ManualClock(START), operator)
        working.open()
        try:
            yield LineShop(line, data, working, folders[1])
        finally:
            working.till.close()
    shutil.rmtree(folder)


def _enrol(path: Path, url: str, code: str) -> None:
    with OpenStore(TillFolder(path)) as store:
        store.enrol(url=url, code=code)
        identity = store.identity()
        assert identity is not None
        moved = msgspec.structs.replace(identity, server_url=url)
        store.writer.run(lambda work: write_identity(work.connection, moved))


def _with_programme(folders: list[Path]) -> Any:
    """Everything but members, so that they can sell."""
    for path in folders:
        till = Till(OpenStore(TillFolder(path)))
        server = till.connect()
        for stream in (Stream.OPERATORS, Stream.PROGRAMME, Stream.CATALOGUE):
            till.puller.pull(server, stream)
        operator = till.operators.all()[0].operator_id
        server.close()
        till.close()
    return operator
