"""Limits on guessing, kept in the database: they hold across processes and restarts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from shared.clock import Clock
from shared.errors import ProtocolError
from sync_server.database.schema import attempts
from sync_server.database.times import format_time, parse_time
from sync_server.database.transaction import Database

SUBJECT_LENGTH_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong attempts one subject has in a window that begins with the first of them."""

    count: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts wrong attempts per subject (an address, a sign-in name)."""

    database: Database
    clock: Clock

    def check(self, subject: str, limit: Limit) -> None:
        """Raise ProtocolError ``too-many-attempts`` with the minutes to wait."""
        now = self.clock.now()
        with self.database.reading() as snapshot:
            row = snapshot.connection.execute(
                select(attempts).where(
                    attempts.c.shard == snapshot.shard,
                    attempts.c.subject == subject[:SUBJECT_LENGTH_MAX],
                    attempts.c.window_ends_at > format_time(now),
                )
            ).first()
        if row is not None and row.tries >= limit.count:
            left = parse_time(row.window_ends_at) - now
            raise ProtocolError("too-many-attempts", minutes=int(left.total_seconds() // 60) + 1)

    def note(self, subject: str, limit: Limit) -> None:
        """Count a wrong attempt; windows that have passed are forgotten."""
        now = self.clock.now()
        with self.database.writing() as work:
            passed = delete(attempts).where(
                attempts.c.shard == work.shard, attempts.c.window_ends_at <= format_time(now)
            )
            work.connection.execute(passed)
            statement = work.upsert(attempts)
            statement = statement.on_conflict_do_update(
                index_elements=list(attempts.primary_key),
                set_={"tries": attempts.c.tries + 1},
            )
            row = {
                "shard": work.shard,
                "subject": subject[:SUBJECT_LENGTH_MAX],
                "window_ends_at": format_time(now + limit.window),
                "tries": 1,
            }
            work.connection.execute(statement, row)
