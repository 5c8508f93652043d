"""The messages in OpenAPI terms, from the same types that read them."""

from functools import cache
from typing import Any

import msgspec

from shared.protocol.lease import LeaseAnswer, LeaseReply, LeaseRequest
from shared.protocol.message import (
    CONTENT_TYPE,
    BundleRow,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    GoodsRow,
    Hello,
    LookupReply,
    LookupRequest,
    MemberRow,
    Message,
    OperatorRow,
    PullReply,
    PullRequest,
    PushReply,
    PushRequest,
)
from shared.protocol.snapshot import SnapshotReply, SnapshotRequest

FILE_TYPE = "application/octet-stream"
MESSAGES: tuple[type[Message], ...] = (
    Hello,
    EnrolRequest,
    EnrolReply,
    PushRequest,
    PushReply,
    PullRequest,
    PullReply,
    LookupRequest,
    LookupReply,
    SnapshotRequest,
    SnapshotReply,
    LeaseRequest,
    LeaseReply,
    LeaseAnswer,
    ErrorReply,
    GoodsRow,
    BundleRow,
    OperatorRow,
    MemberRow,
)
_REFERENCE = "#/components/schemas/{name}"


@cache
def components() -> dict[str, Any]:
    """JSON Schemas of all messages; binary fields are msgpack ``bin``."""
    _references, found = msgspec.json.schema_components(
        MESSAGES, schema_hook=_raw, ref_template=_REFERENCE
    )
    return dict(found)


def describe(request: type[Message] | None, reply: type[Message]) -> dict[str, Any]:
    """What a route takes and gives."""
    content = {"content": {CONTENT_TYPE: {"schema": _reference(reply)}}}
    refused = {"content": {CONTENT_TYPE: {"schema": _reference(ErrorReply)}}}
    described: dict[str, Any] = {
        "responses": {
            "200": {"description": reply.__doc__, **content},
            "default": {"description": ErrorReply.__doc__, **refused},
        }
    }
    if request is not None:
        body = {CONTENT_TYPE: {"schema": _reference(request)}}
        described["requestBody"] = {"required": True, "content": body}
    return described


def describe_file() -> dict[str, Any]:
    """What a route gives that answers with a file, or a range of it."""
    refused = {"content": {CONTENT_TYPE: {"schema": _reference(ErrorReply)}}}
    content = {FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "responses": {
            "200": {"description": "The whole file.", "content": content},
            "206": {"description": "The range that was asked for.", "content": content},
            "416": {"description": "The file ends before the range begins."},
            "default": {"description": ErrorReply.__doc__, **refused},
        }
    }


def _reference(kind: type[Message]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _raw(kind: type) -> dict[str, Any]:
    if kind is msgspec.Raw:
        return {"description": "a message of the stream's row type, encoded on its own"}
    raise NotImplementedError(kind)
