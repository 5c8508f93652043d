"""The server as a process of its own, spoken to by HTTP only."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.errors import EnvironmentFault

STOP_S = 20


class ServerProcess:
    """A server on loopback with a SQLite file in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "evertill.db"

    def prepare(self, seed: dict[str, Any]) -> dict[str, Any]:
        """Make an empty server and put in what the seed document names; returns ids and codes."""
        self._command("init")
        sown: dict[str, Any] = json.loads(
            self._command("seed", "-", given=json.dumps(seed, ensure_ascii=False).encode())
        )
        return sown

    def verify(self) -> dict[str, Any]:
        """What the server itself says about its file, once it has stopped."""
        report: dict[str, Any] = json.loads(self._command("verify", "--json", may_fail=True))
        return report

    def _command(self, *words: str, given: bytes = b"", may_fail: bool = False) -> bytes:
        name, *rest = words
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "sync_server", name, "--data", str(self.folder), *rest],
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode and not may_fail:
            raise EnvironmentFault("server-command-failed", output=done.stderr.decode()[-500:])
        return done.stdout

    def start(self, port: int = 0) -> str:
        """Serve; returns the address once it answers."""
        log = (self.folder / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    *("-m", "sync_server", "serve", "--data", str(self.folder)),
                    *("--port", str(port)),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EnvironmentFault(
                "server-command-failed", output=(self.folder / "server.log").read_text()[-500:]
            )
        self.url = json.loads(line)["url"]
        return self.url

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=STOP_S)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
