"""Statements compiled once for all processes that are started in a run, instead of by each.

An engine keeps what it compiled, and a restarted program has a new engine: of a run's time a good
part was the same texts made again. All engines here are SQLite's by one driver, so that what one
compiled holds for the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: Final = LRUCache[Any, Any](5_000)


def _is_same(_self: SQLiteDialect_pysqlite, other: object) -> bool:
    return type(other) is SQLiteDialect_pysqlite


def _same_for_all(_self: SQLiteDialect_pysqlite) -> int:
    return hash(SQLiteDialect_pysqlite)


class _Shared:
    """In place of what each engine would keep for itself."""

    def __get__(self, _engine: Engine, _kind: type[Engine]) -> LRUCache[Any, Any]:
        return _COMPILED

    def __set__(self, _engine: Engine, _own: object) -> None:
        """What an engine makes for itself is not needed."""


@contextmanager
def compiled_once() -> Iterator[None]:
    """Share compiled statements among all engines that are made meanwhile."""
    with (
        mock.patch.object(Engine, "_compiled_cache", _Shared(), create=True),
        mock.patch.object(SQLiteDialect_pysqlite, "__eq__", _is_same),
        mock.patch.object(SQLiteDialect_pysqlite, "__hash__", _same_for_all),
    ):
        yield
