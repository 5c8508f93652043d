"""One push from fifty threads to two server processes on one PostgreSQL."""

import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from shared.clock import ManualClock
from sync_server.bootstrap import initialise
from tests.support.scratch import scratch_folder
from tests.support.servers import fresh_database, postgres_server
from tests.support.till_writer import START
from tests.support.two_processes import push_at_once, two_processes
from tests.torture.part import Part

THREADS = 50
SALES = 20
ROUNDS = 40


class SameBatch(Part):
    """Booked once, answered alike."""

    name = "same-batch"
    about = f"one push from {THREADS} threads to two server processes on one PostgreSQL"

    def _open(self, shared: ExitStack) -> None:
        cluster = shared.enter_context(postgres_server(secrets.token_hex(4)))
        url = shared.enter_context(fresh_database(cluster))
        first = scratch_folder() / "first"
        initialise(first, url=url, clock=ManualClock(START))
        second = Path(shutil.copytree(first, first.with_name("second")))
        self._pair = shared.enter_context(two_processes([first, second], tills=ROUNDS))

    def cases(self) -> list[str]:
        return [str(number) for number in range(ROUNDS)]

    def run(self, case: str) -> None:
        push_at_once(self._pair, self._pair.tills[int(case)], threads=THREADS, sales=SALES)
