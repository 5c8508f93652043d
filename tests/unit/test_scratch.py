"""Folders in memory do not outlive who made them, however they ended."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKE = """
import os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tests.support import scratch

scratch.MEMORY, scratch.ENOUGH = Path(sys.argv[1]), 0
folder = scratch.scratch_folder()
(folder / "file").write_text("something")
if sys.argv[2] == "pool":
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        theirs = pool.submit(scratch.scratch_folder).result()
        assert theirs.is_dir() and theirs.parent != folder.parent
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def make(root: Path, how: str) -> int:
    command: Sequence[str | Path] = [sys.executable, "-c", MAKE, root, how]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def test_nothing_is_left_by_a_process_and_its_pool(tmp_path: Path) -> None:
    assert make(tmp_path, "pool") == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    assert make(tmp_path, "killed") == -signal.SIGKILL
    assert list(tmp_path.glob("*/*/file"))
    assert make(tmp_path, "ends") == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_uses_stays(tmp_path: Path) -> None:
    living = subprocess.Popen(
        [
            sys.executable,
            "-c",
            MAKE + "\nprint(folder, flush=True); sys.stdin.read()",
            tmp_path,
            "",
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with living:
        assert living.stdout is not None
        folder = Path(living.stdout.readline().strip())
        assert make(tmp_path, "ends") == 0
        assert (folder / "file").exists()
        living.communicate("")
    assert list(tmp_path.iterdir()) == []
