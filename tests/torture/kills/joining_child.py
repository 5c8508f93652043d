"""A till that pulls everything, from a file of members or page by page, until it is killed."""

from pathlib import Path
from unittest import mock

import structlog

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements
from tests.torture.stage import ROWS_AT_ONCE, pull_all


def join(report: Report, path: str, point: str, skip: int) -> None:
    """One life: open the till and pull, until the point is reached."""
    killer = Killer(point, skip, report)
    with mock.patch("desktop.sync.pull.SLICE_ROWS", ROWS_AT_ONCE):
        till = Till(OpenStore(TillFolder(Path(path))), Surroundings(language="en"))
        watch_statements(till.store.writer._engine, killer)
        killer.arm()
        pull_all(till)
        report("end", None)
        till.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    live_on_request(join)
