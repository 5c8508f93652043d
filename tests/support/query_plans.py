"""What SQLite reads to answer each statement that runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def plans(*engines: Engine) -> Iterator[dict[str, list[str]]]:
    """The steps of SQLite's plan by statement: what is searched by an index, what is scanned."""
    found: dict[str, list[str]] = {}

    def note(connection: Any, _: Any, statement: str, values: Any, __: Any, many: Any) -> None:
        if statement in found or not statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            return
        raw = connection.connection.dbapi_connection
        rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", values[0] if many else values)
        found[statement] = [row[3] for row in rows.fetchall()]

    with ExitStack() as listening:
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
            listening.callback(event.remove, engine, "before_cursor_execute", note)
        yield found
