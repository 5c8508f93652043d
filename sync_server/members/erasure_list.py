"""Who was erased, kept beside the database and beside copies: a restored copy is cleaned by it.

One line of JSON each, flushed before the erasure is committed. It holds random ids only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.ids import MemberId
from sync_server.database.line_file import LineFile

LIST_FILE: Final = "erased-members.jsonl"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """A member who must not come back."""

    member_id: MemberId
    erased_at: str


@dataclass(frozen=True, slots=True)
class ErasureList:
    """The list in one file."""

    file: Path

    def add(self, erased: Erased) -> None:
        """Append a line and flush it to the device."""
        self._lines.append([erased])

    def read(self) -> list[Erased]:
        """All lines; one that was cut off by a crash belongs to an erasure that was not made."""
        return list(self._lines.read())

    def copy_to(self, other: Path) -> None:
        """Bring the list at a copy's side up to this one; what it has beyond it stays."""
        theirs = ErasureList(other)
        theirs._lines.append(missing(self.read(), theirs.read()))

    @property
    def _lines(self) -> LineFile[Erased]:
        return LineFile(self.file, Erased)


def missing(ours: Iterable[Erased], theirs: Iterable[Erased]) -> list[Erased]:
    """What of ours is not among theirs."""
    known = {one.member_id for one in theirs}
    return [one for one in ours if one.member_id not in known]
