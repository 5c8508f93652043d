"""Text in NDEF messages, as member cards carry their number. Pure.

Sources: NFC Forum NDEF 1.0 (records), RTD Text 1.0, Type 2 Tag 1.1 (TLV blocks).
"""

from collections.abc import Iterator
from typing import Final

WELL_KNOWN: Final = 0x01
TEXT: Final = b"T"
MESSAGE_TLV: Final = 0x03
TERMINATOR_TLV: Final = 0xFE
NULL_TLV: Final = 0x00


class _Reader:
    """Takes bytes off a buffer; an end that comes too early is an IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_empty(self) -> bool:
        return self._at >= len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise IndexError("the message ends too early")
        taken, self._at = self._data[self._at : end], end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]


def first_text(message: bytes) -> str | None:
    """The first text record of a message; None where there is none, or the message is broken."""
    try:
        return next(_texts(_Reader(message)), None)
    except (IndexError, UnicodeDecodeError):
        return None


def _texts(reader: _Reader) -> Iterator[str]:
    while not reader.is_empty:
        header = reader.byte()
        type_length = reader.byte()
        length = reader.byte() if header & 0x10 else int.from_bytes(reader.take(4))
        id_length = reader.byte() if header & 0x08 else 0
        kind = reader.take(type_length)
        reader.take(id_length)
        payload = reader.take(length)
        is_chunk = header & 0x20 or header & 0x07 == 0x06
        if header & 0x07 == WELL_KNOWN and kind == TEXT and payload and not is_chunk:
            yield _text(payload)
        if header & 0x40:
            return


def _text(payload: bytes) -> str:
    status = payload[0]
    encoded = payload[1 + (status & 0x3F) :]
    return encoded.decode("utf-16" if status & 0x80 else "utf-8")


def message_of_tag(memory: bytes) -> bytes | None:
    """The NDEF message in the data area of a Type 2 tag (from page 4 on); None without one."""
    reader = _Reader(memory)
    try:
        while not reader.is_empty:
            tag = reader.byte()
            if tag == NULL_TLV:
                continue
            if tag == TERMINATOR_TLV:
                return None
            length = reader.byte()
            if length == 0xFF:
                length = int.from_bytes(reader.take(2))
            value = reader.take(length)
            if tag == MESSAGE_TLV:
                return value
    except IndexError:
        return None
    return None


def message_end(memory: bytes) -> int | None:
    """How many bytes of the data area the message needs; None while that is not to be seen yet."""
    at = 0
    while at + 1 < len(memory):
        tag = memory[at]
        if tag in (NULL_TLV, TERMINATOR_TLV):
            if tag == TERMINATOR_TLV:
                return at + 1
            at += 1
            continue
        length, head = memory[at + 1], 2
        if length == 0xFF:
            if at + 3 >= len(memory):
                return None
            length, head = int.from_bytes(memory[at + 2 : at + 4]), 4
        if tag == MESSAGE_TLV:
            return at + head + length
        at += head + length
    return None
