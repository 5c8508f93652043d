"""The interface of tills: handshake, enrolment, push, pull, look-up, leases (docs/protocol.md)."""

from asyncio import Semaphore
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from shared.errors import ProtocolError
from shared.journal.certificate import Certificate
from shared.protocol.lease import LEASE_BODY_BYTES_MAX, LeaseReply, LeaseRequest
from shared.protocol.message import (
    PROTOCOL,
    PROTOCOL_MIN,
    PUSH_BYTES_MAX,
    PUSH_ENTRIES_MAX,
    EnrolReply,
    EnrolRequest,
    Hello,
    LookupReply,
    LookupRequest,
    Message,
    PullReply,
    PullRequest,
    PushReply,
    PushRequest,
    Stream,
    WaitReply,
    WaitRequest,
    spoken,
)
from sync_server.api.description import SIGNED, WITH_BODY, describe
from sync_server.api.wire import MessageType, answer, decode, read_body
from sync_server.bootstrap import Services
from sync_server.database.times import format_time
from sync_server.keys.throttle import Limit
from sync_server.sync.callers import Former

SMALL_BODY_BYTES_MAX = 16 * 1024
UNSENT_MAX = 10**9
GREAT_PUSH_BYTES = 64 * 1024
"""A push of more is of a till that was away."""
GREAT_PUSHES_MAX = 4
"""So many threads work for those at once, so that tills that sell always find one."""
_PUSH_AT_MOST = {"entries": PUSH_ENTRIES_MAX, "attachments": 4 * PUSH_ENTRIES_MAX}
REFUSED_CODES = Limit(count=20, window=timedelta(hours=1))
"""Per address: far more than typing mistakes, far less than guessing 60 bits."""

_ENROL = describe(
    EnrolRequest,
    EnrolReply,
    *WITH_BODY,
    "bad-key",
    "code-refused",
    "code-of-another-till",
    "too-many-attempts",
    links={
        "push": {
            "operationId": "push",
            "requestBody": {"certificate": "$response.body#/certificate"},
        }
    },
)
_PUSH = describe(
    PushRequest,
    PushReply,
    *WITH_BODY,
    *("broken-chain", "wrong-place", "bad-key"),
    *("bad-certificate", "bad-signature", "wrong-statement", "not-strict-json", "unknown-journal"),
    "revoked-server-key",
    *("gap", "unknown-parent"),
    *("push-too-large", "too-many-entries", "entry-too-large"),
    links={
        "leases": {"operationId": "leases"},
        "wait": {"operationId": "wait", "requestBody": {"server_seq": 0}},
    },
)
_PULL = describe(
    PullRequest,
    PullReply,
    *SIGNED,
    "bad-cursor",
    "wrong-statement",
    "revoked-server-key",
    "resync-required",
    links={
        "next": {"operationId": "pull", "requestBody": {"cursor": "$response.body#/cursor"}},
        "wait": {
            "operationId": "wait",
            "requestBody": {"server_seq": "$response.body#/server_seq"},
        },
    },
)
_LEASES = describe(
    LeaseRequest,
    LeaseReply,
    *SIGNED,
    "wrong-statement",
    "revoked-server-key",
    "bad-lease",
    links={
        "again": {
            "operationId": "leases",
            "requestBody": {"generation": "$response.body#/generation"},
        }
    },
)


