"""What routes take and give in OpenAPI terms, from the same types that read and write it.

Nothing here is a default that fits everything: a route names each code that it refuses with, and
the tests send it what the description allows and what it does not.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from shared.protocol.command import CommandReply, CommandReport, CommandRequest
from shared.protocol.lease import LeaseAnswer, LeaseReply, LeaseRequest
from shared.protocol.message import (
    CONTENT_TYPE,
    PROTOCOL,
    PROTOCOL_MIN,
    BundleRow,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    GoodsRow,
    Hello,
    KeysReply,
    LookupReply,
    LookupRequest,
    MemberRow,
    Message,
    OperatorRow,
    PullReply,
    PullRequest,
    PushReply,
    PushRequest,
    RekeyReply,
    RekeyRequest,
    WaitReply,
    WaitRequest,
)
from shared.protocol.snapshot import SnapshotReply, SnapshotRequest
from sync_server.api.errors import STATUS

FILE_TYPE = "application/octet-stream"
MESSAGES: tuple[type[Message], ...] = (
    Hello,
    EnrolRequest,
    EnrolReply,
    PushRequest,
    PushReply,
    KeysReply,
    RekeyRequest,
    RekeyReply,
    PullRequest,
    PullReply,
    WaitRequest,
    WaitReply,
    LookupRequest,
    LookupReply,
    SnapshotRequest,
    SnapshotReply,
    LeaseRequest,
    LeaseReply,
    LeaseAnswer,
    CommandRequest,
    CommandReport,
    CommandReply,
    ErrorReply,
    GoodsRow,
    BundleRow,
    OperatorRow,
    MemberRow,
)
WITH_BODY: Final = ("bad-message", "body-too-large", "wrong-content-type", "protocol-unsupported")
"""What is refused of any body."""
WITHOUT_BODY: Final = (
    *("unsigned-request", "bad-nonce", "old-nonce", "unknown-key", "revoked-key", "bad-signature"),
    "replaced-key",
)
"""What is refused of a signed request without a body."""
SIGNED: Final = (*WITH_BODY, *WITHOUT_BODY)
"""What is refused of any signed request."""
ANYWHERE: Final = ("internal", "unavailable")
SIGNATURE: Final = "till-signature"
_REFERENCE = "#/components/schemas/{name}"
_REQUESTS = frozenset(kind.__name__ for kind in MESSAGES if kind.__name__.endswith("Request"))


@cache
def components() -> dict[str, Any]:
    """JSON Schemas of all messages; binary fields are msgpack ``bin``."""
    _references, found = msgspec.json.schema_components(
        MESSAGES, schema_hook=_raw, ref_template=_REFERENCE
    )
    for name in _REQUESTS:
        found[name]["properties"]["protocol"] |= {"minimum": PROTOCOL_MIN, "maximum": PROTOCOL}
    return {name: _binary(schema) for name, schema in found.items()}


def describe(
    request: type[Message] | None, reply: type[Message], *refusals: str, links: Any = None
) -> dict[str, Any]:
    """What a route takes, gives, and refuses (codes of ``STATUS``)."""
    answered: dict[str, Any] = {"description": reply.__doc__, "content": _content(reply)}
    if links:
        answered["links"] = links
    described: dict[str, Any] = {"responses": {"200": answered, **refused(*refusals)}}
    if request is not None:
        described["requestBody"] = {"required": True, "content": _content(request)}
    if "unsigned-request" in refusals:
        described["security"] = [{SIGNATURE: []}]
    return described


def describe_file(*refusals: str) -> dict[str, Any]:
    """What a route gives that answers with a file, or a range of it, and what it refuses."""
    content = {FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    words = {"text/plain": {"schema": {"type": "string"}}}
    answers = {
        "200": {"description": "The whole file.", "content": content},
        "206": {"description": "The range that was asked for.", "content": content},
        "400": {"description": "The range cannot be read.", "content": words},
        "416": {"description": "The file ends before the range begins.", "content": words},
    }
    return {"responses": {**answers, **refused(*refusals)}, "security": [{SIGNATURE: []}]}


def refused(*codes: str) -> dict[str, Any]:
    """The refusals of a route by status, each with the codes that it may name."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in (*codes, *ANYWHERE):
        by_status[STATUS[code]].append(f"`{code}`")
    return {
        str(status): {"description": " ".join(named), "content": _content(ErrorReply)}
        for status, named in sorted(by_status.items())
    }


def schemes() -> Mapping[str, Any]:
    """How requests are authenticated."""
    told = "HTTP message signature (RFC 9421) with Signature-Input and Content-Digest; protocol.md."
    return {SIGNATURE: {"type": "apiKey", "in": "header", "name": "Signature", "description": told}}


def _content(kind: type[Message]) -> dict[str, Any]:
    return {CONTENT_TYPE: {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _binary(schema: Any) -> Any:
    """The types' own schemas are of their JSON, where bytes are base64; msgpack has bytes."""
    if isinstance(schema, list):
        return [_binary(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("contentEncoding") == "base64":
        return {"type": "string", "format": "binary"}
    return {name: _binary(each) for name, each in schema.items()}


def _raw(kind: type) -> dict[str, Any]:
    if kind is msgspec.Raw:
        return {"description": "a message of the stream's row type, encoded on its own"}
    raise NotImplementedError(kind)
