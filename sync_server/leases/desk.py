"""Grants leases, calls them back, and takes them back by hand: each in one transaction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, select, update

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.ids import LeaseId
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.ledger.account import AccountKind
from shared.protocol.lease import (
    ASKS_MAX,
    HELD_MAX,
    LeaseAnswer,
    LeaseReply,
    LeaseRequest,
    lease_of,
    sign_lease,
)
from shared.trade.lease import LeaseGranted, LeaseReclaimed, LeaseTerms
from shared.trade.writing import Writing
from sync_server.database.schema import leases
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.forks import has_forked, is_newest
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import KnownKeys
from sync_server.keys.vault import Vault
from sync_server.leases.claims import LeaseState
from sync_server.leases.granting import Granting
from sync_server.leases.restored import (
    generation_of,
    is_resting,
    is_to_note,
    note_presented,
)
from sync_server.leases.standing import (
    left_of,
)
from sync_server.programme.bundles import newest_programme

_OWNER = re.compile(r"[!-~]{1,64}")
LEASED = (AccountKind.POINTS, AccountKind.STORED_VALUE, AccountKind.GIFT_CARD)


@dataclass(frozen=True, slots=True)
class LeaseDesk:
    """Who may spend what of which account, until when."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    keys: KnownKeys

    def answer(self, caller: Certificate, request: LeaseRequest) -> LeaseReply:
        """Grant what a till asks for, as far as nobody else holds it.

        Raises ProtocolError ``bad-message`` for names that are no accounts.
        """
        _check(request)
        now = self.clock.now()
        if not (request.asks or request.budget or request.presented):
            reply = self._look(caller, request, now)
            if reply is not None:
                return reply
        with self.database.writing() as work:
            self._show(work, caller, request)
            return self._reply(work, caller, request, now)

    def _look(self, caller: Certificate, request: LeaseRequest, now: datetime) -> LeaseReply | None:
        """What is called back, without writing; None where something is to be noted."""
        with self.database.reading() as snapshot:
            if is_to_note(snapshot, caller.journal, request.generation):
                return None
            return LeaseReply(
                answers=(),
                budget=None,
                generation=generation_of(snapshot),
                is_resting=False,
                called_back=_called_back(snapshot, caller, request.held),
                server_time=format_time(now),
            )

    def _reply(
        self, work: Work, caller: Certificate, request: LeaseRequest, now: datetime
    ) -> LeaseReply:
        answers, budget, rests = self._grant(work, caller, request, now)
        return LeaseReply(
            answers=answers,
            budget=budget,
            generation=generation_of(work),
            is_resting=rests,
            called_back=_called_back(work, caller, request.held),
            server_time=format_time(now),
        )

    def _show(self, work: Work, caller: Certificate, request: LeaseRequest) -> None:
        """A till presents what it holds; a lease that this server lost is a fact again."""
        for signed in request.presented:
            key = self.keys.believed(signed)
            if key is None:
                continue  # whoever has that key could have made it
            terms = lease_of(signed, key, caller.journal)
            known = work.connection.execute(
                select(leases).where(
                    leases.c.shard == work.shard, leases.c.lease_id == terms.lease_id
                )
            ).first()
            if known is None or known.serial < terms.serial:
                self.keep(work, terms, signed, known)
        if is_to_note(work, caller.journal, request.generation):
            note_presented(work, caller.journal)

    def _grant(
        self, work: Work, caller: Certificate, request: LeaseRequest, now: datetime
    ) -> tuple[tuple[LeaseAnswer, ...], Signed | None, bool]:
        programme = newest_programme(work)
        if programme is None or not _is_trusted(work, caller):
            return (), None, False
        rules = programme.leases
        rests = is_resting(work, rules, now)
        granting = Granting(
            self._issue, work, caller, programme, now, protocol=request.protocol, rests=rests
        )
        answers = tuple(granting.answer(ask) for ask in request.asks)
        wants_budget = request.budget and rules.for_points and rules.budget_points
        return answers, granting.budget() if wants_budget and not rests else None, rests

    def _issue(self, work: Work, terms: LeaseTerms, known: Row[Any] | None) -> Signed:
        signed = sign_lease(self.vault.signing, terms)
        self.keep(work, terms, signed, known)
        return signed

    def keep(self, work: Work, terms: LeaseTerms, signed: Signed, known: Row[Any] | None) -> None:
        """The fact of a grant and the lease as it stands by it."""
        fact = LeaseGranted(terms=terms, key_id=signed.key_id)
        (entry,) = self.own.write(work, [Writing(fact)])
        row = {
            **{name: getattr(terms, name) for name in _COPIED},
            "lease_class": terms.lease_class.value,
            "last_at": max(terms.expires_at, known.last_at if known is not None else ""),
            "statement": msgspec.msgpack.encode(signed),
            "granted_by": entry,
        }
        if known is None:
            new = {"spent": 0, "called_back_at": None, "state": LeaseState.OPEN.value}
            work.insert(leases, [{**row, **new}])
        else:
            work.connection.execute(
                update(leases)
                .where(leases.c.shard == work.shard, leases.c.lease_id == terms.lease_id)
                .values(**row)
            )

    def reclaim(self, lease_id: LeaseId, *, by: str) -> int:
        """Take a lease back whose till does not come back; what it had left is exposure.

        Returns that. Raises DomainError ``unknown-lease``, ``lease-not-open``.
        """
        with self.database.writing() as work:
            where = (leases.c.shard == work.shard, leases.c.lease_id == lease_id)
            row = work.connection.execute(select(leases).where(*where)).first()
            if row is None:
                raise DomainError("unknown-lease", lease=lease_id)
            if row.state != LeaseState.OPEN:
                raise DomainError("lease-not-open", lease=lease_id, state=row.state)
            work.connection.execute(
                update(leases).where(*where).values(state=LeaseState.RECLAIMED.value)
            )
            fact = LeaseReclaimed(
                lease_id=lease_id,
                store_id=row.store_id,
                till_id=row.till_id,
                account=row.account,
                unit=row.unit,
                exposure=left_of(row),
                by=by,
            )
            self.own.write(work, [Writing(fact)])
        return fact.exposure


