"""``init`` and ``serve``."""

import json
import signal
import socket
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

if sys.platform != "win32":
    import resource

from shared.collector import settle
from shared.log_words import configure_logging
from sync_server.api.application import make_application
from sync_server.api.connections import ConnectionLimits, limited
from sync_server.api.listening import listen
from sync_server.api.stopping import StoppingServer
from sync_server.background import Repeated
from sync_server.bootstrap import initialise, open_services
from sync_server.commands.options import DataFolder
from sync_server.ledger.audit_job import AUDIT_PAUSE_S
from sync_server.sync.news import News

ADDRESS_FILE = "address.json"
CONNECTIONS_MAX = 5_000
"""Each till has one on which it waits for news, beside that of its requests."""
FILES_BESIDE = 200
"""What the process has open beside connections."""
KEEP_ALIVE_S = 30
LIMITS = ConnectionLimits()
SHUTDOWN_S = 5
THREADS_TURN_S = 0.001
"""How long a thread that reckons keeps others from running. With Python's own 5 ms, which may pass
after each statement, sales beside a backlog waited half as long again (p99 2.2 s to 1.4 s)."""
ALARM_PAUSE_S = 60.0
SNAPSHOT_PAUSE_S = 60.0
"""How soon one is made again after an erasure dropped it."""


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command()(init)
    application.command()(serve)


def init(
    data: DataFolder,
    database: Annotated[
        str | None, typer.Option(help="postgresql+psycopg://…; a SQLite file without it.")
    ] = None,
) -> None:
    """Make keys and an empty database."""
    initialise(data, url=database)


def serve(
    data: DataFolder,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
    per_address: Annotated[
        int, typer.Option(help="Connections that one address may have.", min=1)
    ] = LIMITS.per_address,
) -> None:
    """Serve tills and head office; prints its address as one line of JSON when it is up."""
    configure_logging("info")
    sys.setswitchinterval(THREADS_TURN_S)
    _allow_open_files(CONNECTIONS_MAX + FILES_BESIDE)
    # uvicorn raises the signal again when it has shut down; this lets the database be closed, too.
    signal.signal(signal.SIGTERM, _leave)
    with (
        open_services(data) as services,
        listen(host, port) as listener,
        Repeated(
            "audit",
            services.audit.run_behind,
            services.returns_audit.run_behind,
            services.benefits_audit.run_behind,
            services.cards_audit.run_behind,
            pause_s=AUDIT_PAUSE_S,
        ),
        Repeated("quarantine-alarm", services.quarantine.alarm, pause_s=ALARM_PAUSE_S),
        Repeated("snapshots", services.snapshots.make_if_due, pause_s=SNAPSHOT_PAUSE_S),
        closing(services.snapshots),
    ):
        config = uvicorn.Config(
            make_application(services),
            http=limited(replace(LIMITS, per_address=per_address)),
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        settle()
        server = _AnnouncingServer(config, services.news, data / ADDRESS_FILE, listener)
        server.run(sockets=[listener])


class _AnnouncingServer(StoppingServer):
    """Tells where it listens once it does."""

    def __init__(
        self, config: uvicorn.Config, news: News, file: Path, listener: socket.socket
    ) -> None:
        super().__init__(config, news)
        self._file = file
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        host, port = self._listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        line = json.dumps({"url": f"http://{shown}:{port}", "host": host, "port": port})
        waiting = self._file.with_suffix(".tmp")
        waiting.write_text(line + "\n", encoding="utf-8")
        waiting.replace(self._file)
        typer.echo(line)


def _allow_open_files(count: int) -> None:
    """As many as the system lets this process have, up to so many."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)
