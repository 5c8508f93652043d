"""What the root said of the server's keys, kept beside the database and beside copies: a server
that is restored from an older copy knows it again, for tills know it, too.

One line of JSON each, in the order in which they were made. Nothing in it is secret, and nothing in
it is believed that the root of its time did not sign.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.journal.keys import Signed
from sync_server.database.line_file import LineFile
from sync_server.database.transaction import Snapshot
from sync_server.keys.known import all_statements

LIST_FILE: Final = "server-keys.jsonl"


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    statement: Signed


@dataclass(frozen=True, slots=True)
class StatementList:
    """The list in one file."""

    file: Path

    def bring_up_to(self, snapshot: Snapshot) -> None:
        """Add what the database has beyond the list; flushed to the device.

        What was altered there is nothing to keep: ``verify`` names it.
        """
        with suppress(msgspec.MsgspecError):
            self.add(all_statements(snapshot))

    def read(self) -> list[Signed]:
        """All statements; a line that was cut off is written again with the next start."""
        return [line.statement for line in self._lines.read()]

    def copy_to(self, other: Path) -> None:
        """Bring the list at a copy's side up to this one; what it has beyond it stays."""
        StatementList(other).add(self.read())

    def add(self, statements: Sequence[Signed]) -> None:
        """Append those that are not in it, and flush them to the device."""
        known = self.read()
        self._lines.append(_Line(statement=one) for one in statements if one not in known)

    @property
    def _lines(self) -> LineFile[_Line]:
        return LineFile(self.file, _Line)


def together(lists: Iterable[StatementList]) -> list[Signed]:
    """What several lists say, each statement once; the longest list's order first."""
    found: list[Signed] = []
    for one in sorted((each.read() for each in lists), key=len, reverse=True):
        found += [signed for signed in one if signed not in found]
    return found
