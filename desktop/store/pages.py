"""The pages of a SQLite file and its log as bytes, whether or not SQLite would read them.

https://sqlite.org/fileformat2.html
"""

import struct
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


@dataclass(frozen=True)
class PageSource:
    """One file's pages by place, and by number for rows that go on elsewhere."""

    content: bytes
    start: int
    """Where the first page's header, if it has one, begins."""
    header: int
    """Bytes before each page."""
    numbered: dict[int, list[bytes]]
    """All versions of each page, the newest first, of all files together."""

    def continued(self, at: int) -> bytes:
        """What begins at a place and goes on in overflow pages; nothing where it does not."""
        step = self.header + PAGE_BYTES
        page_end = at + step - (at - self.start) % step
        # Page numbers of files below 64 GiB begin with a zero byte, and text has none.
        end = self.content.find(b"\0", at, page_end)
        if end < 0 or end + NEXT_BYTES > len(self.content):
            return b""
        found = [self.content[at:end]]
        (following,) = struct.unpack_from(">I", self.content, end)
        for _ in range(CHAIN_MAX):
            versions = self.numbered.get(following)
            if not versions:
                break
            found.append(versions[0][NEXT_BYTES:])
            if len(versions[0]) < NEXT_BYTES:
                break
            (following,) = struct.unpack_from(">I", versions[0])
        return b"".join(found) if len(found) > 1 else b""


def page_sources(database: Path) -> list[PageSource]:
    """The log, whose pages are newer, and the file; of those that are there."""
    log = _read(database.with_name(f"{database.name}-wal"))
    file = _read(database)
    numbered: dict[int, list[bytes]] = {}
    frame = FRAME_HEADER_BYTES + PAGE_BYTES
    for at in range(LOG_HEADER_BYTES, len(log) - frame + 1, frame):
        (number,) = struct.unpack_from(">I", log, at)
        numbered.setdefault(number, []).insert(0, log[at + FRAME_HEADER_BYTES : at + frame])
    for at in range(0, len(file), PAGE_BYTES):
        numbered.setdefault(at // PAGE_BYTES + 1, []).append(file[at : at + PAGE_BYTES])
    sources = [
        PageSource(log, LOG_HEADER_BYTES, FRAME_HEADER_BYTES, numbered),
        PageSource(file, 0, 0, numbered),
    ]
    return [source for source in sources if source.content]


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""
