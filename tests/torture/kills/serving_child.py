"""A server that takes pushes at once until it is killed at a named point or at any time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import structlog

from shared.clock import SystemClock
from shared.protocol.message import PushRequest
from sync_server.bootstrap import open_services
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements


def take(report: Report, folder: str, point: str, skip: int, requests: list[str]) -> None:
    """One life: open the database, take the pushes, say what was acknowledged."""
    killer = Killer(point, skip, report)
    with open_services(Path(folder), clock=SystemClock()) as services:
        watch_statements(services.database.engine, killer)

        def push(request: str) -> None:
            decoded = msgspec.msgpack.decode(bytes.fromhex(request), type=PushRequest)
            reply = services.ingest.push(decoded)
            killer.reach("before-reply")
            report("acknowledged", [decoded.journal, reply.next_seq])

        killer.arm()
        with ThreadPoolExecutor(len(requests)) as pool:
            list(pool.map(push, requests))
        killer.armed = False
        report("end", None)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    live_on_request(take)
