"""Which entries had to wait for the network, told by the server's clock beside the entries' own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from desktop.reckoning.file import reading

OFFLINE_AFTER = timedelta(seconds=3)
"""A till with a network sends at once. Entries come in batches; one whose oldest entry waited
longer was written, all of it, while the server could not be reached."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the server's file says about time."""

    offline_entries: int
    duration_s: float
    """From the making of the server's file to the last entry it received."""


def read_waiting(server: Path, tills: set[str]) -> Waiting:
    """Count the entries of the tills' journals that came in late batches."""
    batches: dict[tuple[str, str], list[datetime]] = {}
    with reading(server) as connection:
        (began,) = connection.execute("SELECT created_at FROM shards").fetchone()
        for journal, received_at, occurred_at in connection.execute(
            "SELECT journal, received_at, occurred_at FROM entries"
        ):
            if journal in tills:
                batches.setdefault((journal, received_at), []).append(_moment(occurred_at))
    late = sum(
        len(occurred)
        for (_journal, received_at), occurred in batches.items()
        if _moment(received_at) - min(occurred) > OFFLINE_AFTER
    )
    last = max((_moment(received_at) for _, received_at in batches), default=_moment(began))
    return Waiting(late, (last - _moment(began)).total_seconds())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
