"""What tills were told to do, kept beside the database and beside copies: a restored server knows
it again, though its copy was made before.

One line of JSON each, flushed before the command is committed; of several about one, the one in
which it is furthest counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.journal.keys import Signed
from shared.protocol.command import CommandState
from sync_server.database.line_file import LineFile

LOG_FILE: Final = "till-commands.jsonl"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A command and how far it was."""

    command_id: str
    statement: Signed
    state: CommandState
    at: str


_FURTHER: Final = {
    CommandState.ISSUED: 0,
    CommandState.SEEN: 1,
    CommandState.CANCELLED: 2,
    CommandState.DONE: 2,
}


def is_further(state: CommandState, than: CommandState) -> bool:
    """Whether a command is as far as that or further: states go one way, clocks do not."""
    return _FURTHER[state] >= _FURTHER[than]


@dataclass(frozen=True, slots=True)
class CommandLog:
    """The list in one file."""

    file: Path

    def add(self, told: Told) -> None:
        """Append a line and flush it to the device."""
        self._lines.append([told])

    def read(self) -> dict[str, Told]:
        """How far each command is; a line that was cut off is of a command not given."""
        return _furthest(self._lines.read())

    def copy_to(self, other: Path) -> None:
        """Bring the list at a copy's side up to this one; what it has beyond it stays."""
        theirs = CommandLog(other)
        known = theirs.read()
        theirs._lines.append(
            told for told in self.read().values() if known.get(told.command_id) != told
        )

    @property
    def _lines(self) -> LineFile[Told]:
        return LineFile(self.file, Told)


def newest(logs: Iterable[CommandLog]) -> dict[str, Told]:
    """What several lists say together."""
    return _furthest(told for log in logs for told in log.read().values())


def _furthest(lines: Iterable[Told]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for told in lines:
        known = found.get(told.command_id)
        if known is None or is_further(told.state, known.state):
            found[told.command_id] = told
    return found
