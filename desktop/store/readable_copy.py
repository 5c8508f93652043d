"""A copy of a till's database of which SQLite reads as much as there is.

SQLCipher refuses a page whose HMAC is wrong, however little of it is harmed. In the copy every HMAC
is right, so that a harmed page is what it would be in a plain file. What was encrypted stays so:
nothing is written in clear.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from desktop.store.database import TillFolder
from desktop.store.page_cipher import PAGE_BYTES, SALT_BYTES, TAG_BEGINS, PageTags

NOTHING: Final = bytes(PAGE_BYTES)
"""SQLCipher takes it for a page that was never written."""


@dataclass(slots=True)
class CheckedPages:
    """What the HMACs say of the file, without its log; plain files have none."""

    pages: int = 0
    damaged: int = 0


class ReadableCopy(NamedTuple):
    """Where the copy is, and what was found while it was made."""

    folder: TillFolder
    checked: CheckedPages


@contextmanager
def readable_copy(folder: TillFolder, salt: bytes | None) -> Iterator[ReadableCopy]:
    """A folder with the copy in it, gone afterwards.

    ``salt`` is the one that the pages are proved by; without one the log of an encrypted file
    cannot be read, for its own sums cover the HMACs, and only the file is copied.
    """
    with tempfile.TemporaryDirectory(prefix="evertill-salvage-") as name:
        copy = replace(folder, path=Path(name))
        checked = CheckedPages()
        if folder.key is None:
            _copy(folder, copy, "")
        else:
            checked = _copy_encrypted(folder, copy, folder.key.pages, salt)
        if folder.key is None or salt is not None:
            _copy(folder, copy, "-wal")
        yield ReadableCopy(copy, checked)


def _copy(folder: TillFolder, copy: TillFolder, suffix: str) -> None:
    with suppress(FileNotFoundError):
        shutil.copy(f"{folder.database}{suffix}", f"{copy.database}{suffix}")


def _copy_encrypted(
    folder: TillFolder, copy: TillFolder, key: bytes, salt: bytes | None
) -> CheckedPages:
    checked = CheckedPages()
    with folder.database.open("rb") as file, copy.database.open("wb") as copied:
        head = salt or file.read(SALT_BYTES).ljust(SALT_BYTES, b"\0")
        tags = PageTags(key, head)
        file.seek(0)
        for number in count(1):
            page = file.read(PAGE_BYTES)
            # Without a first page SQLite would not look into the log.
            if len(page) < PAGE_BYTES and number > 1:
                return checked
            page = page.ljust(PAGE_BYTES, b"\0")
            is_right = tags.is_right(page, number) and (number > 1 or page.startswith(head))
            checked.pages += 1
            checked.damaged += not is_right
            if number == 1:
                page = head + page[SALT_BYTES:]
            if not is_right and page != NOTHING:
                page = page[:TAG_BEGINS] + tags.of(page, number)
            copied.write(page)
    return checked
