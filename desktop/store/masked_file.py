"""A file that is written from its beginning to its end and read as a whole, masked where the till's
files are encrypted.

A masked file begins with 16 random bytes; what follows has the length of what it hides, so that
writing goes on where it stopped. Whoever reads it compares a hash: the mask does not show changes.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.store.file_key import IV_BYTES, FileKey

CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MaskedFile:
    """A file of a till's folder; as it is where there is no key."""

    path: Path
    key: FileKey | None

    def exists(self) -> bool:
        """Whether it is there."""
        return self.path.exists()

    @property
    def size(self) -> int:
        """Of its content, in bytes; 0 where it is not there."""
        size = self.path.stat().st_size if self.path.exists() else 0
        return size if self.key is None else max(0, size - IV_BYTES)

    def append(self, content: bytes) -> None:
        """Write behind what is there."""
        # Members' data is readable by the till's own account only.
        self.path.touch(mode=0o600)
        with self.path.open("ab") as opened:
            if self.key is not None:
                content = self._masked(content, opened.tell())
            opened.write(content)

    def _masked(self, content: bytes, at: int) -> bytes:
        assert self.key is not None
        if at < IV_BYTES:
            # A head that was torn by a power cut is no head; nothing can stand behind it.
            self.path.write_bytes(b"")
            iv = secrets.token_bytes(IV_BYTES)
            return iv + self.key.mask(content, iv=iv, at=0)
        with self.path.open("rb") as opened:
            iv = opened.read(IV_BYTES)
        return self.key.mask(content, iv=iv, at=at - IV_BYTES)

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning, piece by piece; nothing where there is no file."""
        if not self.path.exists():
            return
        with self.path.open("rb") as opened:
            iv = opened.read(IV_BYTES) if self.key is not None else b""
            at = 0
            while piece := opened.read(CHUNK_BYTES):
                yield piece if self.key is None else self.key.mask(piece, iv=iv, at=at)
                at += len(piece)

    def replace(self, other: "MaskedFile") -> None:
        """Take another one's place."""
        self.path.replace(other.path)

    def unlink(self) -> None:
        """Delete it; nothing where it is gone."""
        self.path.unlink(missing_ok=True)
