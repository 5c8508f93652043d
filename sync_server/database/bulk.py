"""Many rows in one go: binary COPY or arrays on PostgreSQL, one prepared statement on SQLite.

Values go to the driver as they are, past SQLAlchemy's work per row and parameter, which costs more
than the databases' own. All of it belongs to the connection's transaction.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import psycopg
from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table
from sqlalchemy.exc import DBAPIError

COPY_FROM: Final = 8
"""From so many rows on a COPY pays for the second time that the server is waited for."""
_KEPT: Final = " ON CONFLICT DO NOTHING"

Columns = tuple[str, ...]
Values = Sequence[tuple[Any, ...]]
"""Rows, each with the values of the named columns in their order."""


def insert_rows(connection: Connection, table: Table, columns: Columns, rows: Values) -> None:
    """Add rows; DBAPIError as of any other statement."""
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        _copy(connection, table, columns, rows)
    else:
        _insert(connection, table, columns, rows)


def insert_new_rows(connection: Connection, table: Table, columns: Columns, rows: Values) -> None:
    """Add those rows whose key is not there."""
    _insert(connection, table, columns, rows, _KEPT)


def put_rows(
    connection: Connection, table: Table, columns: Columns, rows: Values, *, changes: str
) -> None:
    """Add rows; where the key is there, make these changes (SQL after SET) to its row instead.

    What the new row has is called ``excluded``. No key may come twice.
    """
    key = _listed(column.name for column in table.primary_key)
    _insert(connection, table, columns, rows, f" ON CONFLICT ({key}) DO UPDATE SET {changes}")


def _insert(
    connection: Connection, table: Table, columns: Columns, rows: Values, on_conflict: str = ""
) -> None:
    if connection.dialect.name == "postgresql":
        statement = _from_arrays(table, columns, on_conflict)
        arrays = tuple(map(list, zip(*rows, strict=True)))
        connection.exec_driver_sql(statement, arrays)
    else:
        connection.exec_driver_sql(_from_values(table, columns, on_conflict), list(rows))


@cache
def _from_arrays(table: Table, columns: Columns, on_conflict: str) -> str:
    """One statement and one answer, however many rows."""
    arrays = ", ".join(f"%b::{_type(table, name)}[]" for name in columns)
    return f"{_into(table, columns)} SELECT * FROM unnest({arrays}){on_conflict}"  # noqa: S608 - names of our own schema


@cache
def _from_values(table: Table, columns: Columns, on_conflict: str) -> str:
    marks = ", ".join("?" for _name in columns)
    return f"{_into(table, columns)} VALUES ({marks}){on_conflict}"


@cache
def _into(table: Table, columns: Columns) -> str:
    return f'INSERT INTO "{table.name}" ({_listed(columns)})'


def _copy(connection: Connection, table: Table, columns: Columns, rows: Values) -> None:
    raw: Any = connection.connection.dbapi_connection
    statement = f'COPY "{table.name}" ({_listed(columns)}) FROM STDIN (FORMAT BINARY)'
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_type(table, name) for name in columns])
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            dialect=connection.dialect,
        ) from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@cache
def _type(table: Table, column: str) -> str:
    """What PostgreSQL calls a column's type."""
    match table.c[column].type:
        case BigInteger():
            return "int8"
        case Integer():
            return "int4"
        case Boolean():
            return "bool"
        case LargeBinary():
            return "bytea"
        case _:
            return "text"
