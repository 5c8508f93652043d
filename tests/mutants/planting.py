"""Plants one bug in a scratch copy of the tree and asks the fitting tests."""

import os
import re
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutants.table import Mutant

JUDGED: Final = {"EVERTILL_JUDGED_CASES": "10000"}
"""More cases before brute force than a run of all tests has."""
LEFT_OUT: Final = (".git", ".venv", "build", "dist", "node_modules", "__pycache__", ".*_cache")
SECONDS_MAX: Final = 600
STEPS: Final = 150
"""Of a simulated run that looks for a planted bug."""
FAILED_SEED: Final = re.compile(r"^\d+/\d+ (seed \d+: (?!ok ).+)$", re.M)
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)


class Outcome(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    """A test failed, as it should."""
    SURVIVED = "survived"
    """All tests passed: one is missing."""
    ROTTEN = "rotten"
    """Its text is not found exactly once any more."""
    BROKEN = "broken"
    """The tests did not run to an end: it is no bug that could have been shipped."""


class Verdict(NamedTuple):
    """An outcome, and the test that caught it or what pytest said last."""

    outcome: Outcome
    said: str


def copy_tree(root: Path, scratch: Path) -> None:
    """A fresh copy of everything that tests need."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(root, scratch, ignore=shutil.ignore_patterns(*LEFT_OUT))


def verdict_on(mutant: Mutant, scratch: Path) -> Verdict:
    """Plant, test, and mend again."""
    if mutant.places(scratch) != 1:
        return Verdict(Outcome.ROTTEN, f"{mutant.places(scratch)} places in {mutant.file}")
    file = scratch / mutant.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return judged(mutant.tests, mutant.seeds, scratch)
    finally:
        file.write_text(sound, encoding="utf-8")


def judged(tests: tuple[str, ...], seeds: int, scratch: Path) -> Verdict:
    """Ask the tests, then so many runs of the simulation."""
    verdict = tested(tests, scratch) if tests else Verdict(Outcome.SURVIVED, "")
    if verdict.outcome is not Outcome.SURVIVED or not seeds:
        return verdict
    return simulated(seeds, scratch)


def simulated(seeds: int, scratch: Path) -> Verdict:
    """Run the simulation in a copy until the first seed fails; short runs meet most bugs sooner."""
    command = [sys.executable, "-B", "-m", "tests.simulation", "--seeds", str(seeds)]
    command += ["--steps", str(STEPS), "--jobs", "1", "--anew", "--first", "--as-found"]
    ran = _ran(command, scratch)
    if ran is None:
        return Verdict(Outcome.BROKEN, f"no end within {SECONDS_MAX} s")
    if ran.returncode == 0:
        return Verdict(Outcome.SURVIVED, "")
    failed = FAILED_SEED.search(ran.stdout)
    if ran.returncode == 1 and failed:
        return Verdict(Outcome.CAUGHT, f"simulation, {failed[1]}"[:200])
    return Verdict(Outcome.BROKEN, (ran.stdout + ran.stderr)[-600:])


def _ran(command: list[str], scratch: Path) -> subprocess.CompletedProcess[str] | None:
    """A command in a copy; None where it had to be stopped."""
    try:
        return subprocess.run(
            command,
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
            env=os.environ | JUDGED,
        )
    except subprocess.TimeoutExpired:
        return None


def tested(tests: tuple[str, ...], scratch: Path) -> Verdict:
    """Run tests in a copy until the first fails."""
    # Bytecode would outlive a change that keeps a file's size and second.
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", *tests]
    ran = _ran(command, scratch)
    if ran is None:
        return Verdict(Outcome.BROKEN, f"no end within {SECONDS_MAX} s")
    if ran.returncode == 0:
        return Verdict(Outcome.SURVIVED, "")
    failed = FAILED.search(ran.stdout)
    if ran.returncode == 1 and failed:
        return Verdict(Outcome.CAUGHT, failed[1].removeprefix("tests/"))
    return Verdict(Outcome.BROKEN, (ran.stdout + ran.stderr)[-600:])
