"""Keys and commands: whom tills are to believe, and what they are to do."""

from fastapi import APIRouter, Request, Response

from shared.protocol.command import CommandReply, CommandRequest
from shared.protocol.lease import LEASE_BODY_BYTES_MAX
from shared.protocol.message import KeysReply, RekeyReply, RekeyRequest
from sync_server.api.description import SIGNED, describe
from sync_server.api.tills import signed
from sync_server.api.wire import answer
from sync_server.bootstrap import Services
from sync_server.keys.known import all_statements
from sync_server.sync.callers import Former

_COMMANDS = describe(
    CommandRequest, CommandReply, *SIGNED, "wrong-statement", "revoked-server-key", "bad-command"
)


def trust_routes(services: Services) -> APIRouter:
    """The routes under ``/v1`` about keys and commands."""
    router = APIRouter(prefix="/v1", tags=["till"], default_response_class=Response)

    @router.get("/keys", openapi_extra=describe(None, KeysReply))
    def keys() -> Response:
        """All statements about the server's keys; each proves itself."""
        with services.database.reading() as snapshot:
            return answer(KeysReply(statements=tuple(all_statements(snapshot))))

    @router.post(
        "/rekey",
        openapi_extra=describe(RekeyRequest, RekeyReply, *SIGNED, "bad-key"),
    )
    async def rekey(request: Request) -> Response:
        """The next epoch of a till's journal, under a key of its own making."""
        return await signed(
            services,
            request,
            RekeyRequest,
            services.rekeying.rekey,
            former=Former.REPLACED_TOO,
        )

    @router.post("/commands", openapi_extra=_COMMANDS)
    async def commands(request: Request) -> Response:
        """What the till is to do; heard by tills that are trusted no more, too."""
        return await signed(
            services,
            request,
            CommandRequest,
            services.commands.answer,
            limit=LEASE_BODY_BYTES_MAX,
            former=Former.REVOKED_TOO,
        )

    return router
