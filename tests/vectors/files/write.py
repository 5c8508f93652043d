"""Made the files of a release: a till's folder, a server's folder, and a push not sent yet.

``python tests/vectors/files/write.py FOLDER``. Run once per release; what it made is never made
again, because later releases must read exactly these bytes.
"""

import contextlib
import sys
from pathlib import Path

import msgspec

from desktop.bootstrap import OpenStore, Till
from desktop.store.database import TillFolder
from desktop.sync.http import ServerConnection
from shared.clock import SystemClock
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import PushReply, PushRequest
from shared.trade.fact import CashCount
from sync_server.bootstrap import initialise
from sync_server.operators.desk import Role
from tests.support.enrolled_till import GOODS
from tests.support.servers import serve_here


class Recorder(ServerConnection):
    """Writes a push down instead of sending it."""

    def __init__(self, file: Path) -> None:
        super().__init__("http://127.0.0.1:9")
        self._file = file

    def push(self, request: PushRequest) -> PushReply:
        """Keep the bytes; the line is cut before an answer."""
        self._file.write_bytes(msgspec.msgpack.encode(request))
        raise KeyboardInterrupt


def sell(till: Till, member: str | None = None) -> None:
    """One sale through the services."""
    counter = till.counter()
    operator = till.operators.all()[0].operator_id
    shift = counter.shifts.current() or counter.shifts.open(
        operator, [CashCount(denomination=10_000, pieces=5)]
    )
    counter.scanning.scan("6901285991219")
    counter.scanning.scan("6901668054715")
    if member is not None:
        counter.checkout.basket.attach(till.members.by_phone(member)[0])
    counter.checkout.tender_cash()
    counter.checkout.finish(shift, operator)


def write(folder: Path) -> None:
    """A till with a member, sent sales, and sales that wait."""
    server_folder = folder / "server"
    initialise(server_folder, clock=SystemClock())
    with serve_here(server_folder, clock=SystemClock()) as server:
        services = server.services
        services.catalogue.put(GOODS)
        services.programme.publish(programme_bytes(template("default")))
        services.operators.add("王芳", pin="1234", role=Role.CASHIER)
        store = services.stores.add_store("人民路店", "Asia/Shanghai")
        added = services.stores.add_till(store.store_id, "Till 1")
        opened = OpenStore(TillFolder(folder / "till"))
        with contextlib.closing(opened):
            opened.enrol(
                url=str(server.line.client.base_url),
                code=services.enrolment.issue_code(added.till_id),
            )
        with contextlib.closing(Till(OpenStore(TillFolder(folder / "till")))) as till:
            till.sync.try_once()
            operator = till.operators.all()[0].operator_id
            till.members.enrol(
                name="王小明", phone="13800138000", operator_id=operator, tier="member"
            )
            sell(till, "13800138000")
            sell(till)
            till.sync.try_once()
            till.sync.disconnect()
            sell(till, "13800138000")
            sell(till)
            with contextlib.suppress(KeyboardInterrupt):
                till.pusher.push_once(Recorder(folder / "push.msgpack"))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
