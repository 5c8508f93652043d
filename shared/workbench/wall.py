"""Times of a store's wall clock, and instants."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def on_the_wall(at: datetime, zone: str) -> datetime:
    """What the store's clock shows: times without an offset are meant so."""
    if at.tzinfo is None:
        return at
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def instant(at: datetime, zone: str) -> datetime:
    """When a time of the wall is; without a zone as if that never changed its clocks."""
    return at.replace(tzinfo=ZoneInfo(zone) if zone else UTC).astimezone(UTC)
