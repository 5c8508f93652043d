"""True time, and the clocks of machines that are wrong about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Boot, ManualClock


@dataclass(slots=True)
class MachineClock:
    """A machine's wall clock: off by something, drifting, jumping; its durations are true."""

    true: ManualClock
    drift_ppm: int = 0
    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """What the machine believes."""
        drifted = timedelta(seconds=round(self.true.elapsed_s * self.drift_ppm / 1_000_000, 3))
        return self.true.now() + self.offset + drifted

    def monotonic(self) -> float:
        """Seconds since the beginning of the simulation, in true time."""
        return self.true.monotonic()

    def boot(self) -> Boot:
        """It was never started again; a program that crashes leaves its machine running."""
        return self.true.boot()

    def jump(self, by: timedelta) -> None:
        """Somebody, or a time server, sets the clock."""
        self.offset += by
