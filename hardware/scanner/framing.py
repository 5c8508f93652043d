"""Cuts the bytes of a serial scanner into codes. Pure: bytes and times in, codes out."""

from dataclasses import dataclass, field
from enum import StrEnum

from hardware.ports import ScanData, ScanQuality
from hardware.scanner.aim import split_identifier

CODE_BYTES_MAX = 4296
"""The most a QR code holds; longer frames are noise."""
GS1_CONTROLS = frozenset(b"\x04\x1d\x1e")
"""EOT, GS and RS are data in GS1 and ISO/IEC 15434 codes; every other control code is noise."""


class Ending(StrEnum):
    """What ends a code."""

    LINE = "line"
    """CR, LF, or both."""
    TAB = "tab"
    """A tabulator."""
    IDLE = "idle"
    """Nothing but a pause."""


ENDING_BYTES = {Ending.LINE: b"\r\n", Ending.TAB: b"\t", Ending.IDLE: b""}


@dataclass(frozen=True, slots=True)
class Framing:
    """How the scanner is set up.

    ``idle_s`` ends a code where nothing else does. ``fragment_s`` is how long a code may stop in
    the middle: what stays unfinished is reported as damaged and never glued to the next code.
    ``repeat_s``: the same code again within so long is one scan; 0 delivers every repeat.
    """

    ending: Ending = Ending.LINE
    idle_s: float = 0.05
    fragment_s: float = 0.5
    repeat_s: float = 0.0


@dataclass(slots=True)
class Framer:
    """Collects bytes until a code is complete."""

    framing: Framing
    source: str
    _held: bytearray = field(default_factory=bytearray)
    _last_at: float = 0.0
    _overflowed: bool = False
    _delivered: str = ""
    _delivered_at: float = float("-inf")

    def feed(self, data: bytes, at: float) -> list[ScanData]:
        """Codes completed by ``data``, which arrived at ``at`` (monotonic seconds)."""
        scans = self.tick(at)
        self._last_at = at
        for byte in data:
            if byte in ENDING_BYTES[self.framing.ending]:
                scans += self._end(at, whole=True)
            elif (byte >= 0x20 and byte != 0x7F) or byte in GS1_CONTROLS:
                self._hold(byte)
        return scans

    def tick(self, at: float) -> list[ScanData]:
        """Codes completed, or given up, by the pause until ``at``."""
        if not (self._held or self._overflowed):
            return []
        by_pause = self.framing.ending is Ending.IDLE
        if at - self._last_at <= (self.framing.idle_s if by_pause else self.framing.fragment_s):
            return []
        return self._end(at, whole=by_pause)

    def _hold(self, byte: int) -> None:
        if len(self._held) >= CODE_BYTES_MAX:
            self._overflowed = True
            self._held.clear()
        if not self._overflowed:
            self._held.append(byte)

    def _end(self, at: float, *, whole: bool) -> list[ScanData]:
        raw, overflowed = bytes(self._held), self._overflowed
        self._held.clear()
        self._overflowed = False
        if not raw and not overflowed:
            return []
        text = _decode(raw)
        if text is None or overflowed or not whole:
            return [ScanData("", None, self.source, ScanQuality.DAMAGED)]
        data, symbology = split_identifier(text)
        if not data or self._is_repeat(data, at):
            return []
        self._delivered, self._delivered_at = data, at
        return [ScanData(data, symbology, self.source)]

    def _is_repeat(self, data: str, at: float) -> bool:
        return data == self._delivered and at - self._delivered_at < self.framing.repeat_s


def _decode(raw: bytes) -> str | None:
    """UTF-8, else GB18030 as Chinese scanners send it, else noise on the line."""
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return None
