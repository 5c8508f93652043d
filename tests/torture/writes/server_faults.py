"""Transactions of a server on SQLite, on disks that fail."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from shared.clock import ManualClock
from shared.errors import EvertillError
from shared.ids import MemberId
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.lease import LeaseAsk, LeaseRequest
from shared.protocol.message import PROTOCOL
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import Services, initialise, open_services
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.ledger.audit_job import progress_of
from tests.mutants.table import ROOT
from tests.simulation.randomness import RandomSource, seeded
from tests.support.scratch import scratch_folder
from tests.support.servers import FAST_HASHER, serve_here
from tests.support.till_writer import START, TillWriter
from tests.torture.stage import PROGRAMME
from tests.torture.writes.disk import Contents, Cut, Disk, Failure, lay_down
from tests.torture.writes.faults import Drive, Recording, WriteFaults

RELEASE: Final = ROOT / "tests/vectors/files/release-1/server"
NAME: Final = "Han Meimei"
"""Of the member who is erased, and of nobody else."""
EARNED: Final = 300
"""Points of the member, as the server has them before anything is done."""


@dataclass(frozen=True)
class Chain:
    """A server's folder and a till that has something to push."""

    folder: Path
    till: TillWriter
    member: MemberId
    pushed: int
    """Entries that the server has."""


@dataclass
class Serving:
    """A server that is open, in a scene."""

    chain: Chain
    services: Services


Do = Callable[[Serving], None]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """``act`` is acknowledged as a whole; ``holds`` says whether it was done, and is right."""

    name: str
    act: Do
    holds: Callable[[Serving], bool]
    folder: Callable[[Chain], Path] = lambda chain: chain.folder
    opens: bool = True
    is_gone: bytes = b""
    """What must be in no file once it is acknowledged."""


def _push(serving: Serving) -> None:
    till = serving.chain.till
    reply = serving.services.ingest.push(till.push_request(serving.chain.pushed))
    assert reply.next_seq == len(till.entries)


def _is_pushed(serving: Serving) -> bool:
    till, kept = serving.chain.till, _kept_of(serving)
    assert kept == [entry.hash for entry in till.entries][: len(kept)]
    assert len(kept) in {serving.chain.pushed, len(till.entries)}, "half a push was kept"
    return len(kept) == len(till.entries)


def _kept_of(serving: Serving) -> list[bytes]:
    with serving.services.database.reading() as snapshot:
        statement = (
            select(schema.entries.c.hash)
            .where(schema.entries.c.journal == serving.chain.till.journal)
            .order_by(schema.entries.c.seq)
        )
        return list(snapshot.connection.execute(statement).scalars())


def _lease(serving: Serving) -> None:
    ask = LeaseAsk(account="points", owner=serving.chain.member)
    request = LeaseRequest(protocol=PROTOCOL, asks=(ask,))
    reply = serving.services.leases.answer(serving.chain.till.certificate, request)
    assert reply.answers[0].granted is not None


def _is_leased(serving: Serving) -> bool:
    with serving.services.database.reading() as snapshot:
        found = snapshot.connection.execute(select(schema.leases)).all()
    assert len(found) <= 1
    assert all(row.amount <= EARNED for row in found)
    return bool(found)


def _audit(serving: Serving) -> None:
    serving.services.audit.run()
    serving.services.returns_audit.run()


def _is_audited(serving: Serving) -> bool:
    waiting = 0
    with serving.services.database.reading() as snapshot:
        for job in (serving.services.audit, serving.services.returns_audit):
            waiting += progress_of(snapshot, job.judge.watched).waiting
    return waiting == 0


def _erase(serving: Serving) -> None:
    serving.services.erasure.erase(serving.chain.member, reason="asked")


def _is_erased(serving: Serving) -> bool:
    with serving.services.database.reading() as snapshot:
        statement = select(schema.members.c.gone, schema.members.c.name).where(
            schema.members.c.member_id == serving.chain.member
        )
        row = snapshot.connection.execute(statement).one()
    assert bool(row.gone) == (row.name != NAME), "half an erasure"
    return bool(row.gone)


def _publish(serving: Serving) -> None:
    serving.services.programme.publish(programme_bytes(template("plain")))


def _is_published(serving: Serving) -> bool:
    with serving.services.database.reading() as snapshot:
        versions = snapshot.connection.execute(select(schema.bundles.c.version)).scalars().all()
    assert sorted(versions) == list(range(1, len(versions) + 1))
    return len(versions) > 1


SCENES: Final = {
    scene.name: scene
    for scene in (
        Scene(name="push", act=_push, holds=_is_pushed),
        Scene(name="lease", act=_lease, holds=_is_leased),
        Scene(name="audit", act=_audit, holds=_is_audited),
        Scene(name="erasure", act=_erase, holds=_is_erased, is_gone=NAME.encode()),
        Scene(name="programme", act=_publish, holds=_is_published),
        Scene(
            name="server-migration",
            act=lambda _serving: None,
            holds=lambda _serving: True,
            folder=lambda _chain: RELEASE,
            opens=False,
        ),
    )
}