_COPIED = (
    "lease_id",
    "serial",
    "journal",
    "epoch",
    "till_id",
    "store_id",
    "member_id",
    "account",
    "owner",
    "unit",
    "amount",
    "per_member",
    "expires_at",
)


def _check(request: LeaseRequest) -> None:
    if len(request.asks) > ASKS_MAX or max(len(request.held), len(request.presented)) > HELD_MAX:
        raise ProtocolError("bad-message", reason="too many leases")
    for ask in request.asks:
        if ask.account not in LEASED or not _OWNER.fullmatch(ask.owner):
            raise ProtocolError("bad-message", reason="account")
        if not 0 <= ask.wanted <= 2**53:
            raise ProtocolError("bad-message", reason="wanted")


def _is_trusted(work: Work, caller: Certificate) -> bool:
    """Whether the caller writes the newest epoch of its journal, and that one never forked."""
    journal, epoch = caller.journal, caller.epoch
    return is_newest(work, journal, epoch) and not has_forked(work, journal, epoch)


def _called_back(
    snapshot: Snapshot, caller: Certificate, held: Sequence[LeaseId]
) -> tuple[LeaseId, ...]:
    """Of the leases a till holds, those it is to give up."""
    if not held:
        return ()
    columns = leases.c
    statement = select(columns.lease_id).where(
        columns.shard == snapshot.shard,
        columns.journal == caller.journal,
        columns.lease_id.in_(held),
        (columns.called_back_at.is_not(None)) | (columns.state != LeaseState.OPEN.value),
    )
    return tuple(sorted(LeaseId(one) for one in snapshot.connection.execute(statement).scalars()))
