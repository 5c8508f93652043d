"""``make mutants``: plants known bugs one by one; each has to be caught by a test.

``python -m tests.mutants [--jobs N] [--anew] [ID …]``. Outcomes are kept in ``build/mutants.json``
for the state of code and tests they are true for, so that a run that was stopped goes on where it
was. Exit code 1 when a mutant survives, has rotted or does not run.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.mutants.planting import Outcome, copy_tree, judged, verdict_on
from tests.mutants.table import PURE, ROOT, WHOLE, Mutant, mutants, tree_fingerprint

BUILD = ROOT / "build"
PROGRESS, SCRATCH = BUILD / "mutants.json", BUILD / "mutants"
Trees = dict[tuple[str, ...], str]
"""A fingerprint for each set of folders."""
SOUND = "sound"
"""Under this key stands which state of the tree passed its tests without any mutant."""


def main(arguments: list[str]) -> int:
    """Run what has no outcome yet and print the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("ids", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (2)")
    parser.add_argument("--anew", action="store_true", help="forget what is known")
    told = parser.parse_args(arguments)
    chosen = [one for one in mutants() if one.id in told.ids or not told.ids]
    trees = {tops: tree_fingerprint(ROOT, tops) for tops in (PURE, WHOLE)}
    known = {} if told.anew else _known()
    waiting = [one for one in chosen if not _is_known(one, known, trees)]
    if waiting:
        copies = [SCRATCH / str(number) for number in range(told.jobs)]
        for copy in copies:
            copy_tree(ROOT, copy)
        if known.get(SOUND) != trees[WHOLE] and not _is_sound(waiting, copies[0]):
            return 1
        known[SOUND] = trees[WHOLE]
        _run(waiting, copies, known, trees)
    return _report(chosen, known)


def _known() -> dict[str, Any]:
    return json.loads(PROGRESS.read_text(encoding="utf-8")) if PROGRESS.exists() else {}


def _is_known(mutant: Mutant, known: dict[str, Any], trees: Trees) -> bool:
    return known.get(mutant.id, {}).get("for") == mutant.fingerprint(trees[mutant.tops])


def _is_sound(waiting: Iterable[Mutant], copy: Path) -> bool:
    """Whether the tests pass without a mutant: otherwise they would catch everything."""
    tests = sorted({test for one in waiting for test in one.tests})
    seeds = max(one.seeds for one in waiting)
    verdict = judged(tuple(tests), seeds, copy)
    if verdict.outcome is not Outcome.SURVIVED:
        print(f"without any mutant: {verdict.outcome}: {verdict.said}")
    return verdict.outcome is Outcome.SURVIVED


def _run(waiting: list[Mutant], copies: list[Path], known: dict[str, Any], trees: Trees) -> None:
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def run(mutant: Mutant) -> dict[str, Any]:
        copy, began = free.get(), time.monotonic()
        try:
            outcome, said = verdict_on(mutant, copy)
        finally:
            free.put(copy)
        seconds = round(time.monotonic() - began, 1)
        state = mutant.fingerprint(trees[mutant.tops])
        return {"outcome": outcome, "said": said, "seconds": seconds, "for": state}

    with ThreadPoolExecutor(len(copies)) as pool:
        running = {pool.submit(run, mutant): mutant for mutant in waiting}
        for number, done in enumerate(as_completed(running), start=1):
            mutant = running[done]
            known[mutant.id] = found = done.result()
            _save(known)
            print(f"{number}/{len(waiting)} {mutant.id}: {found['outcome']} {found['seconds']} s")


def _save(known: dict[str, Any]) -> None:
    BUILD.mkdir(exist_ok=True)
    fresh = PROGRESS.with_suffix(".new")
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
    fresh.replace(PROGRESS)


def _report(chosen: list[Mutant], known: dict[str, Any]) -> int:
    by_file: dict[str, list[str]] = {}
    missed = Table("mutant", "outcome", "what it would do", "said", title="not caught")
    for one in chosen:
        found = known[one.id]
        by_file.setdefault(one.file, []).append(found["outcome"])
        if found["outcome"] != Outcome.CAUGHT:
            missed.add_row(one.id, found["outcome"], one.why, found["said"])
    score = Table("file", "caught", "of", title="planted bugs")
    for file, outcomes in by_file.items():
        score.add_row(file, str(outcomes.count(Outcome.CAUGHT)), str(len(outcomes)))
    caught = len(chosen) - missed.row_count
    score.add_row("[bold]all", f"[bold]{caught}", f"[bold]{len(chosen)}")
    console = Console()
    console.print(score)
    if missed.row_count:
        console.print(missed)
    return 1 if missed.row_count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
