"""Tells a scanner that types like a keyboard from a person at the keys, by time.

Pure: characters and their times in, rulings out. The window's event filter feeds it every key,
whatever has the focus, obeys the ruling, and calls ``tick`` when ``deadline`` passes. A scanner
sends keys 7 to 16 ms apart, people 80 to 250 ms; a first key is therefore held for a moment nobody
notices, and given back if no second one follows.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from hardware.ports import ScanData, ScanQuality
from hardware.scanner.aim import split_identifier


@dataclass(frozen=True, slots=True)
class WedgeSettings:
    """How the scanner is set up, and where the line between machine and person is drawn.

    Without a ``prefix`` (one character) time alone decides. ``suffixes`` end a scan at once;
    without one a pause does. ``gap_s`` is the longest pause inside a scan (twice the slowest
    scanner, less than half the fastest typist), ``settled_gap_s`` once ``length_min`` keys have
    come, ``prefix_gap_s`` after a prefix.
    """

    prefix: str = ""
    suffixes: str = "\r\n\t"
    length_min: int = 4
    gap_s: float = 0.035
    settled_gap_s: float = 0.060
    prefix_gap_s: float = 0.100


class Verdict(StrEnum):
    """What the event filter does with the key it has just shown."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """Let it go where it was going."""
    HOLD = "hold"
    """Take it away for now: it comes back in a later ``release`` or becomes part of a scan."""
    SWALLOW = "swallow"
    """Take it away for good."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from a key, a committed text or a pause.

    In this order: ``take_back`` removes text that an input method has already put into a field,
    ``release`` gives held keys back as typing, ``scan`` is delivered, then ``verdict`` applies.
    """

    verdict: Verdict
    release: str = ""
    scan: ScanData | None = None
    take_back: str = ""


@dataclass(frozen=True, slots=True)
class _Stroke:
    typed: str
    """As it came; given back in a release."""
    meant: str
    """As the scanner meant it: CapsLock undone."""


@dataclass(slots=True)
class WedgeDetector:
    """One per window. ``source`` names the scanner in what it reads."""

    settings: WedgeSettings
    source: str
    _strokes: list[_Stroke] = field(default_factory=list)
    _last_at: float = float("-inf")
    _after_prefix: bool = False
    _damaged: bool = False
    _committed: str = ""
    """Text an input method put into a field just before, or at the start of, a burst."""
    _commits: int = 0

    @property
    def deadline(self) -> float | None:
        """When ``tick`` must be called; None while nothing is held."""
        return self._last_at + self._gap if self._is_open else None

    def key(
        self, character: str, at: float, *, auto_repeat: bool = False, caps_lock: bool = False
    ) -> Ruling:
        """A key press: its text (empty for keys without text) and its own time stamp in seconds.

        Pass the event's time stamp, not the time of processing: a busy window must not turn a scan
        into typing.
        """
        before = self._end_if_late(at)
        if auto_repeat or not character:
            return _joined(before, self._give_back(Verdict.PASS))
        if character in self.settings.suffixes:
            return _joined(before, self._finish(Verdict.PASS))
        if self.settings.prefix and not self._is_open:
            return _joined(before, self._begin_at_prefix(character, at))
        meant = character.swapcase() if caps_lock else character
        self._strokes.append(_Stroke(character, meant))
        self._last_at = at
        return _joined(before, Ruling(Verdict.HOLD))

    def committed(self, text: str, at: float) -> Ruling:
        """An input method wants to put text into a field.

        Inside a burst of keys it has eaten part of a scan: the text is taken away and the scan is
        damaged. Alone it passes, and is taken back if scanner keys follow at once.
        """
        before = self._end_if_late(at)
        inside = self._is_open
        self._commits += 1
        self._last_at = at
        self._damaged = True
        if inside:
            return _joined(before, Ruling(Verdict.SWALLOW))
        self._committed = text
        return _joined(before, Ruling(Verdict.PASS))

    def tick(self, at: float) -> Ruling:
        """The pause has lasted until ``at``: a scan without suffix ends, or keys were typing."""
        return self._end_if_late(at)

    @property
    def _is_open(self) -> bool:
        return bool(self._strokes or self._after_prefix or self._commits)

    @property
    def _gap(self) -> float:
        if self._after_prefix:
            return self.settings.prefix_gap_s
        settled = len(self._strokes) >= self.settings.length_min
        return self.settings.settled_gap_s if settled else self.settings.gap_s

    def _end_if_late(self, at: float) -> Ruling:
        if self._is_open and at - self._last_at > self._gap:
            return self._finish(Verdict.SWALLOW)
        return Ruling(Verdict.SWALLOW)

    def _begin_at_prefix(self, character: str, at: float) -> Ruling:
        if character != self.settings.prefix:
            return Ruling(Verdict.PASS)
        self._after_prefix = True
        self._last_at = at
        return Ruling(Verdict.HOLD)

    def _finish(self, otherwise: Verdict) -> Ruling:
        """End the burst: a scan if it was long enough, typing if not."""
        length = len(self._strokes) + self._commits
        if length < self.settings.length_min:
            return self._give_back(otherwise)
        text = "".join(stroke.meant for stroke in self._strokes)
        take_back = self._committed
        quality = ScanQuality.DAMAGED if self._damaged else ScanQuality.WHOLE
        data, symbology = split_identifier(text)
        if self._damaged:
            data, symbology = "", None
        self._reset()
        scan = ScanData(data, symbology, self.source, quality)
        return Ruling(Verdict.SWALLOW, scan=scan, take_back=take_back)

    def _give_back(self, verdict: Verdict) -> Ruling:
        prefix = self.settings.prefix if self._after_prefix else ""
        typed = prefix + "".join(stroke.typed for stroke in self._strokes)
        self._reset()
        return Ruling(verdict, release=typed)

    def _reset(self) -> None:
        self._strokes.clear()
        self._after_prefix = False
        self._damaged = False
        self._committed = ""
        self._commits = 0


def _joined(before: Ruling, now: Ruling) -> Ruling:
    """What ended before this key, then the ruling on the key itself; only one holds a scan."""
    return Ruling(
        now.verdict,
        before.release + now.release,
        before.scan or now.scan,
        before.take_back + now.take_back,
    )
