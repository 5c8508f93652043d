"""Snapshots for new tills: which there is, and the bytes of it."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from shared.protocol.snapshot import SnapshotReply, SnapshotRequest
from sync_server.api.description import FILE_TYPE, SIGNED, WITHOUT_BODY, describe, describe_file
from sync_server.api.tills import identify, signed
from sync_server.bootstrap import Services


def snapshot_routes(services: Services) -> APIRouter:
    """The routes under ``/v1/sync/snapshot``."""
    router = APIRouter(prefix="/v1/sync", tags=["till"], default_response_class=Response)

    @router.post("/snapshot", openapi_extra=describe(SnapshotRequest, SnapshotReply, *SIGNED))
    async def snapshot(request: Request) -> Response:
        """The newest snapshot of a stream, if there is one."""
        return await signed(services, request, SnapshotRequest, services.snapshots.answer)

    @router.get("/snapshot/{name}", openapi_extra=describe_file("snapshot-gone", *WITHOUT_BODY))
    async def snapshot_file(request: Request, name: str) -> Response:
        """The bytes of a snapshot, whole or a range of them."""

        def find() -> Path:
            return services.snapshots.file(identify(services, request, b""), name)

        file = await run_in_threadpool(find)
        return FileResponse(file, media_type=FILE_TYPE, headers={"Cache-Control": "no-store"})

    return router
