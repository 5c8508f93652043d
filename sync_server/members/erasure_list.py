"""Who was erased, kept beside the database and beside copies: a restored copy is cleaned by it.

One line of JSON each, flushed before the erasure is committed. It holds random ids only.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.ids import MemberId

LIST_FILE: Final = "erased-members.jsonl"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """A member who must not come back."""

    member_id: MemberId
    erased_at: str


_decoder = msgspec.json.Decoder(Erased)


@dataclass(frozen=True, slots=True)
class ErasureList:
    """The list in one file."""

    file: Path

    def add(self, erased: Erased) -> None:
        """Append a line and flush it to the device."""
        self._append([erased])

    def read(self) -> list[Erased]:
        """All lines; one that was cut off by a crash belongs to an erasure that was not made."""
        return list(self._lines())

    def copy_to(self, other: Path) -> None:
        """Bring the list at a copy's side up to this one; what it has beyond it stays."""
        theirs = ErasureList(other)
        theirs._append(missing(self.read(), theirs.read()))

    def _append(self, new: Iterable[Erased]) -> None:
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in new)
        if not lines:
            return
        cut_off = self.file.exists() and not self.file.read_bytes().endswith(b"\n")
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as opened:
            opened.write(b"\n" + lines if cut_off else lines)
            opened.flush()
            os.fsync(opened.fileno())

    def _lines(self) -> Iterator[Erased]:
        if not self.file.exists():
            return
        for line in self.file.read_bytes().splitlines():
            try:
                yield _decoder.decode(line)
            except msgspec.MsgspecError:
                continue


def missing(ours: Iterable[Erased], theirs: Iterable[Erased]) -> list[Erased]:
    """What of ours is not among theirs."""
    known = {one.member_id for one in theirs}
    return [one for one in ours if one.member_id not in known]
