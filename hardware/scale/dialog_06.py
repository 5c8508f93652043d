"""Checkout-Dialogue 06 ("Dialog 06", VCO): the scale gets the unit price and returns the weight.

Till: ``EOT STX 01 ESC price(6) ESC ETX``; scale: ACK. Till: ``EOT ENQ``; scale: record 02 with
unit digit (3 is kilograms), weight(5), price(6), amount(6), or NAK. Why NAK: record 08 is
answered by record 09 with two digits. At power on, after errors and every 50 weighings the scale
asks for checksums (record 11, ``2`` and a random number); the till answers record 10, the scale
says with record 11 whether they were right, and the weighing is begun again.

Source: Mettler-Toledo Diva service manual 6.1.8 and Ohaus Aviator 7000 service manual 6.1.3. How
the random number is applied (checksum rotated left by its high digit, correction value right by
its low digit, 16 bits each) and the layout of record 10 are not printed there: both are
unconfirmed, and have not been seen on a real scale.
"""

import re
from dataclasses import dataclass
from typing import Final

from hardware.scale.port import ScaleState
from hardware.scale.talk import (
    ACK,
    ENQ,
    EOT,
    ESC,
    ETX,
    NAK,
    NOTHING,
    STX,
    Found,
    Held,
    Step,
    weight_of,
)

PRICE_MAX: Final = 999_999
KILOGRAMS: Final = "3"
RESULT: Final = re.compile(r"02\x1b(\d)\x1b(\d{5})\x1b(\d{5,6})\x1b(\d{6})")
STATUS: Final = re.compile(r"09\x1b(\d\d)")
CHECKSUMS: Final = re.compile(r"11\x1b(?:([01])|2([0-9A-F]{2}))")
LONGEST: Final = 32
ASK: Final = EOT + ENQ
ASK_WHY: Final = EOT + STX + b"08" + ETX
STATES: Final = {
    "00": ScaleState.MOTION,
    "20": ScaleState.MOTION,
    "21": ScaleState.UNCHANGED,
    "22": ScaleState.MOTION,
    "30": ScaleState.EMPTY,
    "31": ScaleState.UNDER_ZERO,
    "32": ScaleState.OVERLOAD,
}
"""Of record 09; every other one is an error of the scale or of our request."""


@dataclass(frozen=True, slots=True)
class ApprovedPair:
    """Checksum and correction value of the approved till software, 16 bits each.

    Who approves a till for its scale gives them out; no default could be right.
    """

    checksum: int
    correction: int


def rotate_left(value: int, places: int) -> int:
    """A 16 bit value, rotated; negative places rotate to the right."""
    places %= 16
    return ((value << places) | (value >> (16 - places))) & 0xFFFF


def encode_pair(pair: ApprovedPair, random_number: int) -> str:
    """The pair as record 10 carries it, under the scale's random number (one byte)."""
    high, low = divmod(random_number, 16)
    checksum, correction = rotate_left(pair.checksum, high), rotate_left(pair.correction, -low)
    return f"{checksum:04X}{correction:04X}"


def record(text: str) -> bytes:
    """A record of the till; ``|`` stands for ESC."""
    return EOT + STX + text.encode("ascii").replace(b"|", ESC) + ETX


class Dialog06:
    """One weighing at a price per kilogram in minor units."""

    def __init__(self, *, unit_price_minor: int, pair: ApprovedPair | None = None) -> None:
        self._price = unit_price_minor
        self._pair = pair
        self._held = Held()
        self._is_result_due = False
        self._has_proved = False

    def begin(self) -> bytes:
        """Tell the price; nothing where the scale could not show it."""
        return record(f"01|{self._price:06}|") if self._can_show_price else b""

    @property
    def _can_show_price(self) -> bool:
        return 0 < self._price <= PRICE_MAX

    def feed(self, data: bytes) -> Step:
        """Go on with whatever whole answer has come."""
        if not self._can_show_price:
            return Step(found=Found(ScaleState.FAULT))
        self._held.add(bytes(byte & 0x7F for byte in data))
        while len(self._held):
            self._held.skip_to(ACK, NAK, STX)
            answer = self._next_answer()
            if answer is None:
                return NOTHING
            if step := self._follow(answer):
                return step
        return NOTHING

    def _next_answer(self) -> bytes | None:
        """A control byte, or the inside of a record; None while neither is whole."""
        waiting = bytes(self._held)
        if waiting[:1] in (ACK, NAK):
            return self._held.take(1)
        end = waiting.find(ETX)
        if not waiting or end < 0:
            if len(waiting) > LONGEST:
                self._held.take(1)
                self._held.skip_to(ACK, NAK, STX)
            return None
        inside = self._held.take(end + 1)
        return inside[inside.rfind(STX) + 1 : -1] or STX

    def _follow(self, answer: bytes) -> Step | None:
        if answer == ACK:
            self._is_result_due = True
            return Step(send=ASK)
        if answer == NAK:
            return Step(send=ASK_WHY)
        text = answer.decode("ascii")
        if asked := CHECKSUMS.fullmatch(text):
            return self._prove(asked)
        if status := STATUS.fullmatch(text):
            return Step(found=Found(STATES.get(status[1], ScaleState.FAULT)))
        result = RESULT.fullmatch(text)
        return Step(found=self._read(result)) if result and self._is_result_due else None

    def _prove(self, asked: re.Match[str]) -> Step:
        """Answer a request for checksums, or go on after the scale has judged them."""
        if asked[1] == "1":
            self._is_result_due = False
            return Step(send=self.begin())
        if asked[1] == "0" or self._pair is None or self._has_proved:
            return Step(found=Found(ScaleState.REFUSED))
        self._has_proved = True
        return Step(send=record(f"10|{encode_pair(self._pair, int(asked[2], 16))}"))

    def _read(self, result: re.Match[str]) -> Found:
        """Weight, once the scale has repeated our price: else the answer is another's, or torn."""
        if int(result[3]) != self._price:
            return Found(ScaleState.NOISE)
        if result[1] != KILOGRAMS:
            return Found(ScaleState.UNSUITABLE)
        return weight_of(f"{result[2][:2]}.{result[2][2:]}", "kg")
