"""A CUPS server of a test's own, with one raw queue to a printer on TCP."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

QUEUE = "receipts"
PROGRAMS = Path("/usr/lib/cups")
BACKEND = """\
import os, socket, sys
host, port = os.environ["DEVICE_URI"].removeprefix("tcp://").split(":")
document = open(sys.argv[6], "rb").read() if len(sys.argv) > 6 else sys.stdin.buffer.read()
try:
    line = socket.create_connection((host, int(port)))
except OSError:
    sys.exit(1)
with line:
    line.sendall(document)
"""
"""Debian's own TCP backend comes with drivers for all printers there are; this one is as raw."""
CUPSD = "/usr/sbin/cupsd"
START_TRIES = 200


@dataclass(frozen=True)
class Cups:
    """Where it listens, and what can be done to its queue."""

    port: int
    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """One of the tools that come with CUPS, asked to talk to this server."""
        tool = shutil.which(program) or f"/usr/sbin/{program}"
        done = subprocess.run(
            [tool, *arguments],
            env={**os.environ, "CUPS_SERVER": f"127.0.0.1:{self.port}", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (program, done.stderr)
        return done.stdout


def free_port() -> int:
    """A port nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def cups_server(folder: Path, printer: tuple[str, int]) -> Iterator[Cups]:
    """Runs while the context lasts; needs root, as CUPS does to start its backends."""
    port = free_port()
    for name in ("spool/tmp", "cache", "state", "root"):
        (folder / name).mkdir(parents=True)
    programs = folder / "programs"
    (programs / "backend").mkdir(parents=True)
    for name in ("daemon", "notifier"):
        (programs / name).symlink_to(PROGRAMS / name)
    backend = programs / "backend/tcp"
    backend.write_text(f"#!{sys.executable}\n{BACKEND}")
    backend.chmod(0o700)
    (folder / "cupsd.conf").write_text(
        f"Listen 127.0.0.1:{port}\nLogLevel warn\nDefaultAuthType None\nBrowsing No\n"
        "ErrorPolicy retry-job\nJobRetryInterval 1\nMaxLogSize 0\nPageLogFormat\n"
        "<Location />\nOrder allow,deny\nAllow all\n</Location>\n"
        "<Policy default>\nJobPrivateAccess all\nJobPrivateValues none\n"
        "SubscriptionPrivateAccess all\nSubscriptionPrivateValues none\n"
        "<Limit All>\nOrder allow,deny\nAllow all\n</Limit>\n</Policy>\n"
    )
    (folder / "files.conf").write_text(
        f"RequestRoot {folder}/spool\nTempDir {folder}/spool/tmp\nCacheDir {folder}/cache\n"
        f"StateDir {folder}/state\nServerRoot {folder}/root\nServerBin {programs}\n"
        f"ErrorLog {folder}/error.log\nAccessLog {folder}/access.log\nPageLog {folder}/page.log\n"
        "SystemGroup root\nUser lp\nGroup lp\nSandboxing relaxed\n"
    )
    daemon = subprocess.Popen(
        [CUPSD, "-f", "-c", str(folder / "cupsd.conf"), "-s", str(folder / "files.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        cups = Cups(port, folder)
        _wait(daemon, port)
        host, at = printer
        device = f"tcp://{host}:{at}"
        cups.run("lpadmin", "-p", QUEUE, "-E", "-v", device, "-m", "raw")
        yield cups
    finally:
        daemon.terminate()
        daemon.wait()


def _wait(daemon: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(START_TRIES):
        assert daemon.poll() is None, "cupsd does not start"
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("cupsd does not listen")
