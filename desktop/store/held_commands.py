"""What head office told this till to do, and how far it is."""

import msgspec
from sqlalchemy import Connection

from desktop.store.settings import read_value, write_value
from shared.journal.keys import Signed
from shared.protocol.command import CommandState, CommandTerms

COMMANDS = "commands"


class HeldCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One command, as it was proved when it came."""

    statement: Signed
    state: CommandState = CommandState.SEEN
    is_begun: bool = False
    """With ``rekey``: the new key was asked for."""

    @property
    def terms(self) -> CommandTerms:
        """What it says."""
        return msgspec.json.decode(self.statement.payload, type=CommandTerms)


class HeldCommands(msgspec.Struct, frozen=True, kw_only=True):
    """All that are not over."""

    commands: tuple[HeldCommand, ...] = ()


def read_commands(connection: Connection) -> tuple[HeldCommand, ...]:
    """The commands that are not over, in the order in which they came."""
    found = read_value(connection, COMMANDS, HeldCommands)
    return found.commands if found is not None else ()


def write_commands(connection: Connection, commands: tuple[HeldCommand, ...]) -> None:
    """Keep these and no others."""
    write_value(connection, COMMANDS, HeldCommands(commands=commands))
