"""One weighing as a conversation: bytes in, bytes and a result out. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from hardware.scale.port import ScaleState

STX, ETX, EOT, ENQ, ACK, SOH = b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x01"
DC1, NAK, ESC, CR = b"\x11", b"\x15", b"\x1b", b"\r"

HELD_BYTES_MAX: Final = 256
"""More than any answer; what comes beyond it pushes the oldest out."""
GRAM_PLACES: Final = {"kg": 3, "g": 0}
NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Found:
    """What a whole answer says; ``grams`` is exact, and set only where STABLE."""

    state: ScaleState
    grams: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What to send next, and the result where the conversation is over."""

    send: bytes = b""
    found: Found | None = None


NOTHING: Final = Step()


class Talk(Protocol):
    """Asks for one weight. ``feed`` takes bytes in any pieces."""

    def begin(self) -> bytes:
        """What to send first; empty for a scale that speaks unasked."""
        ...

    def feed(self, data: bytes) -> Step:
        """What follows from bytes that arrived."""
        ...


def weight_of(digits: str, unit: str) -> Found:
    """An exact weight of unsigned decimal ``digits``, or why there is none.

    Zero is EMPTY; other units and fractions of a gram are UNSUITABLE; what is no number is NOISE.
    """
    whole, dot, fraction = digits.strip().partition(".")
    if (
        not (whole + fraction).isascii()
        or not (whole + fraction).isdecimal()
        or (dot and not whole)
    ):
        return Found(ScaleState.NOISE)
    places = GRAM_PLACES.get(unit.strip().lower())
    if places is None:
        return Found(ScaleState.UNSUITABLE)
    kept, beyond = fraction[:places], fraction[places:]
    if beyond.strip("0"):
        return Found(ScaleState.UNSUITABLE)
    grams = int(whole + kept.ljust(places, "0"))
    return Found(ScaleState.STABLE, grams) if grams else Found(ScaleState.EMPTY)


class Held:
    """Bytes that are not yet a whole answer."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        """Append; the oldest go where there are too many."""
        self._bytes += data
        del self._bytes[: max(0, len(self._bytes) - HELD_BYTES_MAX)]

    def skip_to(self, *starts: bytes) -> None:
        """Drop everything before the first of the bytes with which an answer can begin."""
        places = [place for start in starts if (place := self._bytes.find(start)) >= 0]
        del self._bytes[: min(places, default=len(self._bytes))]

    def take(self, count: int) -> bytes:
        """Remove and return the first bytes."""
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken

    def __len__(self) -> int:
        return len(self._bytes)

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)
