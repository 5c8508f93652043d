"""Outside judges of our print jobs, installed once per checkout by whichever worker is first."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "tests/judges/escpos"
INSTALLED = ROOT / "build/judges/escpos"
FILES = (".npmrc", "decode.js", "encode.js", "package.json", "package-lock.json")


@dataclass(frozen=True)
class Judged:
    """What npos made of a job: ``parts`` in order, text decoded by iconv-lite."""

    error: str | None
    parts: list[dict[str, str]]

    @property
    def text(self) -> str:
        return "".join(part.get("text", "") for part in self.parts)

    @property
    def commands(self) -> list[tuple[str, str]]:
        return [(part["command"], part["hex"]) for part in self.parts if "command" in part]


@contextmanager
def only_one_process(lock: Path) -> Iterator[None]:
    """Parallel test workers take turns; on Windows tests run in one process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415 - POSIX only

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def escpos_judge() -> Path:
    """The folder of the installed judge."""
    stamp = INSTALLED / "installed"
    wanted = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()
    with only_one_process(INSTALLED.parent / "escpos.lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return INSTALLED
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(SOURCE / name, INSTALLED / name)
        npm = shutil.which("npm")
        assert npm, "npm brings the judge: apt-get install npm"
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts"],
            cwd=INSTALLED,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        stamp.write_text(wanted)
    return INSTALLED


@pytest.fixture
def foreign_encoder(escpos_judge: Path) -> object:
    """Makes a job with receiptline or @point-of-sale/receipt-printer-encoder."""

    def encode(name: str) -> bytes:
        done = subprocess.run(
            ["node", "encode.js", name], cwd=escpos_judge, capture_output=True, check=True
        )
        return done.stdout

    return encode


@pytest.fixture
def judge(escpos_judge: Path) -> object:
    """Decodes a job with npos and iconv-lite."""

    def decode(job: bytes) -> Judged:
        done = subprocess.run(
            ["node", "decode.js"],
            cwd=escpos_judge,
            input=job,
            capture_output=True,
            check=True,
            env={**os.environ, "NODE_OPTIONS": "--no-deprecation"},
        )
        found = json.loads(done.stdout)
        return Judged(found["error"], found["parts"])

    return decode
