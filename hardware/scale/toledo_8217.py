"""Toledo 8217: the till asks with ``W``; a weight, or ``?`` with a status byte.

Weight: STX, digits with their point, ``N`` where net, CR. Status bits: 0 motion, 1 over capacity,
2 under zero, 3 outside the zero capture range, 4 centre of zero. The unit is not sent: it is a
setting. Source: status table of Rice Lake BenchPro and Ohaus Courier manuals ("8213/8217").
The line protects each byte by its parity; there is no checksum.
"""

import re
from typing import Final

from hardware.scale.port import ScaleState
from hardware.scale.talk import CR, NOTHING, STX, Found, Held, Step, weight_of

WEIGHT: Final = re.compile(rb"\x02 *(\d{1,6}(?:\.\d{1,4})?) *(?:kg|lb)?N?\r")
STATUS: Final = re.compile(rb"\x02\?(.)\r", re.DOTALL)
LONGEST: Final = 16
POINTLESS_PLACES: Final = 3
"""Where the scale sends no point, the last three digits are grams."""
STATES: Final = (
    (0x02, ScaleState.OVERLOAD),
    (0x04, ScaleState.UNDER_ZERO),
    (0x08, ScaleState.NOT_ZEROED),
    (0x01, ScaleState.MOTION),
    (0x10, ScaleState.EMPTY),
)
"""In the order of what the cashier has to know first."""


class Toledo8217:
    """One weighing."""

    def __init__(self, *, unit: str = "kg") -> None:
        self._unit = unit
        self._held = Held()

    def begin(self) -> bytes:
        """Ask."""
        return b"W"

    def feed(self, data: bytes) -> Step:
        """The first whole answer."""
        self._held.add(bytes(byte & 0x7F for byte in data))
        while len(self._held):
            self._held.skip_to(STX)
            end = bytes(self._held).find(CR)
            if end < 0:
                return NOTHING
            answer = self._held.take(end + 1)
            start = answer.rfind(STX)  # an answer that broke off stands before a whole one
            if found := self._read(answer[start:]):
                return Step(found=found)
        return NOTHING

    def _read(self, answer: bytes) -> Found | None:
        if status := STATUS.fullmatch(answer):
            bits = status[1][0]
            state = next((state for mask, state in STATES if bits & mask), ScaleState.FAULT)
            return Found(state)
        weight = WEIGHT.fullmatch(answer)
        if not weight:
            return None
        digits = weight[1].decode("ascii")
        if "." not in digits and self._unit == "kg":
            digits = digits.rjust(POINTLESS_PLACES + 1, "0")
            digits = f"{digits[:-POINTLESS_PLACES]}.{digits[-POINTLESS_PLACES:]}"
        return weight_of(digits, self._unit)
