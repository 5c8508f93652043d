"""Time is injected: wall clock, durations, and the hybrid logical clock of the journal."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, NewType, Protocol

HybridTime = NewType("HybridTime", str)
"""16 lower-case hex digits: 48 bits of Unix milliseconds, then a 16-bit counter.

Text, because 64 bits do not fit the journal's ±2^53; sorts as text in the order of time.
"""

COUNTER_BITS = 16


class Boot(NamedTuple):
    """How long the machine has been running."""

    id: str
    """Another one after each start of the machine."""
    elapsed_s: float
    """Since it started, sleep included; nobody can set it."""


class Clock(Protocol):
    """What code may ask about time."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds for measuring durations; never set back."""
        ...

    def boot(self) -> Boot:
        """How long this machine has been running, for times that no setting may stretch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds for measuring durations; never set back."""
        return time.monotonic()

    def boot(self) -> Boot:
        """How long this machine has been running, for times that no setting may stretch."""
        return Boot(_boot_id(), _boot_time())


_PROCESS: Final = secrets.token_hex(16)


@cache
def _boot_id() -> str:
    """Linux names each boot; elsewhere each start of the program counts as one: stricter."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _PROCESS


def _boot_time() -> float:
    """Sleep counts where the system can tell it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is told to move; for tests, the demo and replays."""

    at: datetime
    elapsed_s: float = 0.0
    boots: int = 1
    booted_at_s: float = 0.0

    def now(self) -> datetime:
        """The time it was last set or moved to."""
        return self.at

    def monotonic(self) -> float:
        """Seconds it was moved forward so far."""
        return self.elapsed_s

    def boot(self) -> Boot:
        """How long the machine has been running since it was last started again."""
        return Boot(f"boot-{self.boots}", self.elapsed_s - self.booted_at_s)

    def start_again(self) -> None:
        """The machine is switched off and on."""
        self.boots, self.booted_at_s = self.boots + 1, self.elapsed_s

    def advance(self, **duration: float) -> None:
        """Move forward by a ``timedelta(**duration)``."""
        step = timedelta(**duration)
        self.at += step
        self.elapsed_s += step.total_seconds()

    def set(self, at: datetime) -> None:
        """Jump to a time; the monotonic clock follows forward jumps only."""
        self.elapsed_s += max(0.0, (at - self.at).total_seconds())
        self.at = at


class HybridClock:
    """A hybrid logical clock: close to the wall clock, and never running backwards.

    Source: Kulkarni et al., "Logical Physical Clocks" (2014). Thread-safe.
    """

    def __init__(self, clock: Clock, last: HybridTime | None = None) -> None:
        self._clock = clock
        self._last = int(last, 16) if last else 0
        self._lock = Lock()

    def tick(self) -> HybridTime:
        """A time later than every one given or seen before."""
        with self._lock:
            milliseconds = int(self._clock.now().timestamp() * 1000)
            self._last = max(self._last + 1, milliseconds << COUNTER_BITS)
            return HybridTime(f"{self._last:016x}")

    def witness(self, other: HybridTime) -> None:
        """Take note of a time seen from elsewhere, so that later ticks come after it."""
        with self._lock:
            self._last = max(self._last, int(other, 16))


def hybrid_milliseconds(hybrid: HybridTime) -> int:
    """The Unix milliseconds inside a hybrid time."""
    return int(hybrid, 16) >> COUNTER_BITS
