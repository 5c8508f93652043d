"""``make simulate SEEDS=n SEED=s``: the real tills and the real server in a world of faults.

A run is drawn from its seed: 2 to 8 tills of up to three stores (``--tills`` up to 50), 400 steps.
Sales with and without members, points spent, coupons used twice, returns here and elsewhere,
stored value paid in, spent by lease and paid out, gift cards sold here and used there, leases taken
back by hand, enrolments with one phone, shifts, look-ups, new tills, programmes, prices, erasures
and upgrades of tills and servers of earlier releases (``releases.py``) meet faults of

* the **line** (``network.py``): requests and replies lost, doubled, weeks late, cut amid the body;
* the **processes** (``machine.py``): till or server dies between any two statements of a
  transaction, before its commit, right after it; a power cut loses the head file's newest slot;
* the **disk**: a database without its newest commits, an older image of a whole till, a clone;
* the **server's backup** (``restoring.py``): it goes on from an older copy, in releases that can;
* the **clocks** (``clocks.py``): each machine's is off, drifts and jumps.

What is real: every service, the writer (its jobs, without its thread), SQLite files on a memory
disk, the sync client, msgpack and signatures, the server's whole ASGI application. What is not: the
socket between them, threads, and the operating system's clock and randomness, which one seed
replaces (``randomness.py``). What survives a crash is what was committed; whether SQLite keeps what
it reported as flushed is not asked here (``tests/torture``). Batches, pages and slices are cut down
to a handful of rows (``world.small_batches``), so that their seams are met in every run.

After every step the till at hand must show each member's points, spend, growth and stored value as
``model.py`` reckons them from the JSON of facts. In the end all lines are healed, everything is
sent, and ``judging.py`` looks: chains, sums, prefixes, folds, rights and what leases allow
(``rights.py``), replicas, paper, what was acknowledged, what was erased. A run of a hundred seeds
or more also fails where a kind of event that ``coverage.py`` expects never happened.

The plan of a run is made before anything happens, and each step has randomness of its own: so a
failing plan is cut down to the fewest steps and faults that still fail. Progress lies in
``build/simulation`` and holds for the state of the code it was made with.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from rich.console import Console

from tests.mutants.table import ROOT, WHOLE, tree_fingerprint
from tests.simulation.coverage import MANY, Coverage
from tests.simulation.plan import STEPS, Plan, draw_plan
from tests.simulation.restoring import faults
from tests.simulation.running import Outcome, play, shrink

FOLDER = ROOT / "build" / "simulation"
PROGRESS, COVERAGE = "progress.json", "coverage.json"


class Played(NamedTuple):
    """A seed with what came of it, as it passes between processes."""

    seed: int
    outcome: Outcome
    coverage: dict[str, dict[str, int]]
    seconds: float
    """Of processor time."""


def main(arguments: list[str]) -> int:
    """Run what has no outcome yet; exit code 1 when a seed fails.

    Many seeds fail together where something that they are expected to show never happened.
    """
    told = _parser().parse_args(arguments)
    state = f"{tree_fingerprint(ROOT, WHOLE)} {told.steps} {told.tills}"
    known = {} if told.anew else _known(told.into, state)
    seeds = [seed for seed in range(told.seed, told.seed + told.seeds) if str(seed) not in known]
    coverage = Coverage()
    for one in known.values():
        coverage.add(one["coverage"]["hits"], one["coverage"]["done"])
    failed = [one for one in known.values() if one["failure"]]
    for number, played in enumerate(_play_all(seeds, told), start=1):
        coverage.add(played.coverage["hits"], played.coverage["done"])
        known[str(played.seed)] = _as_json(played)
        _save(told.into, state, known, coverage)
        word = played.outcome.failure or "ok"
        print(
            f"{number}/{len(seeds)} seed {played.seed}: {word} {played.seconds:.1f} s", flush=True
        )
        if played.outcome.failure:
            failed.append(known[str(played.seed)])
            plan = draw_plan(played.seed, steps=told.steps, tills=told.tills, extra=faults())
            _tell(plan, played, told)
            if told.first:
                break
    Console().print(coverage.table())
    Console().print(coverage.events())
    spent = sum(one["seconds"] for one in known.values())
    if known and spent:
        print(f"{len(known)} seeds, {len(known) / spent:.3f} a second and core; {told.into}")
    never = coverage.missing() if len(known) >= MANY else []
    if never:
        print(f"never happened in {len(known)} seeds: {', '.join(never)}")
    return 1 if failed or never else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=1, help="the first one (1)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each run ({STEPS})")
    parser.add_argument("--tills", type=int, help="in each run (drawn from the seed)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where progress is kept")
    parser.add_argument("--anew", action="store_true", help="forget what is known")
    parser.add_argument("--first", action="store_true", help="end with the first that fails")
    parser.add_argument("--as-found", action="store_true", help="do not shrink what fails")
    return parser


def _play_all(seeds: list[int], told: argparse.Namespace) -> Iterator[Played]:
    one = partial(_play, steps=told.steps, tills=told.tills)
    if told.jobs == 1 or len(seeds) == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(told.jobs, initializer=keep_quiet) as pool:
        yield from pool.map(one, seeds)


def _play(seed: int, *, steps: int, tills: int | None) -> Played:
    coverage, began = Coverage(), time.process_time()
    outcome = play(draw_plan(seed, steps=steps, tills=tills, extra=faults()), coverage)
    return Played(seed, outcome, coverage.as_json(), time.process_time() - began)


def _as_json(played: Played) -> dict[str, Any]:
    return {
        **played.outcome._asdict(),
        "coverage": played.coverage,
        "seconds": round(played.seconds, 2),
    }


def _known(folder: Path, state: str) -> dict[str, Any]:
    file = folder / PROGRESS
    if not file.exists():
        return {}
    kept = json.loads(file.read_text(encoding="utf-8"))
    known: dict[str, Any] = kept["seeds"] if kept["for"] == state else {}
    return known


def _save(folder: Path, state: str, known: dict[str, Any], coverage: Coverage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    contents = {PROGRESS: {"for": state, "seeds": known}, COVERAGE: coverage.as_json()}
    for name, content in contents.items():
        fresh = folder / f"{name}.new"
        fresh.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        fresh.replace(folder / name)


def _tell(plan: Plan, played: Played, told: argparse.Namespace) -> None:
    """How to see it again, and the least that has to happen for it."""
    shape = [f"--steps {told.steps}"] if told.steps != STEPS else []
    shape += [f"--tills {told.tills}"] if told.tills else []
    shown = f" SHAPE={' '.join(shape)!r}" if shape else ""
    print(f"again: make simulate SEEDS=1 SEED={plan.seed}{shown}")
    if told.as_found:
        return
    kind = played.outcome.kind
    shorter = shrink(plan, lambda one: play(one).kind == kind, played.outcome.after)
    lines = [f"{plan.tills} tills; of {len(plan.steps)} steps these are enough:"]
    for step in shorter.steps:
        fault = f" under {step.fault.value}" if step.fault else ""
        what = f"{step.action.value} at {step.till}{fault}"
        lines.append(f"  {step.number}: {what}, {step.wait_s} s later")
    lines.append(play(shorter).failure)
    print("\n".join(lines))
    file = told.into / f"failed-{plan.seed}.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def keep_quiet() -> None:
    """Logs of thousands of faults tell nothing."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    keep_quiet()
    sys.exit(main(sys.argv[1:]))
