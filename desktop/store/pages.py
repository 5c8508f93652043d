"""The pages of a SQLite file and its log as bytes, whether or not SQLite would read them.

https://sqlite.org/fileformat2.html
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE_BYTES: Final = 4096
"""Of every till's file; a header that says otherwise is damaged."""
LOG_HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
NEXT_BYTES: Final = 4
"""A page's number, at the start of an overflow page and behind the beginning of a long row."""
CHAIN_MAX: Final = 20
"""Pages of the longest row."""

Content = bytes | mmap.mmap


@dataclass(frozen=True)
class PageFile:
    """A file or a log: everything in it, and where its pages begin."""

    content: Content
    start: int
    """Where the first page's header, if it has one, begins."""
    header: int
    """Bytes before each page."""

    def page_end(self, at: int) -> int:
        """Where the page ends in which a place lies."""
        step = self.header + PAGE_BYTES
        return at + step - (at - self.start) % step


class Pages:
    """Both files of a database."""

    def __init__(self, file: Content, log: Content) -> None:
        self._file = file
        self._log = log
        self._newest: dict[int, int] = {}
        """Where in the log a page's newest version begins."""
        frame = FRAME_HEADER_BYTES + PAGE_BYTES
        for at in range(LOG_HEADER_BYTES, len(log) - frame + 1, frame):
            (number,) = struct.unpack_from(">I", log, at)
            self._newest[number] = at + FRAME_HEADER_BYTES

    @property
    def files(self) -> tuple[PageFile, ...]:
        """The log, whose pages are newer, and the file."""
        return (
            PageFile(self._log, LOG_HEADER_BYTES, FRAME_HEADER_BYTES),
            PageFile(self._file, 0, 0),
        )

    def continued(self, file: PageFile, at: int) -> bytes:
        """What begins at a place and goes on in overflow pages; nothing where it does not."""
        # Page numbers of files below 64 GiB begin with a zero byte, and text has none.
        end = file.content.find(b"\0", at, file.page_end(at))
        if end < 0 or end + NEXT_BYTES > len(file.content):
            return b""
        found = [file.content[at:end]]
        (following,) = struct.unpack_from(">I", file.content, end)
        for _ in range(CHAIN_MAX):
            page = self._page(following)
            if len(page) < NEXT_BYTES:
                break
            found.append(page[NEXT_BYTES:])
            (following,) = struct.unpack_from(">I", page)
        return b"".join(found) if len(found) > 1 else b""

    def _page(self, number: int) -> bytes:
        if number in self._newest:
            return self._log[self._newest[number] : self._newest[number] + PAGE_BYTES]
        first = (number - 1) * PAGE_BYTES
        return self._file[first : first + PAGE_BYTES] if number else b""


@contextmanager
def open_pages(database: Path) -> Iterator[Pages]:
    """Map a database's file and log into memory, to be read only; what is not there is empty."""
    files = [_mapped(database), _mapped(database.with_name(f"{database.name}-wal"))]
    try:
        yield Pages(*files)
    finally:
        for file in files:
            if isinstance(file, mmap.mmap):
                file.close()


def _mapped(file: Path) -> Content:
    if not file.exists() or not file.stat().st_size:
        return b""
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
