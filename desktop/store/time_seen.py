"""The highest time this till has seen: what leases are measured by.

Within one boot it runs on the machine's boot-time clock, which nobody can set. After a reboot the
wall clock is believed only if it is not behind; else leases rest until the server told the time.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from desktop.store.settings import read_value, write_value
from shared.clock import Clock

TIME_SEEN = "time-seen"


class TimeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A time, and where the boot-time clock stood then."""

    at: datetime
    boot_id: str
    boot_s: float


def lease_time(connection: Connection, clock: Clock) -> datetime | None:
    """The time leases are measured by; None while they rest."""
    seen = read_value(connection, TIME_SEEN, TimeSeen)
    if seen is None:
        return clock.now()
    boot = clock.boot()
    if boot.id == seen.boot_id:
        return seen.at + timedelta(seconds=max(0.0, boot.elapsed_s - seen.boot_s))
    now = clock.now()
    return now if now >= seen.at else None


def note_time(connection: Connection, clock: Clock) -> None:
    """Store the highest time seen, in the transaction of every commit of a fact."""
    now = lease_time(connection, clock)
    if now is not None:
        _write(connection, now, clock)


def take_server_time(connection: Connection, clock: Clock, server_time: datetime) -> None:
    """The server answered: its time counts from here, and leases that rested are good again."""
    _write(connection, server_time, clock)


def _write(connection: Connection, at: datetime, clock: Clock) -> None:
    boot = clock.boot()
    write_value(connection, TIME_SEEN, TimeSeen(at=at, boot_id=boot.id, boot_s=boot.elapsed_s))
