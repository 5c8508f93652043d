"""The FastAPI application: routes, and the one edge where errors become answers."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import EvertillError, ProtocolError
from sync_server.api import description
from sync_server.api.bodies import BodyBudget
from sync_server.api.errors import STATUS
from sync_server.api.snapshots import snapshot_routes
from sync_server.api.tills import till_routes
from sync_server.api.trust import trust_routes
from sync_server.api.watch import MeasuringMiddleware, Metrics, watch_routes
from sync_server.api.wire import answer_error
from sync_server.bootstrap import Services
from sync_server.web import description as pages_description
from sync_server.web.office import Office, SignInNeeded, to
from sync_server.web.pages import answer_page_error, office_routes, to_sign_in
from sync_server.web.receipts import receipt_routes

log = structlog.get_logger("evertill.api")


def make_application(services: Services) -> FastAPI:
    """The server's HTTP interface on these services."""
    application = FastAPI(
        title="Evertill",
        version="1",
        description="Sync of tills. Bodies are msgpack; docs/protocol.md tells the whole story.",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    metrics = Metrics()
    application.include_router(till_routes(services))
    application.include_router(trust_routes(services))
    application.include_router(snapshot_routes(services))
    application.include_router(watch_routes(services, metrics))
    office = Office(services)
    application.include_router(office_routes(services, office))
    application.include_router(receipt_routes(services, office.environment))
    application.state.office = office
    application.add_middleware(BodyBudget)
    application.add_middleware(MeasuringMiddleware, metrics=metrics)
    application.add_exception_handler(EvertillError, _known_error)
    application.add_exception_handler(SignInNeeded, _sign_in_needed)
    application.add_exception_handler(HTTPException, _http_error)
    application.add_exception_handler(RequestValidationError, _bad_parameter)
    application.add_exception_handler(ClientDisconnect, _gone)
    application.add_exception_handler(DBAPIError, _database_error)
    application.add_exception_handler(Exception, _bug)
    _describe(application)
    return application


async def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EvertillError)
    status = STATUS.get(error.code, 400 if isinstance(error, ProtocolError) else 503)
    response = _refuse(request, error, status)
    log.info("request.refused", route=_route(request), code=error.code, status=response.status_code)
    return response


async def _sign_in_needed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)
    return to_sign_in(error.wanted)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path == "/":
        return to("/office/")
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code)
    known = ProtocolError(code) if code else ProtocolError("bad-message", reason="HTTP")
    response = _refuse(request, known, error.status_code)
    response.headers.update(error.headers or {})  # what may be done instead (Allow), with 405
    return response


async def _bad_parameter(request: Request, _error: Exception) -> Response:
    return _refuse(request, ProtocolError("bad-message", reason="parameter"), 400)


async def _database_error(request: Request, error: Exception) -> Response:
    if isinstance(error, DataError):  # text that no column can hold was asked for
        return _refuse(request, ProtocolError("bad-message", reason="text"), 400)
    log.error("database.failed", route=_route(request), kind=type(error).__name__)
    return await run_in_threadpool(_refuse, request, ProtocolError("unavailable"), 503)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it: the client left amid its request


async def _bug(request: Request, error: Exception) -> Response:
    # Reported with its type only: messages of exceptions may quote personal data.
    log.error("request.failed", route=_route(request), kind=type(error).__name__)
    return _refuse(request, ProtocolError("internal"), 500)


def _route(request: Request) -> str:
    """The pattern of an address, for logs: the address itself is what somebody typed."""
    return getattr(request.scope.get("route"), "path", "other")


def _refuse(request: Request, error: EvertillError, status: int) -> Response:
    """A page in words for browsers, an ErrorReply for tills."""
    if request.url.path.startswith("/office/"):
        return answer_page_error(request.app.state.office, request, error)
    return answer_error(ProtocolError(error.code, **error.fields), status)


def _describe(application: FastAPI) -> None:
    plain = application.openapi

    def openapi() -> dict[str, object]:
        document = plain()
        document["components"] = {
            "schemas": description.components(),
            "securitySchemes": {**description.schemes(), **pages_description.schemes()},
        }
        for operations in document["paths"].values():
            for operation in operations.values():
                # The framework's answer to a wrong parameter, for which there is our own (400).
                operation["responses"].pop("422", None)
        return document

    application.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented hook
