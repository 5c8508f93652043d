"""A server that takes one push until it is killed at a named point."""

from pathlib import Path

import msgspec

from shared.clock import SystemClock
from shared.protocol.message import PushRequest
from sync_server.bootstrap import open_services
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements


def take(report: Report, folder: str, point: str, skip: int, request: str) -> None:
    """One life: open the database, take the push, say what was acknowledged."""
    killer = Killer(point, skip, report)
    with open_services(Path(folder), clock=SystemClock()) as services:
        watch_statements(services.database.engine, killer)
        killer.armed = True
        reply = services.ingest.push(
            msgspec.msgpack.decode(bytes.fromhex(request), type=PushRequest)
        )
        killer.reach("before-reply")
        report("acknowledged", reply.next_seq)
        killer.armed = False


if __name__ == "__main__":
    live_on_request(take)
