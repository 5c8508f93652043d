"""Bodies of the till interface: limits before parsing, msgpack in and out."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from fastapi import Request, Response

from shared.errors import ProtocolError
from shared.protocol.message import (
    BODY_BYTES_MAX,
    CONTENT_TYPE,
    PROTOCOL,
    PROTOCOL_MIN,
    ErrorReply,
    Message,
)

MessageType = TypeVar("MessageType", bound=Message)

_peek: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])


async def read_body(request: Request, *, limit: int = BODY_BYTES_MAX) -> bytes:
    """The whole body; refused by its stated size, or as soon as it grows beyond the limit.

    Raises ProtocolError ``body-too-large``, ``wrong-content-type``.
    """
    if request.headers.get("content-type", "").split(";")[0].strip() != CONTENT_TYPE:
        raise ProtocolError("wrong-content-type", expected=CONTENT_TYPE)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProtocolError("wrong-content-type", expected="identity")
    stated = request.headers.get("content-length", "0")
    if not stated.isascii() or not stated.isdigit() or int(stated[:20]) > limit:
        raise ProtocolError("body-too-large", limit=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ProtocolError("body-too-large", limit=limit)
    return bytes(body)


def decode(
    body: bytes, kind: type[MessageType], *, at_most: Mapping[str, int] | None = None
) -> MessageType:
    """Read a message; ``at_most`` bounds the lengths of some of its arrays.

    Raises ProtocolError ``protocol-unsupported``, ``bad-message``, ``too-many-entries``.
    """
    try:
        fields = _peek.decode(body)
        protocol = msgspec.msgpack.decode(fields.get("protocol", b"\xc0"))
        if type(protocol) is int and not PROTOCOL_MIN <= protocol <= PROTOCOL:
            raise ProtocolError("protocol-unsupported", protocol=protocol, spoken=PROTOCOL)
        for name, limit in (at_most or {}).items():
            if array_length(bytes(memoryview(fields.get(name, b""))[:5])) > limit:
                raise ProtocolError("too-many-entries", limit=limit)
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError("bad-message", reason=str(error)) from error


def array_length(header: bytes) -> int:
    """How many elements a msgpack array says that it has; 0 for what is none.

    Looked at before they are made: a million of them need thirty times the memory of their bytes.
    """
    kind = header[:1]
    if kind == b"\xdc":
        return int.from_bytes(header[1:3], "big")
    if kind == b"\xdd":
        return int.from_bytes(header[1:5], "big")
    return kind[0] & 0x0F if kind and kind[0] & 0xF0 == 0x90 else 0


def answer(message: Message, status: int = 200) -> Response:
    """A message as a response."""
    return Response(
        msgspec.msgpack.encode(message),
        status_code=status,
        media_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def answer_error(error: ProtocolError, status: int) -> Response:
    """An error as a response; ``next_seq`` and ``head_hash`` tell a till where to go on."""
    fields = dict(error.fields)
    next_seq = fields.pop("next_seq", None)
    head_hash = fields.pop("head_hash", None)
    told = {name: value if isinstance(value, int) else str(value) for name, value in fields.items()}
    reply = ErrorReply(
        code=error.code,
        fields=told,
        next_seq=next_seq if isinstance(next_seq, int) else None,
        head_hash=head_hash if isinstance(head_hash, bytes) else None,
    )
    return answer(reply, status)
