"""Frames of the PN532 on its serial line (HSU). Pure.

``00 00 FF LEN LCS TFI … DCS 00``: LEN + LCS and TFI + data + DCS are 0 modulo 256; TFI is D4 from
the host, D5 to it. ACK is ``00 00 FF 00 FF 00``. Source: NXP UM0701-02, 6.2.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START: Final = b"\x00\xff"
ACK: Final = b"\x00\x00\xff\x00\xff\x00"
NACK: Final = b"\x00\x00\xff\xff\x00\x00"
WAKE_UP: Final = b"\x55\x55" + bytes(14)
"""Two dummy bytes and a pause of zeros bring it out of its sleep (UM0701-02, 7.2.11)."""
FROM_HOST: Final = 0xD4
TO_HOST: Final = 0xD5
DATA_BYTES_MAX: Final = 254
HELD_BYTES_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The command arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the command's code plus one, and what follows. Kept out of logs."""

    code: int
    data: bytes

    def __repr__(self) -> str:
        return f"Answer(code={self.code:#04x}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Refused:
    """The command had an error in its syntax, or the frame arrived broken."""


Frame = Acknowledged | Answer | Refused


def encode(code: int, parameters: bytes = b"", *, identifier: int = FROM_HOST) -> bytes:
    """One command as a frame."""
    data = bytes([identifier, code]) + parameters
    assert len(data) <= DATA_BYTES_MAX
    head = bytes([len(data), -len(data) & 0xFF])
    return b"\x00" + START + head + data + bytes([-sum(data) & 0xFF, 0])


class FrameReader:
    """Collects bytes until a frame is whole; noise and broken frames are passed over."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now."""
        self._held += data
        del self._held[: max(0, len(self._held) - HELD_BYTES_MAX)]
        while (start := self._held.find(START)) >= 0:
            del self._held[:start]
            if len(self._held) < 4:
                return
            frame, used = self._read(bytes(self._held))
            if not used:
                return
            del self._held[:used]
            if frame is not None:
                yield frame

    @staticmethod
    def _read(held: bytes) -> tuple[Frame | None, int]:
        """A frame at the very start and its length; length 0 while bytes are missing, no frame
        where it is broken: then the search goes on behind its start code."""
        length, check = held[2], held[3]
        if (length, check) == (0x00, 0xFF):
            return Acknowledged(), 4
        if (length, check) == (0xFF, 0x00):
            return Refused(), 4
        if (length + check) & 0xFF or not length:
            return None, 2
        if len(held) < 5 + length:
            return None, 0
        body, sum_check = held[4 : 4 + length], held[4 + length]
        if (sum(body) + sum_check) & 0xFF:
            return None, 2
        if body == b"\x7f":
            return Refused(), 5 + length
        if body[0] != TO_HOST or length < 2:
            return None, 5 + length
        return Answer(body[1], body[2:]), 5 + length
