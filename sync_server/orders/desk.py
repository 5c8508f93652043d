"""Telling tills what to do, and hearing what became of it."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, func, or_, select

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.ids import JournalId, TillId, random_id
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.protocol.command import (
    COMMANDS_MAX,
    CommandKind,
    CommandReply,
    CommandReport,
    CommandRequest,
    CommandState,
    CommandTerms,
    command_of,
    release_number,
    sign_command,
)
from shared.trade.server import TillCommanded
from shared.trade.writing import Writing
from sync_server.database.schema import epochs, till_commands
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.enrolment.revoking import revoke_keys
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import KnownKeys
from sync_server.keys.vault import Vault
from sync_server.orders.kept import (
    change_command,
    commands_to,
    find_command,
    keep_command,
    statement_of,
    terms_of,
    waiting_for,
)
from sync_server.orders.log_file import CommandLog, Told
from sync_server.orders.restored import revoke_again
from sync_server.orders.shown import CommandShown, read_commands
from sync_server.orders.waiting import OPEN, concerns
from sync_server.stores.registry import find_till


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Gives commands to tills."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    keys: KnownKeys
    log: CommandLog

    def wipe(self, till_id: TillId, *, is_stolen: bool = False, even_unsent: bool = False) -> str:
        """Let a till send what it has and then destroy itself; the command's id.

        ``is_stolen``: its keys are revoked at once, so what it sends waits in quarantine. Raises
        DomainError ``unknown-till``, ``till-not-enrolled``.
        """
        return self._give(till_id, CommandKind.WIPE, even_unsent=even_unsent, revokes=is_stolen)

    def upgrade(self, till_id: TillId, minimum_release: str) -> str:
        """Let a till say that it needs a later release; raises ``bad-release`` and as above."""
        release_number(minimum_release)
        return self._give(till_id, CommandKind.UPGRADE, minimum_release=minimum_release)

    def rekey(self, till_id: TillId) -> str:
        """Let a till change its key. Raises as ``wipe`` does."""
        return self._give(till_id, CommandKind.REKEY)

    def revoke(self, till_id: TillId) -> int:
        """Trust all keys of a till no more; how many were trusted. DomainError ``unknown-till``.

        The till may be enrolled again, with a new key, at any time.
        """
        with self.database.writing() as work:
            till = find_till(work, till_id)
            if till is None:
                raise DomainError("unknown-till", till=till_id)
            return self._revoke(work, till_id, till.journal) if till.journal is not None else 0

    def cancel(self, command_id: str) -> None:
        """Take a command back; DomainError ``unknown-command``, ``command-done``."""
        with self.database.writing() as work:
            row = find_command(work, command_id)
            if row is None:
                raise DomainError("unknown-command", command=command_id)
            if row.state not in OPEN:
                raise DomainError("command-done", command=command_id, state=row.state)
            self._move(work, row, CommandState.CANCELLED)

    def all(self, till_id: TillId | None = None) -> list[CommandShown]:
        """All commands, the newest first; those of one till."""
        with self.database.reading() as snapshot:
            return read_commands(snapshot, till_id)

    def _give(
        self,
        till_id: TillId,
        kind: CommandKind,
        *,
        minimum_release: str = "",
        even_unsent: bool = False,
        revokes: bool = False,
    ) -> str:
        with self.database.writing() as work:
            till = find_till(work, till_id)
            if till is None:
                raise DomainError("unknown-till", till=till_id)
            if till.journal is None:
                raise DomainError("till-not-enrolled", till=till_id)
            terms = self._terms(
                work,
                till_id,
                till.journal,
                kind,
                minimum_release=minimum_release,
                even_unsent=even_unsent,
            )
            self._keep(work, terms, sign_command(self.vault.signing, terms), CommandState.ISSUED)
            if revokes:
                self._revoke(work, till_id, till.journal)
        return terms.command_id

    def _terms(
        self,
        work: Work,
        till_id: TillId,
        journal: JournalId,
        kind: CommandKind,
        *,
        minimum_release: str = "",
        even_unsent: bool = False,
    ) -> CommandTerms:
        return CommandTerms(
            command_id=random_id(),
            journal=journal,
            till_id=till_id,
            kind=kind,
            through_epoch=_newest_epoch(work, journal),
            issued_at=format_time(self.clock.now()),
            minimum_release=minimum_release,
            even_unsent=even_unsent,
        )

    def _revoke(self, work: Work, till_id: TillId, journal: JournalId) -> int:
        """Noted with the commands, though no till is told: so it outlives a restore."""
        terms = self._terms(work, till_id, journal, CommandKind.REVOKE)
        self._keep(work, terms, sign_command(self.vault.signing, terms), CommandState.DONE)
        return revoke_keys(work, self.own, till_id, journal, terms.issued_at)

    def _keep(self, work: Work, terms: CommandTerms, signed: Signed, state: CommandState) -> None:
        at = terms.issued_at
        self.log.add(Told(command_id=terms.command_id, statement=signed, state=state, at=at))
        keep_command(work, terms, signed, state, at)
        self._tell(work, terms.till_id, terms.command_id, terms.kind, state)

    def _move(self, work: Work, row: Row[Any], state: CommandState, detail: str = "") -> None:
        now = format_time(self.clock.now())
        self._log(row, statement_of(row), state, now)
        change_command(work, row.command_id, state=state, state_at=now, detail=detail or row.detail)
        self._tell(work, TillId(row.till_id), row.command_id, row.kind, state)

    def _tell(
        self, work: Work, till_id: TillId, command_id: str, kind: str, state: CommandState
    ) -> None:
        fact = TillCommanded(till_id=till_id, command_id=command_id, command=kind, state=state)
        self.own.write(work, [Writing(fact)])

    def answer(self, caller: Certificate, request: CommandRequest) -> CommandReply:
        """What a till is to do, after hearing what it has done.

        A till that is trusted no more hears it, too. Raises ProtocolError ``wrong-statement``,
        ``bad-signature``, ``bad-command`` for what it shows.
        """
        if caller.till_id is None:
            raise ProtocolError("unknown-key", key_id=caller.key_id)
        if not (request.reports or request.shown):
            with self.database.reading() as snapshot:
                return _open(snapshot, caller, (), ())
        with self.database.writing() as work:
            for signed in request.shown:
                self._adopt(work, caller, signed)
            unknown, confirmed = [], []
            for report in request.reports:
                row = find_command(work, report.command_id)
                if row is None or row.till_id != caller.till_id:
                    unknown.append(report.command_id)
                    continue
                self._hear(work, caller, row, report)
                if report.state is CommandState.DONE:
                    confirmed.append(report.command_id)
            return _open(work, caller, tuple(unknown), tuple(confirmed))

    def _adopt(self, work: Work, caller: Certificate, signed: Signed) -> None:
        """A command of ours that this server lost by a restore."""
        key = self.keys.believed(signed)
        if key is None:
            # Whoever has that key could have made it; a till that has it forgets it.
            return
        terms = command_of(signed, key, caller.journal)
        if terms.till_id == caller.till_id and find_command(work, terms.command_id) is None:
            self._keep(work, terms, signed, CommandState.ISSUED)

    def _hear(self, work: Work, caller: Certificate, row: Row[Any], report: CommandReport) -> None:
        if row.state not in OPEN or report.state not in (CommandState.SEEN, CommandState.DONE):
            return
        if row.state == report.state:
            return
        through = terms_of(row).through_epoch
        is_done = report.state is CommandState.DONE
        if row.kind == CommandKind.REKEY and is_done and caller.epoch <= through:
            # A copy of the disk may say so; the key that it asks with is still the old one.
            return
        unsent = f"{report.unsent}" if report.unsent else ""
        self._move(work, row, report.state, unsent)
        if row.kind == CommandKind.WIPE and is_done:
            # From here on it is no till any more: a copy of its disk comes back as nobody. The
            # machine that was enrolled after it, and what that one was told, are not concerned.
            now = format_time(self.clock.now())
            till_id = TillId(row.till_id)
            revoke_keys(work, self.own, till_id, caller.journal, now, through=through)
            for other in waiting_for(work, till_id):
                if terms_of(other).through_epoch <= through:
                    self._move(work, other, CommandState.CANCELLED)

    def follow(self, work: Work, before: Certificate, after: Certificate) -> None:
        """Let what waits for a till concern the epoch under its new key: it is the same machine.

        A key that was to change has changed.
        """
        assert before.till_id is not None
        for row in waiting_for(work, before.till_id):
            if terms_of(row).through_epoch < before.epoch:
                continue
            if row.kind == CommandKind.REKEY:
                self._move(work, row, CommandState.DONE)
                continue
            self._extend(work, row, after.epoch)

    def adopted(self, work: Work, certificate: Certificate) -> None:
        """Let what was told to a till concern an epoch of it that this server did not know: it was
        given before a restore, and what was told since then was meant for whoever writes it.
        """
        assert certificate.till_id is not None
        now = format_time(self.clock.now())
        for row in commands_to(work, certificate.till_id):
            terms, state = terms_of(row), CommandState(row.state)
            revoke_again(work, self.own, terms, state, now)
            is_before = terms.through_epoch < certificate.epoch
            if state in OPEN and is_before and certificate.issued_at < terms.issued_at:
                self._extend(work, row, certificate.epoch)

    def _extend(self, work: Work, row: Row[Any], epoch: int) -> None:
        terms = msgspec.structs.replace(terms_of(row), through_epoch=epoch)
        signed = sign_command(self.vault.signing, terms)
        self._log(row, signed, CommandState(row.state), format_time(self.clock.now()))
        change_command(work, row.command_id, statement=msgspec.msgpack.encode(signed))

    def _log(self, row: Row[Any], signed: Signed, state: CommandState, now: str) -> None:
        self.log.add(Told(command_id=row.command_id, statement=signed, state=state, at=now))


def _open(
    snapshot: Snapshot,
    caller: Certificate,
    unknown: tuple[str, ...],
    confirmed: tuple[str, ...],
) -> CommandReply:
    """What this caller is to do: a wipe stays for ever, so that no copy of its disk comes back."""
    columns = till_commands.c
    rows = snapshot.connection.execute(
        select(columns.statement)
        .where(
            columns.shard == snapshot.shard,
            columns.till_id == caller.till_id,
            or_(
                columns.state.in_(OPEN),
                (columns.kind == CommandKind.WIPE.value)
                & (columns.state == CommandState.DONE.value),
            ),
        )
        # Not even fifty others put a wipe off.
        .order_by((columns.kind == CommandKind.WIPE.value).desc(), columns.change_seq.desc())
        .limit(COMMANDS_MAX)
    ).scalars()
    signed = [msgspec.msgpack.decode(one, type=Signed) for one in rows]
    concerned = [one for one in signed if concerns(one, caller)]
    return CommandReply(commands=tuple(concerned), unknown=unknown, confirmed=confirmed)


def _newest_epoch(work: Work, journal: JournalId) -> int:
    """Of those that were written by a till itself; the branches of forks are no tills."""
    newest = select(func.max(epochs.c.epoch)).where(
        epochs.c.shard == work.shard,
        epochs.c.journal == journal,
        epochs.c.forked_epoch.is_(None),
    )
    return int(work.connection.execute(newest).scalar_one())
