"""What head office told this till to do, and how far it is."""

from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection

from desktop.store.settings import read_value, write_value
from shared.journal.keys import Signed
from shared.protocol.command import CommandState, CommandTerms

COMMANDS = "commands"
ENDED_MAX: Final = 1_000
"""More than a till is told in its life."""


class HeldCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One command, as it was proved when it came."""

    statement: Signed
    state: CommandState = CommandState.SEEN

    @property
    def terms(self) -> CommandTerms:
        """What it says."""
        return msgspec.json.decode(self.statement.payload, type=CommandTerms)


class Commands(msgspec.Struct, frozen=True, kw_only=True):
    """All that this till was told and that is not over, and what is."""

    commands: tuple[HeldCommand, ...] = ()
    ended: tuple[str, ...] = ()
    """Ids of those that were done or taken back: shown again, they are passed over."""

    def then(self, commands: Iterable[HeldCommand]) -> "Commands":
        """These and no others from here on; one that is missing has ended."""
        kept = tuple(one for one in commands if one.terms.command_id not in self.ended)
        ids = {one.terms.command_id for one in kept}
        over = (one.terms.command_id for one in self.commands)
        ended = (*self.ended, *(command_id for command_id in over if command_id not in ids))
        return Commands(commands=kept, ended=ended[-ENDED_MAX:])


def read_commands(connection: Connection) -> Commands:
    """The commands that are not over, in the order in which they came, and what is over."""
    return read_value(connection, COMMANDS, Commands) or Commands()


def write_commands(connection: Connection, commands: Commands) -> None:
    """Keep these and no others."""
    write_value(connection, COMMANDS, commands)
