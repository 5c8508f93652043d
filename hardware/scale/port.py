"""The port ``Scale``: what other code sees of a scale."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware.ports import Device

FRESH_S = 1.5
"""A weight is good for so long: goods come and go, and nobody sells what lay there before."""


class ScaleState(StrEnum):
    """What a scale says, or what its silence means. Words: ``devices.scale.<state>``."""

    STABLE = "stable"
    """A weight that can be sold."""
    EMPTY = "empty"
    """Nothing on it, or less than it can weigh."""
    MOTION = "motion"
    """Not at rest yet."""
    UNCHANGED = "unchanged"
    """It waits for the goods to be lifted: this weight was sold already."""
    UNDER_ZERO = "under-zero"
    """Less than nothing: it was set to zero with something on it."""
    OVERLOAD = "overload"
    """More than it can carry."""
    NOT_ZEROED = "not-zeroed"
    """It was switched on with something on it."""
    UNSUITABLE = "unsuitable"
    """Another unit than kilograms, or fractions of a gram: no exact weight in grams."""
    REFUSED = "refused"
    """It gives no weight to this till: the checksums are missing or wrong (Dialog 06)."""
    FAULT = "fault"
    """It reports an error of its own or of our request."""
    NOISE = "noise"
    """It sends what is no whole answer: wrong checksum, wrong line settings, wrong protocol."""
    SILENT = "silent"
    """It does not answer."""
    OFF = "off"
    """It is not plugged in."""
    STALE = "stale"
    """The last weight is too old to be sold."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was on the scale ``at`` a time (monotonic seconds); ``grams`` only where STABLE."""

    state: ScaleState
    grams: int = 0
    at: float = 0.0

    def as_of(self, now: float) -> "Reading":
        """The same, or STALE where it has expired: a weight is not sold twice by accident."""
        if self.state is ScaleState.STABLE and not 0 <= now - self.at <= FRESH_S:
            return Reading(ScaleState.STALE, 0, self.at)
        return self

    @property
    def message_key(self) -> str:
        """What the cashier is told, with ``device`` as its field."""
        return f"devices.scale.{self.state}"


OnReading = Callable[[Reading], None]


class Scale(Device, Protocol):
    """Weighs while somebody watches. Nothing here waits for the scale."""

    def watch(self, on_change: OnReading | None, *, unit_price_minor: int = 0) -> None:
        """Weigh from now on and tell each change, from the scale's own thread; None stops it.

        ``unit_price_minor`` per kilogram is shown to the customer by scales that can.
        """
        ...

    def reading(self) -> Reading:
        """The newest weight of the present watch, expired ones as STALE."""
        ...
