"""``make torture``: what tills and servers stand, case by case; goes on where it was stopped.

Parts are listed by ``--list``. Progress lies in ``build/torture`` and holds for the state of the
code it was made with. A case that fails is told with the command that repeats it alone.
"""

import argparse
import json
import logging
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import structlog

from tests.mutants.table import ROOT, WHOLE, tree_fingerprint
from tests.torture.part import Part
from tests.torture.parts import PARTS

FOLDER = ROOT / "build" / "torture"
SAVED_EVERY_S = 5.0


class Progress:
    """Which cases of a part have passed with this state of the code."""

    def __init__(self, file: Path, state: str, *, anew: bool) -> None:
        self._file = file
        self._state = state
        self._saved = time.monotonic()
        self.passed: dict[str, bool] = {}
        self.seconds = 0.0
        if file.exists() and not anew:
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["for"] == state:
                self.passed, self.seconds = dict.fromkeys(kept["passed"], True), kept["seconds"]

    def note(self, case: str, seconds: float) -> None:
        """It passed."""
        self.passed[case] = True
        self.seconds += seconds
        if time.monotonic() - self._saved > SAVED_EVERY_S:
            self.save()

    def save(self) -> None:
        """Whole or not at all."""
        self._saved = time.monotonic()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        kept = {
            "for": self._state,
            "seconds": round(self.seconds, 1),
            "passed": list(self.passed),
        }
        fresh.write_text(json.dumps(kept, indent=0), encoding="utf-8")
        fresh.replace(self._file)


def main(arguments: list[str]) -> int:
    """Play what has not passed yet; exit code 1 where a case fails."""
    told = _parser().parse_args(arguments)
    if told.list:
        for part in PARTS.values():
            print(f"{part.name}: {part.about}")
        return 0
    state = tree_fingerprint(ROOT, WHOLE)
    failed = 0
    for name in told.part or PARTS:
        progress = Progress(told.into / f"{name}.json", state, anew=told.anew)
        with PARTS[name]() as part:
            failed += _play(part, progress, told)
    return 1 if failed else 0


def _play(part: Part, progress: Progress, told: argparse.Namespace) -> int:
    cases = [told.case] if told.case else [c for c in part.cases() if c.startswith(told.only)]
    left = [case for case in cases if told.case or case not in progress.passed]
    if told.sample and told.sample < len(left):
        left = sorted(random.Random(0).sample(left, told.sample), key=cases.index)
    failed = 0
    try:
        for case in left:
            began = time.monotonic()
            try:
                part.run(case)
            except Exception:  # noqa: BLE001 - whatever it is, it is this case's verdict
                failed += 1
                traceback.print_exc()
                print(f"again: make torture TORTURE='--part {part.name} --case {case}'", flush=True)
            else:
                progress.note(case, time.monotonic() - began)
    finally:
        progress.save()
    done = sum(case in progress.passed for case in cases)
    figures = f"{part.name}: {done} of {len(cases)} cases passed, {failed} failed"
    print(f"{figures}, {progress.seconds:.0f} s in all. {part.told()}".rstrip(), flush=True)
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this one")
    parser.add_argument("--case", help="only this one, whether it has passed or not")
    parser.add_argument("--only", default="", help="cases that begin so")
    parser.add_argument("--sample", type=int, help="so many of each part that have not passed")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where progress is kept")
    parser.add_argument("--anew", action="store_true", help="forget what has passed")
    return parser


if __name__ == "__main__":
    # Stopped by whatever signal, processes that cases have started end, and progress is kept.
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.default_int_handler)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main(sys.argv[1:]))
