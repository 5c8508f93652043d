"""Lives that end by SIGKILL: a warm process that forks one after another, and the points they pass.

The warm process imports everything and opens nothing. Each line of its standard input is a life
(JSON arguments); each life's reports and the signal that ended it go to standard output as one line
of JSON. A life reports over a pipe what it had done before it was killed.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

EVERY = "every"
"""A point that kills nowhere: the life reports which points there are."""

Report = Callable[[str, object], None]


class Killer:
    """Counts down to one point and ends the process there."""

    def __init__(self, point: str, skip: int, report: Report) -> None:
        self.point = point
        self._skip = skip
        self._report = report
        self._seen: set[str] = set()
        self.armed = False

    def reach(self, point: str) -> None:
        """Called at every point; does nothing at all but one."""
        if not self.armed:
            return
        if self.point == EVERY and point not in self._seen:
            self._seen.add(point)
            self._report("point", point)
        if point != self.point:
            return
        if self._skip:
            self._skip -= 1
            return
        self._report("point", point)
        os.kill(os.getpid(), signal.SIGKILL)


def watch_statements(engine: Engine, killer: Killer) -> None:
    """Make every statement and commit of an engine a point."""

    def name(statement: str) -> str:
        words = statement.split()
        places = {"insert": 2, "update": 1, "delete": 2}
        verb = words[0].lower()
        return f"{verb}-{words[places[verb]]}" if verb in places else verb

    def before(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        killer.reach(f"before-{name(statement)}")

    def after(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        killer.reach(f"after-{name(statement)}")

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "commit", lambda _connection: killer.reach("before-commit"))


def live(work: Callable[..., None], arguments: list[Any]) -> dict[str, Any]:
    """Fork a life and wait for its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)

        def report(what: str, value: object) -> None:
            os.write(writing, json.dumps([what, value]).encode() + b"\n")

        try:
            work(report, *arguments)
        except BaseException:  # noqa: BLE001 - told to the parent, which fails
            report("error", traceback.format_exc())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        reports = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return {"killed_by": killed_by, "reports": reports}


def live_on_request(work: Callable[..., None]) -> None:
    """A life per line of standard input."""
    for line in sys.stdin:
        print(json.dumps(live(work, json.loads(line))), flush=True)
