"""Lives that end by SIGKILL: a warm process that forks one after another, and the points they pass.

The warm process imports everything and opens nothing. Each line of its standard input is a life
(JSON arguments); each life's reports and the signal that ended it go to standard output as one line
of JSON. A life reports over a pipe what it had done before it was killed. One that is given a time
instead of a point is killed from outside, wherever it is by then, amid a write of SQLite's too.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, event

HERE = Path(__file__).parent
EVERY = "every"
"""A point that kills nowhere: the life reports which points there are."""
AT_A_TIME = "time"
"""A point that is any moment: ``skip`` says after how many microseconds of work."""

Report = Callable[[str, object], None]


class Killer:
    """Counts down to one point and ends the process there."""

    def __init__(self, point: str, skip: int, report: Report) -> None:
        self.point = point
        self._skip = skip
        self._report = report
        self._seen: set[str] = set()
        self.armed = False

    def arm(self) -> None:
        """What is worth being killed in begins."""
        self.armed = True
        if self.point == AT_A_TIME:
            self._report("working", self._skip)

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


class Lives:
    """From outside: the warm process that forks one life after another."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(HERE.parents[2]), "PATH": "/usr/bin:/bin"},
        )

    def live(self, folder: Path, point: str, skip: int = 0, *more: Any) -> dict[str, Any]:
        """One life on a folder; its reports and what killed it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), point, skip, *more]) + "\n")
        self._process.stdin.flush()
        life: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert told(life, "error") == []
        return life

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()


def told(life: dict[str, Any], what: str) -> list[Any]:
    """What a life reported of one kind, in order."""
    return [value for kind, value in life["reports"] if kind == what]


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
    reports = []
    hangmen: list[threading.Timer] = []
    with os.fdopen(reading, "rb") as pipe:
        for line in pipe:
            reports.append(json.loads(line))
            if reports[-1][0] == "working":
                delay = reports[-1][1] / 1_000_000
                hangmen.append(threading.Timer(delay, os.kill, (child, signal.SIGKILL)))
                hangmen[-1].start()
            if reports[-1][0] == "end":
                _call_off(hangmen)
    _call_off(hangmen)
    _, status = os.waitpid(child, 0)
    killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return {"killed_by": killed_by, "reports": reports}


def _call_off(hangmen: list[threading.Timer]) -> None:
    """Before the child is waited for: its number must not be somebody else's yet."""
    while hangmen:
        hangmen[-1].cancel()
        hangmen.pop().join()


def live_on_request(work: Callable[..., None]) -> None:
    """A life per line of standard input."""
    for line in sys.stdin:
        print(json.dumps(live(work, json.loads(line))), flush=True)