def make_chain() -> Chain:
    """A server that has taken some, and a till with more."""
    folder = scratch_folder() / "server"
    initialise(folder, clock=ManualClock(START))
    with serve_here(folder, clock=ManualClock(START)) as server:
        server.services.programme.publish(programme_bytes(PROGRAMME))
        till = server.enrol_till()
        member = till.enrol_member(MemberProfile(name=NAME, phone="13900139000"))
        for _ in range(3):
            sale = till.sell(10_000, member=member, earned=EARNED // 3)
        till.take_back(sale, 10_000, member=member)
        server.line.push(till)
        pushed = len(till.entries)
    for _ in range(4):
        sale = till.sell(700, member=member, earned=7)
    till.take_back(sale, 700)
    till.enrol_member()
    return Chain(folder, till, member, pushed)


def check_gone(scene: Scene, folder: Path) -> None:
    """No trace of it is left in the database's files."""
    for file in folder.glob("evertill.db*"):
        assert not scene.is_gone or scene.is_gone not in file.read_bytes(), file.name


class ServerFaults(WriteFaults[None]):
    """Plays scenes of a server."""

    def __init__(self, chain: Chain, drive: Drive) -> None:
        super().__init__(drive)
        self._chain = chain

    def _record(self, name: str) -> Recording[None]:
        scene = SCENES[name]
        with self._played(scene) as disk, self._serving(scene, disk) as serving:
            scene.act(serving)
            disk.acknowledge(name)
            disk.rest()
            assert scene.holds(serving)
        return Recording(disk, None)

    def _check_image(
        self, name: str, recording: Recording[None], files: Contents, least: int
    ) -> None:
        scene, folder = SCENES[name], scratch_folder() / "server"
        shutil.copytree(scene.folder(self._chain), folder)
        for file in folder.glob("evertill.db*"):
            file.unlink()
        lay_down(files, folder)
        if least:
            check_gone(scene, folder)
        try:
            with seeded(RandomSource("after")), self._opened(folder) as serving:
                assert scene.holds(serving) or not least, "what was acknowledged is gone"
                self._check_goes_on(scene, serving)
        finally:
            shutil.rmtree(folder.parent)

    def _check_goes_on(self, scene: Scene, serving: Serving) -> None:
        """It can be done (again), the books agree, and a till that pushes finds its place."""
        self._check_books(serving)
        if not scene.holds(serving):
            scene.act(serving)
        assert scene.holds(serving)
        if scene.opens:
            _push(serving)
            assert _is_pushed(serving)
        self._check_books(serving)

    @staticmethod
    def _check_books(serving: Serving) -> None:
        with serving.services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []

    def _fail(self, name: str, failure: Failure, at: int) -> None:
        scene = SCENES[name]
        with self._played(scene, failure, at) as disk:
            try:
                with self._serving(scene, disk) as serving:
                    self._act(scene, serving, disk)
            except (DBAPIError, EvertillError):
                if scene.opens or not disk.has_failed:
                    raise
            disk.mend()
            disk.rest()
            if failure is Failure.LOST:
                files = disk.after_cut(len(disk.ops), Cut.TORN, name)
                self._check_image(name, Recording(disk, None), files, len(disk.done))
            with self._opened(disk.folder) as serving:
                assert scene.holds(serving) or not disk.done
                self._check_goes_on(scene, serving)

    def _act(self, scene: Scene, serving: Serving, disk: Disk) -> None:
        try:
            scene.act(serving)
        except (DBAPIError, EvertillError):
            # The API answers 503 to it: the till keeps what it has and comes again.
            if not disk.has_failed:
                raise
            disk.mend()
            scene.act(serving)
        disk.acknowledge(scene.name)
        disk.mend()
        disk.rest()
        assert scene.holds(serving)
        check_gone(scene, disk.folder)

    @contextmanager
    def _played(self, scene: Scene, failure: Failure | None = None, at: int = -1) -> Iterator[Disk]:
        root = scratch_folder()
        disk = Disk(root / "server", failure, at)
        shutil.copytree(scene.folder(self._chain), disk.folder)
        self._drive.disk = disk
        try:
            with seeded(RandomSource(scene.name)):
                yield disk
        finally:
            self._drive.disk = None
            shutil.rmtree(root)

    @contextmanager
    def _serving(self, scene: Scene, disk: Disk) -> Iterator[Serving]:
        for key in (disk.folder / "keys").iterdir():
            key.chmod(0o600)
        if not scene.opens:
            disk.arm()
        with self._opened(disk.folder) as serving:
            if scene.opens:
                disk.arm()
            yield serving

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[Serving]:
        for key in (folder / "keys").iterdir():
            key.chmod(0o600)
        clock = ManualClock(START)
        with open_services(folder, clock=clock, hasher=FAST_HASHER) as services:
            yield Serving(self._chain, services)
