"""Health for machines: liveness, readiness, metrics."""

from time import perf_counter
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_server.api.description import refused
from sync_server.backup.durability import last_backup
from sync_server.bootstrap import Services
from sync_server.database.migrate import is_current
from sync_server.database.schema import entries, exceptions, quarantine
from sync_server.database.times import parse_time
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import progress_of
from sync_server.ledger.price_audit import SALES
from sync_server.ledger.return_audit import RETURNS

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What Prometheus may ask, in a registry of this server's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter(
            "evertill_requests", "Requests answered.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "evertill_request_seconds",
            "Time to answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=BUCKETS_S,
        )
        self.entries = Gauge("evertill_entries", "Entries kept.", registry=self.registry)
        self.waiting = Gauge(
            "evertill_quarantined_entries", "Entries in quarantine.", registry=self.registry
        )
        self.exceptions = Gauge("evertill_exceptions", "Exceptions.", registry=self.registry)
        self.unaudited = Gauge(
            "evertill_unaudited_sales", "Sales not priced again yet.", registry=self.registry
        )
        self.unjudged = Gauge(
            "evertill_unjudged_sales", "Sales that cannot be.", registry=self.registry
        )
        self.unaudited_returns = Gauge(
            "evertill_unaudited_returns", "Returns not made again yet.", registry=self.registry
        )
        self.unjudged_returns = Gauge(
            "evertill_unjudged_returns", "Returns that cannot be.", registry=self.registry
        )

        self.backup = Gauge(
            "evertill_last_backup_timestamp_seconds",
            "When the newest copy on another device was made; 0 for none.",
            registry=self.registry,
        )

    def look(self, snapshot: Snapshot) -> None:
        """Take the counts that the database knows."""
        counts = (
            (self.entries, select(func.count()).select_from(entries)),
            (
                self.waiting,
                select(func.count())
                .select_from(quarantine)
                .where(quarantine.c.resolved_at.is_(None)),
            ),
            (self.exceptions, select(func.count()).select_from(exceptions)),
        )
        for gauge, statement in counts:
            gauge.set(snapshot.connection.execute(statement).scalar_one())
        audits = (
            (SALES, self.unaudited, self.unjudged),
            (RETURNS, self.unaudited_returns, self.unjudged_returns),
        )
        for watched, waiting, unjudged in audits:
            progress = progress_of(snapshot, watched)
            waiting.set(progress.waiting)
            unjudged.set(progress.unjudged)
        backup_at = last_backup(snapshot)
        self.backup.set(parse_time(backup_at).timestamp() if backup_at else 0)


class MeasuringMiddleware:
    """Counts requests by the route's pattern, never by an address that may name somebody.

    Every label is one of a few: a client that makes up methods makes no series of them.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and measure it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.requests.labels(method, route, status).inc()
            self.metrics.seconds.labels(method, route).observe(perf_counter() - began)


def watch_routes(services: Services, metrics: Metrics) -> APIRouter:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    router = APIRouter(tags=["watch"])

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "Not ready.", "model": dict[str, str]}})
    def readyz(response: Response) -> dict[str, str]:
        """The database is reachable and at this release's schema."""
        try:
            ready = is_current(services.database)
        except SQLAlchemyError:
            ready = False
        response.status_code = 200 if ready else 503
        return {"status": "ok" if ready else "not ready"}

    @router.get("/metrics", response_class=PlainTextResponse, responses={503: refused()["503"]})
    async def show(_request: Request) -> Response:
        """Figures for Prometheus."""
        await run_in_threadpool(_look, services, metrics)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _look(services: Services, metrics: Metrics) -> None:
    with services.database.reading() as snapshot:
        metrics.look(snapshot)
