"""CAS scales: asked (ENQ, ACK, DC1, one block), or sending 22 bytes unasked.

Asked (AP, PD, ER): SOH STX status sign weight(6) unit(2) BCC ETX EOT; status ``S`` stable, ``U``
not; sign blank, ``-``, or ``F`` overloaded; BCC is the XOR of status to unit. Unasked (CI, NT,
PDS): ``ST,GS,`` device, lamps, ``,`` weight(8) blank unit(2) CR LF; ``US`` not stable, ``OL``
overloaded, ``NT`` net. Sources: CAS NT-200, PDS and CI-600D manuals, "CAS 22 bytes". For the
block of the asked form no manual was found: it is unconfirmed, and was not seen on a real scale.
"""

import re
from functools import reduce
from operator import xor
from typing import Final

from hardware.scale.port import ScaleState
from hardware.scale.talk import (
    ACK,
    DC1,
    ENQ,
    EOT,
    ETX,
    NAK,
    NOTHING,
    SOH,
    STX,
    Found,
    Held,
    Step,
    weight_of,
)

BLOCK_BYTES: Final = 15
STREAM_BYTES: Final = 22
STREAM: Final = re.compile(
    rb"(ST|US|OL),(?:GS|NT),..,([-+ \d.]{8}) ?( ?kg| ?g|lb|oz| ?t) ?\r\n", re.DOTALL
)


def block_check(data: bytes) -> int:
    """The XOR of all bytes."""
    return reduce(xor, data, 0)


class CasAsked:
    """One weighing of a scale that is asked."""

    def __init__(self) -> None:
        self._held = Held()
        self._is_ready = False

    def begin(self) -> bytes:
        """Ask whether it is there."""
        return ENQ

    def feed(self, data: bytes) -> Step:
        """ACK is answered by DC1; then the block is read."""
        self._held.add(data)
        if not self._is_ready:
            self._held.skip_to(ACK, NAK)
            if not len(self._held):
                return NOTHING
            if self._held.take(1) == NAK:
                return Step(found=Found(ScaleState.MOTION))
            self._is_ready = True
            return Step(send=DC1)
        return self._block()

    def _block(self) -> Step:
        while True:
            self._held.skip_to(SOH + STX, SOH)
            if len(self._held) < BLOCK_BYTES:
                return NOTHING
            block = bytes(self._held)[:BLOCK_BYTES]
            if _is_whole(block):
                self._held.take(BLOCK_BYTES)
                return Step(found=_read_block(block[2:12]))
            self._held.take(1)


def _is_whole(block: bytes) -> bool:
    framed = block.startswith(SOH + STX) and block.endswith(ETX + EOT)
    return framed and block[12] == block_check(block[2:12])


def _read_block(body: bytes) -> Found:
    status, sign = body[:1], body[1:2]
    if sign == b"F":
        return Found(ScaleState.OVERLOAD)
    if status != b"S":
        return Found(ScaleState.MOTION if status == b"U" else ScaleState.NOISE)
    if sign == b"-":
        return Found(ScaleState.UNDER_ZERO)
    try:
        return weight_of(body[2:8].decode("ascii"), body[8:10].decode("ascii"))
    except UnicodeDecodeError:
        return Found(ScaleState.NOISE)


class CasStream:
    """One weighing of a scale that speaks unasked: the newest whole block counts."""

    def __init__(self) -> None:
        self._held = Held()

    def begin(self) -> bytes:
        """It needs no asking."""
        return b""

    def feed(self, data: bytes) -> Step:
        """The last of the blocks that are whole."""
        self._held.add(data)
        blocks = list(STREAM.finditer(bytes(self._held)))
        if not blocks:
            return NOTHING
        self._held.take(blocks[-1].end())
        return Step(found=_read_stream(blocks[-1]))


def _read_stream(block: re.Match[bytes]) -> Found:
    if block[1] == b"OL":
        return Found(ScaleState.OVERLOAD)
    if block[1] == b"US":
        return Found(ScaleState.MOTION)
    number = block[2].decode("ascii").strip()
    unsigned = number.lstrip("+").strip()
    if number.startswith("-"):
        weight = weight_of(number[1:], block[3].decode("ascii"))
        is_noise = weight.state is ScaleState.NOISE
        return weight if is_noise else Found(ScaleState.UNDER_ZERO)
    return weight_of(unsigned, block[3].decode("ascii"))
