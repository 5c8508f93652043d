"""Which entries had to wait for the network, told by the server's clock beside the entries' own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from desktop.reckoning.file import reading

OFFLINE_AFTER = timedelta(seconds=3)
"""A till with a network sends at once: an entry that waited longer was written without one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the server's file says about time."""

    offline_entries: int
    duration_s: float
    """From the making of the server's file to the last entry it received."""


def read_waiting(server: Path, tills: set[str]) -> Waiting:
    """Count the entries of the tills' journals that waited, or were written behind such a one."""
    written: dict[str, list[tuple[datetime, datetime]]] = {}
    with reading(server) as connection:
        (began,) = connection.execute("SELECT created_at FROM shards").fetchone()
        for journal, occurred_at, received_at in connection.execute(
            "SELECT journal, occurred_at, received_at FROM entries ORDER BY journal, epoch, seq"
        ):
            if journal in tills:
                times = _moment(occurred_at), _moment(received_at)
                written.setdefault(journal, []).append(times)
    received = (came for times in written.values() for _, came in times)
    last = max(received, default=_moment(began))
    offline = sum(map(_offline, written.values()))
    return Waiting(offline, (last - _moment(began)).total_seconds())


def _offline(times: Iterable[tuple[datetime, datetime]]) -> int:
    """How many of a journal's entries, by when each occurred and was received.

    What is left of a backlog goes in batches of any size: what was written before the last of those
    that had waited arrived had to wait as well.
    """
    count, until = 0, None
    for occurred, came in times:
        is_behind = until is not None and occurred < until
        if came - occurred > OFFLINE_AFTER or is_behind:
            count, until = count + 1, came
        else:
            until = None
    return count


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
