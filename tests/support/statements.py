"""Statements compiled once for all engines of this process, instead of by each.

An engine keeps what it compiled, and a program that starts has new engines: tests that start
servers and tills by the hundred would spend a good part of their time on making the same texts
again. All engines of one kind of database have one driver and one server here, so that what one
compiled holds for the others.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest import mock

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: Final = LRUCache[Any, Any](5_000)
_KINDS: Final = (SQLiteDialect_pysqlite, PGDialect_psycopg)


def _is_same(one: object, other: object) -> bool:
    return type(other) is type(one)


def _same_for_all(one: object) -> int:
    return hash(type(one))


class _Shared:
    """In place of what each engine would keep for itself."""

    def __get__(self, _engine: Engine, _kind: type[Engine]) -> LRUCache[Any, Any]:
        return _COMPILED

    def __set__(self, _engine: Engine, _own: object) -> None:
        """What an engine makes for itself is not needed."""


@contextmanager
def compiled_once() -> Iterator[None]:
    """Share compiled statements among all engines that are made meanwhile."""
    with ExitStack() as patched:
        patched.enter_context(mock.patch.object(Engine, "_compiled_cache", _Shared(), create=True))
        for kind in _KINDS:
            patched.enter_context(mock.patch.object(kind, "__eq__", _is_same))
            patched.enter_context(mock.patch.object(kind, "__hash__", _same_for_all))
        yield
