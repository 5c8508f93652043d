"""Looks for a thousand things in every byte of a folder at once, packed ones included.

A table of the first eight bytes of every shape is laid against all places of a file; what begins
alike is compared whole.
"""

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from sqlcipher3 import dbapi2

from tests.privacy.people import shapes

WINDOW: Final = 8
ZLIB_HEADS: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
ZSTD_HEAD: Final = b"\x28\xb5\x2f\xfd"


class Trace(NamedTuple):
    """Something that was found, and where."""

    place: str
    label: str


class Searcher:
    """Knows what to look for."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """``wanted``: texts by a label that says what they are."""
        self._whole: defaultdict[int, list[tuple[bytes, str]]] = defaultdict(list)
        for label, text in wanted.items():
            for shape in set(shapes(text)):
                assert len(shape) >= WINDOW, (label, shape)
                self._whole[int.from_bytes(shape[:WINDOW], "little")].append((shape, label))
        self._heads = np.array(sorted(self._whole), dtype=np.uint64)

    def search(self, folder: Path) -> set[Trace]:
        """What stands in any file below a folder."""
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        return {
            Trace(f"{file.relative_to(folder)}{inside}", label)
            for file in files
            for inside, content in views(file)
            for label in self.labels_in(content)
        }

    def labels_in(self, content: bytes) -> set[str]:
        """What stands in some bytes."""
        found: set[str] = set()
        for start in range(WINDOW):
            usable = (len(content) - start) // WINDOW * WINDOW
            if usable <= 0:
                continue
            windows = np.frombuffer(content, dtype="<u8", count=usable // WINDOW, offset=start)
            at = np.searchsorted(self._heads, windows)
            at[at == len(self._heads)] = 0
            for hit in np.nonzero(self._heads[at] == windows)[0]:
                place = start + int(hit) * WINDOW
                for shape, label in self._whole[int(windows[hit])]:
                    if content[place : place + len(shape)] == shape:
                        found.add(label)
        return found


def views(file: Path) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, what is packed in it, and the values of a database, row by row.

    The bytes of a database have its free pages and its log; a value that lies on two pages is whole
    only among its values.
    """
    content = file.read_bytes()
    yield "", content
    assert ZSTD_HEAD not in content[:4], f"{file}: zstd, which this search cannot unpack"
    yield from unpacked(content)
    if content.startswith(b"SQLite format 3\0"):
        values = b"\0".join(_values(file))
        yield "[values]", values
        yield from unpacked(values)


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Streams of gzip, zip and zlib, wherever they begin."""
    readers: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
        (b"\x1f\x8b\x08", _gunzip),
        (b"PK\x03\x04", _unzip),
        *((head, _inflate) for head in ZLIB_HEADS),
    )
    for head, read in readers:
        at = content.find(head)
        while at >= 0:
            with suppress(OSError, EOFError, zlib.error, zipfile.BadZipFile):
                if inner := read(content[at:]):
                    yield f"[{read.__name__.strip('_')} at {at}]", inner
            at = content.find(head, at + 1)


def _gunzip(packed: bytes) -> bytes:
    return gzip.GzipFile(fileobj=io.BytesIO(packed)).read()


def _inflate(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed)


def _unzip(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return b"\0".join(opened.read(name) for name in opened.namelist())


def _values(file: Path) -> Iterable[bytes]:
    with closing(dbapi2.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        for name in names:
            with suppress(sqlite3.DatabaseError, dbapi2.DatabaseError):
                for row in connection.execute(f'SELECT * FROM "{name}"'):
                    yield from map(_as_bytes, row)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
