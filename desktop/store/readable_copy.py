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
from typing import Final

from desktop.store.database import TillFolder
from desktop.store.page_cipher import PAGE_BYTES, SALT_BYTES, TAG_BEGINS, PageTags

NOTHING: Final = bytes(PAGE_BYTES)
"""SQLCipher takes it for a page that was never written."""


@dataclass(slots=True)
class CheckedPages:
    """What the HMACs say of the file, without its log; plain files have none."""

    pages: int = 0
    damaged: int = 0


@contextmanager
def readable_copy(
    folder: TillFolder, salt: bytes | None, checked: CheckedPages
) -> Iterator[TillFolder]:
    """A folder with the copy in it, gone afterwards; counts the pages that were copied.

    ``salt`` is the one that the pages are proved by; without one the log cannot be read, for its
    own sums cover the HMACs, and only the file is copied.
    """
    with tempfile.TemporaryDirectory(prefix="evertill-salvage-") as name:
        copy = replace(folder, path=Path(name))
        if folder.key is None:
            _copy(folder, copy, "")
        else:
            _copy_encrypted(folder, copy, folder.key.pages, salt, checked)
        if folder.key is None or salt is not None:
            _copy(folder, copy, "-wal")
        yield copy


def _copy(folder: TillFolder, copy: TillFolder, suffix: str) -> None:
    with suppress(FileNotFoundError):
        shutil.copy(f"{folder.database}{suffix}", f"{copy.database}{suffix}")


def _copy_encrypted(
    folder: TillFolder, copy: TillFolder, key: bytes, salt: bytes | None, checked: CheckedPages
) -> None:
    with folder.database.open("rb") as file, copy.database.open("wb") as copied:
        for number in count(1):
            page = file.read(PAGE_BYTES)
            # Without a first page SQLite would not look into the log.
            if len(page) < PAGE_BYTES and number > 1:
                return
            page = page.ljust(PAGE_BYTES, b"\0")
            if number == 1:
                head = salt or page[:SALT_BYTES]
                tags = PageTags(key, head)
            checked.pages += 1
            is_right = tags.is_right(page, number) and (number > 1 or page.startswith(head))
            if not is_right:
                checked.damaged += 1
                page = page if page == NOTHING else page[:TAG_BEGINS] + tags.of(page, number)
            copied.write(page if number > 1 else head + page[SALT_BYTES:])
