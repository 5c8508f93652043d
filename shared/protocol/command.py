"""What head office tells a till to do, in the server's signed words, and what the till says."""

import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.errors import DomainError
from shared.ids import JournalId, TillId
from shared.journal.keys import PublicKey, Signed, SigningKey
from shared.protocol.message import Count, Message
from shared.protocol.own_statement import own_terms, sign_own

PURPOSE: Final = "command"
COMMANDS_MAX: Final = 50
"""In one request or answer."""
_RELEASE = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?")
Text = Annotated[str, msgspec.Meta(max_length=64)]


class CommandKind(StrEnum):
    """What can be asked of a till."""

    WIPE = "wipe"
    """Send what is unsent, then destroy keys and files."""
    UPGRADE = "upgrade"
    """Say that a later release is needed; selling goes on."""
    REKEY = "rekey"
    """Change the key that the till signs with."""
    REVOKE = "revoke"
    """Its keys are trusted no more: done as it is given, and told to no till."""


class CommandState(StrEnum):
    """How far a command is."""

    ISSUED = "issued"
    SEEN = "seen"
    """The till has it, and does or says what it can."""
    DONE = "done"
    CANCELLED = "cancelled"
    """Head office took it back before it was done."""


class CommandTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The payload. A till passes over fields and kinds that only later releases know."""

    command_id: str
    journal: JournalId
    till_id: TillId
    kind: str
    through_epoch: int
    """It concerns whoever writes this epoch of the journal or an earlier one: the machine that is
    enrolled for the till next is another one."""
    issued_at: str
    minimum_release: str = ""
    """With ``upgrade``."""
    even_unsent: bool = False
    """With ``wipe``: also where something cannot be sent."""


class CommandReport(Message, frozen=True, kw_only=True):
    """What a till says to a command that it has."""

    command_id: Text
    state: CommandState
    unsent: Count = 0
    """Entries that will not come any more, where a wipe is done in spite of them."""


class CommandRequest(Message, frozen=True, kw_only=True):
    """A till asks what it is to do."""

    protocol: Count
    release: Text
    """Of the till's program."""
    reports: Annotated[tuple[CommandReport, ...], msgspec.Meta(max_length=COMMANDS_MAX)] = ()
    shown: Annotated[tuple[Signed, ...], msgspec.Meta(max_length=COMMANDS_MAX)] = ()
    """Commands that the server did not know any more: it was restored from a copy."""


class CommandReply(Message, frozen=True, kw_only=True):
    """All that the till is to do and has not done."""

    commands: tuple[Signed, ...]
    unknown: tuple[str, ...] = ()
    """Of those reported: the till is to show them."""
    confirmed: tuple[str, ...] = ()
    """Of those reported as done: the server has it safe."""


def sign_command(key: SigningKey, terms: CommandTerms) -> Signed:
    """The server's word to one till."""
    return sign_own(key, terms, purpose=PURPOSE)


def command_of(signed: Signed, key: PublicKey, journal: JournalId) -> CommandTerms:
    """The command, if the server's key gave it to this journal.

    Raises ProtocolError ``wrong-statement``, ``bad-signature``, ``bad-command``.
    """
    return own_terms(signed, key, journal, purpose=PURPOSE, kind=CommandTerms)


def release_number(release: str) -> tuple[int, int, int]:
    """``1.4`` and ``1.4.0`` in order; DomainError ``bad-release``."""
    match = _RELEASE.match(release)
    if match is None:
        raise DomainError("bad-release", release=release[:64])
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)
