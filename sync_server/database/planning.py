"""What SQLite is told of the tables, so that it finds rows by the index that is meant for them.

All keys begin with the shard, which tells nothing: there is one. SQLite does not know that without
statistics; it takes a key that begins so, and gives an order for free or holds all that is asked
for, before the index that finds the few rows, and reads all that was ever booked. PostgreSQL counts
for itself.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

ROWS: Final = 1_000_000
"""Of each table, as if it were large: a small one is read quickly by any plan."""
FEWER_BY_COLUMN: Final = 10_000
"""After the shard, each further column of an index finds so many times fewer."""


def tell_planner(connection: Connection) -> None:
    """Write SQLite's statistics as they are in a large chain; nothing on other databases.

    https://sqlite.org/fileformat2.html#stat1tab
    """
    if connection.dialect.name != "sqlite":
        return
    rows = list(_statistics(connection))
    # This alone makes the table of statistics; counting one row takes no time.
    connection.exec_driver_sql("ANALYZE shards")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", rows)
    connection.exec_driver_sql("ANALYZE sqlite_schema")


def _statistics(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Of each index how many rows it has, and how many are alike in its first columns."""
    indexes = connection.exec_driver_sql(
        'SELECT m.name, i.name, i."unique" FROM sqlite_schema m, pragma_index_list(m.name) i'
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    ).all()
    for table, index, is_unique in indexes:
        columns = connection.exec_driver_sql(
            "SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)
        ).scalars()
        equal, estimates = ROWS, [ROWS]
        for number, column in enumerate(columns):
            equal = ROWS if number == 0 and column == "shard" else max(1, equal // FEWER_BY_COLUMN)
            estimates.append(equal)
        if is_unique:
            estimates[-1] = 1
        yield table, index, " ".join(map(str, estimates))
