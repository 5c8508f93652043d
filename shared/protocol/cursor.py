"""Opaque cursors and page checksums of a pull."""

import base64
import binascii
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from shared.errors import ProtocolError
from shared.protocol.message import Stream
from shared.protocol.replica import Scope, row_hash

OTHER_REGION: Final = "region"
"""Why no page follows a cursor though its generation goes on."""


class Cursor(NamedTuple):
    """Where a till stands in a stream; opaque to it. A restored server starts a new generation."""

    stream: Stream
    generation: str
    server_seq: int


def encode_cursor(cursor: Cursor) -> str:
    """The text a till stores and sends back."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode()


def decode_cursor(text: str) -> Cursor:
    """Read a cursor back; ProtocolError ``bad-cursor`` for anything else."""
    try:
        encoded = base64.urlsafe_b64decode(text.encode("ascii"))
        return msgspec.msgpack.decode(encoded, type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise ProtocolError("bad-cursor") from error


def checksum(rows: Iterable[bytes]) -> str:
    """16 hex digits: the sum modulo 2^64 of the first 8 bytes of each row's SHA-256.

    A sum, so that it does not depend on the order and can be kept up row by row.
    """
    return Scope(total=sum(map(row_hash, rows)) % 2**64).checksum
