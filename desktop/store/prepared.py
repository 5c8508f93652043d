"""Statements that a till runs all day: compiled once, handed to the driver as they are.

SQLAlchemy's own work for a statement (finding its text, binding, converting, wrapping what comes
back) takes several times what SQLite takes for a row. Statements are still written in its language,
so that the schema's names are checked; values are what the driver takes, results what it gives.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_DIALECT: Final = SQLiteDialect_pysqlite(paramstyle="qmark")


class Prepared:
    """A statement with named values; those that it brings along need not be told.

    ``columns`` are those of an insert, in the order of their table: ValueError for another.
    """

    def __init__(
        self, statement: Select[Any] | Insert | Update | Delete, columns: Iterable[str] = ()
    ) -> None:
        names = list(columns)
        compiled = statement.compile(dialect=_DIALECT, column_keys=names or None)
        self._text = str(compiled)
        self._order: Sequence[str] = compiled.positiontup or ()
        if names and list(self._order) != names:
            # The language orders columns as their table does; rows would go into other columns.
            raise ValueError(f"the order of columns is {self._order}")
        told = compiled.params
        self._own = {name: told[name] for name in self._order if told[name] is not None}

    def run(self, connection: Connection, **values: Any) -> CursorResult[Any]:
        """Run it once; KeyError for a value that is missing."""
        told = {**self._own, **values}
        return connection.exec_driver_sql(self._text, tuple(told[name] for name in self._order))

    def run_many(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run it for each row, whose values are in the order of the columns it was made with."""
        if rows:
            connection.exec_driver_sql(self._text, rows)


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether a column of text is one of the keys told by this name, as ``listed`` gives them."""
    keys = func.json_each(bindparam(name, type_=Text)).table_valued("value")
    return column.in_(select(keys.c.value))


def listed(keys: Iterable[str]) -> str:
    """Keys as one value of a statement."""
    return msgspec.json.encode(list(keys)).decode()