def till_routes(services: Services) -> APIRouter:
    """The routes under ``/v1``."""
    great_pushes = Semaphore(GREAT_PUSHES_MAX)
    # Routes answer bytes of their own: without this, each would be described as JSON besides.
    router = APIRouter(prefix="/v1", tags=["till"], default_response_class=Response)

    @router.get("/hello", openapi_extra=describe(None, Hello))
    def hello() -> Response:
        """What the server speaks, its time, and a nonce to sign requests with."""
        return answer(
            Hello(
                protocol_min=PROTOCOL_MIN,
                protocol_max=PROTOCOL,
                server_time=format_time(services.clock.now()),
                entries_max=PUSH_ENTRIES_MAX,
                bytes_max=PUSH_BYTES_MAX,
                nonce=services.nonces.issue(),
            )
        )

    @router.post("/enrol", openapi_extra=_ENROL)
    async def enrol(request: Request) -> Response:
        """Turns a one-time code and a public key into a certificate."""
        message = decode(await read_body(request, limit=SMALL_BODY_BYTES_MAX), EnrolRequest)
        address = request.client.host if request.client else ""
        return answer(await run_in_threadpool(_enrol, services, message, address))

    @router.post("/sync/push", openapi_extra=_PUSH)
    async def push(request: Request) -> Response:
        """Takes entries; proves itself by its head signature."""
        body = await read_body(request)
        async with great_pushes if len(body) > GREAT_PUSH_BYTES else nullcontext():
            return answer(await run_in_threadpool(_push, services, body))

    @router.post("/sync/pull", openapi_extra=_PULL)
    async def pull(request: Request) -> Response:
        """The next page of a stream."""
        return await signed(
            services,
            request,
            PullRequest,
            lambda caller, message: _pull(services, caller, message),
        )

    @router.post("/sync/wait", openapi_extra=describe(WaitRequest, WaitReply, *SIGNED))
    async def wait(request: Request) -> Response:
        """Answers when there is something new to pull, or when the time is over."""
        body = await read_body(request, limit=SMALL_BODY_BYTES_MAX)
        await run_in_threadpool(identify, services, request, body)
        message = decode(body, WaitRequest)
        newest = await services.news.wait(message.server_seq, message.seconds)
        return answer(WaitReply(server_seq=newest))

    @router.post("/lookup", openapi_extra=describe(LookupRequest, LookupReply, *SIGNED))
    async def lookup(request: Request) -> Response:
        """A member or a receipt."""
        return await signed(
            services,
            request,
            LookupRequest,
            lambda caller, message: _lookup(services, caller, message),
        )

    @router.post("/leases", openapi_extra=_LEASES)
    async def leases(request: Request) -> Response:
        """Rights to spend: asked for, called back."""
        return await signed(
            services, request, LeaseRequest, services.leases.answer, limit=LEASE_BODY_BYTES_MAX
        )

    return router


def _enrol(services: Services, message: EnrolRequest, address: str) -> EnrolReply:
    subject = f"enrol:{address}"
    services.throttle.check(subject, REFUSED_CODES)
    try:
        return services.enrolment.enrol(message)
    except ProtocolError as error:
        if error.code == "code-refused":
            services.throttle.note(subject, REFUSED_CODES)
        raise


async def signed(
    services: Services,
    request: Request,
    kind: type[MessageType],
    handle: Callable[[Certificate, MessageType], Message],
    *,
    limit: int = SMALL_BODY_BYTES_MAX,
    former: Former = Former.REFUSED,
) -> Response:
    """Answer a request that a till has signed."""
    body = await read_body(request, limit=limit)

    def run() -> Message:
        return handle(identify(services, request, body, former), decode(body, kind))

    return answer(await run_in_threadpool(run))


def _lookup(services: Services, caller: Certificate, message: LookupRequest) -> LookupReply:
    return spoken(services.lookup.find(caller, message), message.protocol)


def identify(
    services: Services, request: Request, body: bytes, former: Former = Former.REFUSED
) -> Certificate:
    """Whose request it is; ProtocolError where nobody's signature is right."""
    return services.callers.identify(
        request.headers, method=request.method, path=request.url.path, body=body, former=former
    )


def _push(services: Services, body: bytes) -> PushReply:
    message = decode(body, PushRequest, at_most=_PUSH_AT_MOST)
    return spoken(services.ingest.push(message), message.protocol)


def _pull(services: Services, caller: Certificate, message: PullRequest) -> PullReply:
    # One stream of a round is enough to tell that the till was here.
    if caller.till_id is not None and message.stream is Stream.MEMBERS:
        services.stores.note_contact(caller.till_id, unsent=min(message.unsent, UNSENT_MAX))
    if message.is_mismatched:
        services.pull.note_mismatch(caller, message.stream)
    if message.programme is not None:
        services.programme.outbid(message.programme)
    return spoken(services.pull.page(caller, message), message.protocol)
