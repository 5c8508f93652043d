"""A VFS under the very SQLite library that till and server use, which asks before each change.

It is SQLite's own for this system, with other functions where a file is opened, written, cut,
flushed and deleted. A library of its own (apsw) would bring its own SQLite: the product's has the
pages encrypted, and another version of the log. The symbols are those that ``sqlcipher3`` exports;
the two structures are part of SQLite's promised ABI (https://sqlite.org/c3ref/vfs.html).
"""

import ctypes as c
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import sqlcipher3._sqlite3

OK: Final = 0
_POINTER: Final = c.c_void_p


class Watcher(Protocol):
    """Is asked before each change of a file; what it returns other than OK is SQLite's error."""

    def write(self, file: str, offset: int, data: bytes) -> int: ...
    def truncate(self, file: str, size: int) -> int: ...
    def sync(self, file: str) -> int: ...
    def delete(self, file: str) -> int: ...


class _Vfs(c.Structure):
    """``sqlite3_vfs``."""

    _fields_ = (
        ("iVersion", c.c_int),
        ("szOsFile", c.c_int),
        ("mxPathname", c.c_int),
        ("pNext", _POINTER),
        ("zName", c.c_char_p),
        ("pAppData", _POINTER),
        ("xOpen", _POINTER),
        ("xDelete", _POINTER),
        *((f"other{number}", _POINTER) for number in range(14)),
    )


class _Methods(c.Structure):
    """``sqlite3_io_methods``, version 3."""

    _fields_ = (
        ("iVersion", c.c_int),
        ("xClose", _POINTER),
        ("xRead", _POINTER),
        ("xWrite", _POINTER),
        ("xTruncate", _POINTER),
        ("xSync", _POINTER),
        *((f"other{number}", _POINTER) for number in range(13)),
    )


# Names as pointers: SQLite keeps them as long as the file is open.
_OPEN: Final = c.CFUNCTYPE(c.c_int, _POINTER, _POINTER, _POINTER, c.c_int, _POINTER)
_DELETE: Final = c.CFUNCTYPE(c.c_int, _POINTER, _POINTER, c.c_int)
_CLOSE: Final = c.CFUNCTYPE(c.c_int, _POINTER)
_WRITE: Final = c.CFUNCTYPE(c.c_int, _POINTER, _POINTER, c.c_int, c.c_int64)
_TRUNCATE: Final = c.CFUNCTYPE(c.c_int, _POINTER, c.c_int64)
_SYNC: Final = c.CFUNCTYPE(c.c_int, _POINTER, c.c_int)


_KEPT: Final[list[object]] = []
"""Files that are still open point into these."""


class _Shim:
    """Everything that SQLite points to while it is there."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._names: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        self._kept: list[Any] = []
        self._library = c.CDLL(sqlcipher3._sqlite3.__file__)
        self._library.sqlite3_vfs_find.restype = _POINTER
        self._library.sqlite3_vfs_find.argtypes = [c.c_char_p]
        for name in ("sqlite3_vfs_register", "sqlite3_vfs_unregister"):
            getattr(self._library, name).argtypes = [_POINTER, c.c_int][
                : 2 if "_reg" in name else 1
            ]
        self._original = self._library.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(c.string_at(self._original, c.sizeof(_Vfs)))
        self._open = _OPEN(self._vfs.xOpen)
        self._delete = _DELETE(self._vfs.xDelete)
        self._vfs.zName = b"torture"
        self._vfs.xOpen = self._pointer(_OPEN(self._opened))
        self._vfs.xDelete = self._pointer(_DELETE(self._deleted))

    def register(self) -> None:
        """New connections of this process go through it."""
        assert self._library.sqlite3_vfs_register(c.addressof(self._vfs), 1) == OK

    def unregister(self) -> None:
        """And no more; what is open goes on through it until it is closed."""
        _KEPT.append(self)
        assert self._library.sqlite3_vfs_unregister(c.addressof(self._vfs)) == OK

    def _pointer(self, function: Any) -> int | None:
        self._kept.append(function)
        return c.cast(function, _POINTER).value

    def _opened(self, _vfs: int, name: int | None, file: int, flags: int, told: int) -> int:
        code: int = self._open(self._original, name, file, flags, told)
        if code == OK and name is not None:
            methods = _POINTER.from_address(file)
            assert methods.value is not None
            self._names[file] = c.string_at(name).decode()
            methods.value = c.addressof(self._table(methods.value))
        return code

    def _deleted(self, _vfs: int, name: int, is_synced: int) -> int:
        code = self._watcher.delete(c.string_at(name).decode())
        return code or int(self._delete(self._original, name, is_synced))

    def _table(self, original: int) -> _Methods:
        if original not in self._tables:
            table = _Methods.from_buffer_copy(c.string_at(original, c.sizeof(_Methods)))
            self._replace(table)
            self._tables[original] = table
        return self._tables[original]

    def _replace(self, table: _Methods) -> None:
        close, write = _CLOSE(table.xClose), _WRITE(table.xWrite)
        truncate, sync = _TRUNCATE(table.xTruncate), _SYNC(table.xSync)
        names, watcher = self._names, self._watcher

        def closed(file: int) -> int:
            names.pop(file, None)
            return int(close(file))

        def written(file: int, data: int, size: int, offset: int) -> int:
            code = watcher.write(names[file], offset, c.string_at(data, size))
            return code or int(write(file, data, size, offset))

        def truncated(file: int, size: int) -> int:
            return watcher.truncate(names[file], size) or int(truncate(file, size))

        def synced(file: int, flags: int) -> int:
            return watcher.sync(names[file]) or int(sync(file, flags))

        table.xClose = self._pointer(_CLOSE(closed))
        table.xWrite = self._pointer(_WRITE(written))
        table.xTruncate = self._pointer(_TRUNCATE(truncated))
        table.xSync = self._pointer(_SYNC(synced))


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Let every file that SQLite opens meanwhile in this process go through a watcher."""
    shim = _Shim(watcher)
    shim.register()
    try:
        yield
    finally:
        shim.unregister()
