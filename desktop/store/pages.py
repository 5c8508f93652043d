"""The pages of a SQLite file and its log as bytes, whether or not SQLite would read them.

Those of an encrypted file are decrypted piece by piece while they are read.

https://sqlite.org/fileformat2.html
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.store.page_cipher import BLOCK_BYTES, PAGE_BYTES, SALT_BYTES, PageCipher, PageTags

LOG_HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
NEXT_BYTES: Final = 4
"""A page's number, at the start of an overflow page and behind the beginning of a long row."""
CHAIN_MAX: Final = 20
"""Pages of the longest row."""

PIECE_BYTES: Final = 1024 * 1024
"""Decrypted at once."""
OVERLAP_BYTES: Final = 2 * PAGE_BYTES
"""Of pieces: what lies in one page lies whole in one of them, with what stands before it."""

Content = bytes | mmap.mmap


@dataclass(frozen=True)
class Stretch:
    """Bytes that can be read and lie side by side: a whole plain file, or a decrypted piece."""

    content: Content
    start: int
    """Where the first page's header, if it has one, begins."""
    step: int
    """From one page to the next."""

    def page_end(self, at: int) -> int:
        """Where the page ends in which a place lies."""
        return at + self.step - (at - self.start) % self.step


class Pages:
    """Both files of a database, read as plain ones or as encrypted ones."""

    def __init__(self, file: Content, log: Content, cipher: PageCipher | None = None) -> None:
        self._file = file
        self._log = log
        self._cipher = cipher
        self._newest: dict[int, int] = {}
        """Where in the log a page's newest version begins."""
        for number, at in self._frames():
            self._newest[number] = at

    def _frames(self) -> Iterator[tuple[int, int]]:
        """Number of each page in the log, and where it begins."""
        frame = FRAME_HEADER_BYTES + PAGE_BYTES
        for at in range(LOG_HEADER_BYTES, len(self._log) - frame + 1, frame):
            (number,) = struct.unpack_from(">I", self._log, at)
            yield number, at + FRAME_HEADER_BYTES

    def read_as(self, cipher: PageCipher) -> "Pages":
        """The same files, read as encrypted ones."""
        return Pages(self._file, self._log, cipher)

    def stretches(self) -> Iterator[Stretch]:
        """The log, whose pages are newer, and the file."""
        for content, start, header in (
            (self._log, LOG_HEADER_BYTES, FRAME_HEADER_BYTES),
            (self._file, 0, 0),
        ):
            whole = Stretch(content, start, header + PAGE_BYTES)
            if self._cipher is None:
                yield whole
            else:
                # Of two pages in the log the second begins half a block later.
                for phase in {0, header % BLOCK_BYTES}:
                    yield from _decrypted(whole, self._cipher, phase)

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Whole pages with their numbers, as they lie on the disk: the file's, then the log's."""
        for at in range(0, len(self._file) - PAGE_BYTES + 1, PAGE_BYTES):
            yield at // PAGE_BYTES + 1, self._file[at : at + PAGE_BYTES]
        for number, at in self._frames():
            yield number, self._log[at : at + PAGE_BYTES]

    def has_content(self) -> bool:
        """Whether there is a whole page with anything on it."""
        return any(any(page) for _number, page in self.numbered())

    def salt(self, key: bytes) -> bytes | None:
        """The salt under which a key proves a page, wherever one is left; None where none does.

        It stands at the head of the file, and of each version of the first page in the log.
        """
        stated = [self._file[:SALT_BYTES]]
        stated += [self._log[at : at + SALT_BYTES] for number, at in self._frames() if number == 1]
        for salt in dict.fromkeys(one for one in stated if len(one) == SALT_BYTES):
            tags = PageTags(key, salt)
            if any(tags.is_right(page, number) for number, page in self.numbered()):
                return salt
        return None

    def continued(self, stretch: Stretch, at: int) -> bytes:
        """What begins at a place and goes on in overflow pages; nothing where it does not."""
        # Page numbers of files below 64 GiB begin with a zero byte, and text has none.
        end = stretch.content.find(b"\0", at, stretch.page_end(at))
        if end < 0 or end + NEXT_BYTES > len(stretch.content):
            return b""
        found = [stretch.content[at:end]]
        (following,) = struct.unpack_from(">I", stretch.content, end)
        for _ in range(CHAIN_MAX):
            page = self._page(following)
            if len(page) < NEXT_BYTES:
                break
            found.append(page[NEXT_BYTES:])
            (following,) = struct.unpack_from(">I", page)
        return b"".join(found) if len(found) > 1 else b""

    def _page(self, number: int) -> bytes:
        page = self._stored(number)
        return page if self._cipher is None else self._cipher.clear(page)

    def _stored(self, number: int) -> bytes:
        if number in self._newest:
            return self._log[self._newest[number] : self._newest[number] + PAGE_BYTES]
        first = (number - 1) * PAGE_BYTES
        return self._file[first : first + PAGE_BYTES] if number else b""


def _decrypted(whole: Stretch, cipher: PageCipher, phase: int) -> Iterator[Stretch]:
    """Piece by piece, wherever pages begin: a block needs only the one before it.

    So bytes are found too that lie in another page's place, or have lost their page's end.
    """
    for at in range(phase, len(whole.content), PIECE_BYTES):
        piece = whole.content[at : at + PIECE_BYTES + OVERLAP_BYTES]
        yield Stretch(cipher.clear_blocks(piece), whole.start - at, whole.step)


@contextmanager
def open_pages(database: Path) -> Iterator[Pages]:
    """Map a database's file and log into memory, to be read only; what is not there is empty."""
    file, log = _mapped(database), _mapped(database.with_name(f"{database.name}-wal"))
    try:
        yield Pages(file, log)
    finally:
        for mapped in (file, log):
            if isinstance(mapped, mmap.mmap):
                mapped.close()


def _mapped(file: Path) -> Content:
    if not file.exists() or not file.stat().st_size:
        return b""
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
