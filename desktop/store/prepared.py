"""Statements that a till runs all day: compiled once, handed to the driver as they are.

SQLAlchemy's own work for a statement (finding its text, binding, converting, describing and
wrapping what comes back) takes several times what SQLite takes for a row. Statements are still
written in its language, so that the schema's names are checked, run in its transactions, and told
to those who listen to its engine; errors are the engine's own. Values are what the driver takes,
results what it gives, fetched at once.
"""

from collections import namedtuple
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
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

from desktop.store.driver import sqlite_module

_DIALECT: Final = SQLiteDialect_pysqlite(paramstyle="qmark")


class Found:
    """The rows that a statement gave; each has its columns by name."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def one_or_none(self) -> Any:
        """The only row, if there is one; of a statement that gives no more than one."""
        assert len(self._rows) < 2, len(self._rows)
        return self._rows[0] if self._rows else None

    def scalars(self) -> list[Any]:
        """The first value of each row."""
        return [row[0] for row in self._rows]

    def scalar(self) -> Any:
        """The first value of the first row; None where there is none."""
        return self._rows[0][0] if self._rows else None


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
        found = statement.selected_columns.keys() if isinstance(statement, Select) else []
        # Each statement has columns of its own, which no type could name beforehand.
        row: Any = namedtuple("Row", found, rename=True)  # type: ignore[misc]  # noqa: PYI024
        self._row = row._make

    def run(self, connection: Connection, **values: Any) -> Found:
        """Run it once; KeyError for a value that is missing."""
        told = {**self._own, **values}
        rows = self._execute(connection, tuple([told[name] for name in self._order]))
        return Found([self._row(row) for row in rows])

    def run_many(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run it for each row, whose values are in the order of the columns it was made with."""
        if rows:
            self._execute(connection, rows, is_many=True)

    def _execute(self, connection: Connection, values: Any, *, is_many: bool = False) -> list[Any]:
        running = connection.get_transaction()
        if running is None:
            connection.begin()
        elif not running.is_active or connection.in_nested_transaction():
            # Whether anything may be run in it is the engine's to say.
            connection.exec_driver_sql("SELECT 1")
        text = self._text
        cursor = connection.connection.cursor()
        try:
            for told in connection.engine.dispatch.before_cursor_execute:
                text, values = told(connection, cursor, text, values, None, is_many)
            if is_many:
                cursor.executemany(text, values)
            else:
                cursor.execute(text, values)
            rows = cursor.fetchall() if cursor.description else []
            for told in connection.engine.dispatch.after_cursor_execute:
                told(connection, cursor, text, values, None, is_many)
        except sqlite_module.Error as error:
            # Named, told and raised as of any other statement.
            connection._handle_dbapi_exception(error, text, values, cursor, None)  # noqa: SLF001 - there is no other way
        finally:
            cursor.close()
        return list(rows)


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether a column of text is one of the keys told by this name, as ``listed`` gives them."""
    keys = func.json_each(bindparam(name, type_=Text)).table_valued("value")
    return column.in_(select(keys.c.value))


def listed(keys: Iterable[str]) -> str:
    """Keys as one value of a statement."""
    return msgspec.json.encode(list(keys)).decode()
