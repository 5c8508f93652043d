"""``column IN (these keys)`` with the keys as one parameter.

SQLAlchemy's own ``in_`` writes a place holder per key, so that a statement about a batch is another
text each time, which everybody on its way parses anew. Here it is one text, however many keys.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec
from sqlalchemy import Boolean, ColumnElement, Dialect, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator


def among(column: ColumnElement[str], keys: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column of text is one of some keys."""
    return among_rows([column], rows_of_keys(keys))


def among_told(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The same for a statement that is made once: the keys, a list of rows of one key each, are
    told under this name when it is run (``rows_of_keys``)."""
    return _Among(column, bindparam(name, type_=_Keys()))


def rows_of_keys(keys: Iterable[str]) -> list[tuple[str, ...]]:
    """Keys as ``among_told`` is told them."""
    return [(key,) for key in keys]


def among_rows(
    columns: Sequence[ColumnElement[str]], rows: Sequence[tuple[str, ...]]
) -> ColumnElement[bool]:
    """Whether columns of text are together one of some rows."""
    return _Among(*columns, bindparam(None, rows, unique=True, type_=_Keys()))


class _Keys(TypeDecorator[Sequence[tuple[str, ...]]]):
    """Rows of keys as one JSON list of lists."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Sequence[tuple[str, ...]] | None, _dialect: Dialect) -> str:
        return msgspec.json.encode(value).decode()


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 - SQLAlchemy's own method
        """As it stands: ``= 1`` behind it would keep SQLite from using the index."""
        return self


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    columns, keys = _compiled(element, compiler, options)
    values = (f"one ->> {place}" for place in range(len(columns)))
    return _within(columns, values, f"json_array_elements({keys}::json) AS one")


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    columns, keys = _compiled(element, compiler, options)
    values = (f"value ->> {place}" for place in range(len(columns)))
    return _within(columns, values, f"json_each({keys})")


def _compiled(
    element: _Among, compiler: SQLCompiler, options: dict[str, Any]
) -> tuple[list[str], str]:
    *columns, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return columns, keys


def _within(columns: Iterable[str], values: Iterable[str], source: str) -> str:
    return f"({', '.join(columns)}) IN (SELECT {', '.join(values)} FROM {source})"  # noqa: S608 - compiled clauses
