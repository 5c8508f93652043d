"""msgpack for schemathesis: what it generates as bytes, what it reads of answers."""

from typing import Any

import msgspec
import schemathesis

from shared.protocol.message import CONTENT_TYPE

INTEGERS = range(-(2**63), 2**64)


def to_msgpack(value: object) -> bytes:
    """Encode generated data; its binary values become msgpack ``bin``.

    Integers that msgpack has no room for become floats, which no field takes.
    """
    return msgspec.msgpack.encode(_plain(value))


def _plain(value: Any) -> Any:
    # schemathesis wraps bytes in a subclass of str, for JSON Schema knows no bytes.
    if isinstance(value, str):
        data = getattr(value, "data", None)
        return data if isinstance(data, bytes) else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value in INTEGERS else float(value)
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def _readable(value: Any) -> Any:
    """Bytes as text of as many characters: JSON Schema can look at no bytes."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {name: _readable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_readable(each) for each in value]
    return value


@schemathesis.serializer(CONTENT_TYPE)
def serialize(_context: object, value: object) -> Any:
    """Bodies of tills; bytes are sent as they are."""
    return value if isinstance(value, bytes) else to_msgpack(value)


@schemathesis.deserializer(CONTENT_TYPE)
def deserialize(_context: object, response: Any) -> Any:
    """Answers to tills, for the check against their schema."""
    return _readable(msgspec.msgpack.decode(response.content))
