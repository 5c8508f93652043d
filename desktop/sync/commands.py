"""What head office tells this till to do: kept until it is done, answered until that is heard."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Engine

from desktop.release import release
from desktop.store.held_commands import Commands, HeldCommand, read_commands, write_commands
from desktop.store.identity import TillIdentity
from desktop.store.journal import Journal, current_epoch
from desktop.store.payments import ends_a_payment, open_payments
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import ServerConnection
from desktop.sync.rekeying import KeyChange
from desktop.sync.server_keys import ServerTrust
from shared.errors import DomainError, EnvironmentFault
from shared.journal.keys import Signed
from shared.protocol.command import (
    CommandKind,
    CommandReply,
    CommandReport,
    CommandRequest,
    CommandState,
    CommandTerms,
    command_of,
    release_number,
)
from shared.protocol.message import PROTOCOL

BEING_WIPED = "till-being-wiped"
WAITS_FOR_PAYMENTS = "wipe-waits-for-payments"

log = structlog.get_logger("sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of whoever stands at the till."""

    release: str = ""
    """Head office needs this release or a later one; empty where this one is good."""


class CommandKeeper:
    """Hears commands and does them; used from the sync thread."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        journal: Journal,
        identity: TillIdentity,
        trust: ServerTrust,
        key_change: KeyChange,
        destroy: Callable[[CommandTerms], EnvironmentFault],
    ) -> None:
        """``destroy`` ends this till for good, and says what the screen says from then on."""
        self._writer = writer
        self._reading = reading
        self._journal = journal
        self._identity = identity
        self._trust = trust
        self._key_change = key_change
        self._destroy = destroy
        self._is_closed = False
        self._all = self._read()
        self._begin_wipe()

    @property
    def _held(self) -> tuple[HeldCommand, ...]:
        return self._all.commands

    @property
    def is_open(self) -> bool:
        """Whether there is something that the server has not heard the end of."""
        return bool(self._held)

    @property
    def wipe(self) -> CommandTerms | None:
        """The command that ends this till, if it was given; of several the most decided one."""
        wipes = [one.terms for one in self._held if one.terms.kind == CommandKind.WIPE]
        return max(wipes, key=lambda terms: terms.even_unsent, default=None)

    @property
    def asked(self) -> Asked:
        """What whoever stands here should know."""
        wanted = [one.terms.minimum_release for one in self._held if _is_too_old(one)]
        return Asked(release=max(wanted, key=release_number, default=""))

    def tend(self, server: ServerConnection) -> None:
        """Tell how far everything is, and hear what else there is to do.

        Raises what the connection raises, and ProtocolError for a command that is not the server's
        word to this till: nothing of such an answer is taken.
        """
        before = self._tell(server)
        if any(one.terms.command_id not in before for one in self._held):
            self._tell(server)

    def _tell(self, server: ServerConnection) -> frozenset[str]:
        """One question and its answer; the commands that were known before."""
        before = frozenset(one.terms.command_id for one in self._held)
        self._put(tuple(self._step(one) for one in self._held))
        self._take(self._ask(server, tuple(self._report(one) for one in self._held)))
        return before

    def payments_under_way(self) -> int:
        """Of a till that is being wiped: none is begun any more, so what is 0 stays 0."""
        with self._reading.connect() as connection:
            return len(open_payments(connection))

    def finish_wipe(self, server: ServerConnection, *, unsent: int) -> EnvironmentFault | None:
        """Say that this till ends now; once that is heard, end it. What to say where it ended."""
        terms = self.wipe
        assert terms is not None
        report = CommandReport(command_id=terms.command_id, state=CommandState.DONE, unsent=unsent)
        reply = self._ask(server, (report,))
        if terms.command_id not in reply.confirmed:
            return None
        log.warning("wiped", command=terms.command_id, unsent=unsent)
        return self._destroy(terms)

    def _ask(self, server: ServerConnection, reports: tuple[CommandReport, ...]) -> CommandReply:
        request = CommandRequest(protocol=PROTOCOL, release=release(), reports=reports)
        reply = server.commands(request)
        if reply.unknown:
            # It was restored from a copy that was made before: it learns of them from here.
            shown = tuple(
                one.statement for one in self._held if one.terms.command_id in reply.unknown
            )
            again = CommandRequest(
                protocol=PROTOCOL, release=release(), reports=reports, shown=shown
            )
            reply = server.commands(again)
        return reply

    def _report(self, held: HeldCommand) -> CommandReport:
        return CommandReport(command_id=held.terms.command_id, state=held.state)

    def _take(self, reply: CommandReply) -> None:
        proved = [(signed, self._prove(signed)) for signed in reply.commands]
        epoch = self._epoch()
        now = {terms.command_id: signed for signed, terms in proved}
        known = {one.terms.command_id for one in self._held}
        kept = [
            # The server gives it again, for the epoch under a new key.
            msgspec.structs.replace(one, statement=now[one.terms.command_id])
            for one in self._held
            # One that is over, or was taken back, is not told any more.
            if one.terms.command_id in now and one.terms.command_id not in reply.confirmed
        ]
        kept += [
            HeldCommand(statement=signed)
            for signed, terms in proved
            if terms.command_id not in known and terms.through_epoch >= epoch
        ]
        self._put(tuple(kept))
        self._begin_wipe()

    def _prove(self, signed: Signed) -> CommandTerms:
        return command_of(signed, self._trust.key_for(signed), self._identity.journal)

    def _step(self, held: HeldCommand) -> HeldCommand:
        """Do what can be done without asking anybody; safe to repeat wherever it was cut off."""
        if held.terms.kind == CommandKind.UPGRADE and not _is_too_old(held):
            return msgspec.structs.replace(held, state=CommandState.DONE)
        if held.terms.kind == CommandKind.REKEY:
            if self._epoch() > held.terms.through_epoch:
                return msgspec.structs.replace(held, state=CommandState.DONE)
            if self._key_change.refused is None:
                self._key_change.ask()
        return held

    def _begin_wipe(self) -> None:
        """From here on nothing more is written, so that nothing is lost that comes after a push;
        only payments whose money may have moved come to their end."""
        is_wiping = self.wipe is not None
        if is_wiping == self._is_closed:
            return
        refusal = DomainError(BEING_WIPED) if is_wiping else None

        def work(_transaction: Transaction) -> None:
            self._journal.close(refusal, still_written=ends_a_payment)

        self._writer.run(work, Urgency.BACKGROUND)
        self._is_closed = is_wiping

    def _epoch(self) -> int:
        with self._reading.connect() as connection:
            epoch = current_epoch(connection)
        assert epoch is not None
        return epoch.head.epoch

    def _read(self) -> Commands:
        with self._reading.connect() as connection:
            return read_commands(connection)

    def _put(self, commands: tuple[HeldCommand, ...]) -> None:
        then = self._all.then(commands)
        if then == self._all:
            return

        def work(transaction: Transaction) -> None:
            write_commands(transaction.connection, then)

        self._writer.run(work, Urgency.BACKGROUND)
        self._all = then


def _is_too_old(held: HeldCommand) -> bool:
    """Whether this release is below the one that is needed."""
    if held.terms.kind != CommandKind.UPGRADE:
        return False
    try:
        return release_number(release()) < release_number(held.terms.minimum_release)
    except DomainError:
        return False
