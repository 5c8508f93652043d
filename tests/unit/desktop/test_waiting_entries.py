"""Which entries were written without a network, by the server's clock beside their own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlcipher3.dbapi2

from desktop.reckoning.waiting import read_waiting

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def server_file(folder: Path, times: list[tuple[float, float]]) -> Path:
    """A server's file with one till's entries: when each occurred and arrived, in seconds."""
    file = folder / "evertill.db"
    connection = sqlcipher3.dbapi2.connect(str(file))
    connection.execute("CREATE TABLE shards (created_at TEXT)")
    connection.execute("INSERT INTO shards VALUES (?)", (BEGAN.isoformat(),))
    connection.execute("CREATE TABLE entries (journal, epoch, seq, occurred_at, received_at)")
    for seq, moments in enumerate(times):
        texts = [(BEGAN + timedelta(seconds=moment)).isoformat() for moment in moments]
        connection.execute("INSERT INTO entries VALUES ('till', 1, ?, ?, ?)", (seq, *texts))
    connection.commit()
    connection.close()
    return file


@pytest.mark.parametrize(
    ("times", "offline"),
    [
        ([(0, 1), (1, 2)], 0),
        ([(0, 3.1)], 1),
        # One batch, of which the last was written just before it went.
        ([(0, 5), (2, 5), (4.9, 5)], 3),
        # The same backlog in small batches; the last entry was written while they went.
        ([(0, 5), (2, 5.1), (4.9, 5.2), (5.1, 5.3)], 4),
        # What is written after the backlog has gone had not to wait.
        ([(0, 5), (5.1, 5.2), (5.15, 5.3)], 1),
        ([(0, 1), (0.5, 1.2), (1.1, 9), (8, 9), (20, 21)], 2),
    ],
)
def test_a_backlog_counts_whatever_batches_it_went_in(tmp_path, times, offline):
    waiting = read_waiting(server_file(tmp_path, times), {"till"})
    assert waiting.offline_entries == offline
    assert waiting.duration_s == max(came for _, came in times)


def test_other_journals_are_not_counted(tmp_path):
    assert read_waiting(server_file(tmp_path, [(0, 9)]), {"other"}).offline_entries == 0
