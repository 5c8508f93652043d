"""Plants one bug in a scratch copy of the tree and asks the fitting tests."""

import re
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutants.table import Mutant

LEFT_OUT: Final = (".git", ".venv", "build", "dist", "node_modules", "__pycache__", ".*_cache")
SECONDS_MAX: Final = 600
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
        return tested(mutant.tests, scratch)
    finally:
        file.write_text(sound, encoding="utf-8")


def tested(tests: tuple[str, ...], scratch: Path) -> Verdict:
    """Run tests in a copy until the first fails."""
    # Bytecode would outlive a change that keeps a file's size and second.
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", *tests]
    try:
        ran = subprocess.run(
            command, cwd=scratch, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return Verdict(Outcome.BROKEN, f"no end within {SECONDS_MAX} s")
    if ran.returncode == 0:
        return Verdict(Outcome.SURVIVED, "")
    failed = FAILED.search(ran.stdout)
    if ran.returncode == 1 and failed:
        return Verdict(Outcome.CAUGHT, failed[1].removeprefix("tests/"))
    return Verdict(Outcome.BROKEN, (ran.stdout + ran.stderr)[-600:])
