"""Grants leases, calls them back, and takes them back by hand: each in one transaction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, select, update

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.ids import LeaseId, MemberId, random_id
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.ledger.account import AccountKind, money_unit, points_unit
from shared.loyalty.leasing import Leases, Standing, granted
from shared.loyalty.programme import Programme
from shared.protocol.lease import (
    ASKS_MAX,
    HELD_MAX,
    CardTax,
    LeaseAnswer,
    LeaseAsk,
    LeaseReply,
    LeaseRequest,
    lease_of,
    sign_lease,
)
from shared.protocol.message import PROTOCOL_CARD_TAX, spoken
from shared.trade.lease import LeaseClass, LeaseGranted, LeaseReclaimed, LeaseTerms
from shared.trade.writing import Writing
from sync_server.database.schema import leases
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.forks import has_forked, is_newest
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault
from sync_server.leases.card_tax import card_tax
from sync_server.leases.claims import LeaseState
from sync_server.leases.restored import (
    generation_of,
    is_resting,
    is_to_note,
    note_presented,
)
from sync_server.leases.standing import (
    LeasedAccount,
    is_member,
    last_day,
    left_of,
    open_leases,
    posted,
)
from sync_server.programme.bundles import newest_programme
from sync_server.stores.registry import find_store

_OWNER = re.compile(r"[!-~]{1,64}")
LEASED = (AccountKind.POINTS, AccountKind.STORED_VALUE, AccountKind.GIFT_CARD)


@dataclass(frozen=True, slots=True)
class LeaseDesk:
    """Who may spend what of which account, until when."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault

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
            terms = lease_of(signed, self.vault.signing.public, caller.journal)
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
        granting = _Granting(
            self, work, caller, programme, now, protocol=request.protocol, rests=rests
        )
        answers = tuple(granting.answer(ask) for ask in request.asks)
        wants_budget = request.budget and rules.for_points and rules.budget_points
        return answers, granting.budget() if wants_budget and not rests else None, rests

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


class _Granting:
    """One till's requests under one programme at one moment."""

    def __init__(
        self,
        desk: LeaseDesk,
        work: Work,
        caller: Certificate,
        programme: Programme,
        now: datetime,
        *,
        protocol: int,
        rests: bool,
    ) -> None:
        self._protocol = protocol
        self._rests = rests
        self._desk = desk
        self._work = work
        self._caller = caller
        self._programme = programme
        self._rules: Leases = programme.leases
        self._now = now
        assert caller.store_id is not None
        store = find_store(work, caller.store_id)
        self._today = now.astimezone(ZoneInfo(store.zone if store else "UTC")).date()

    def answer(self, ask: LeaseAsk) -> LeaseAnswer:
        """What a till may spend of one account."""
        account = self._account(ask)
        is_card = account.kind is AccountKind.GIFT_CARD
        found = open_leases(self._work, account)
        mine = [row for row in found if self._is_mine(row)]
        has = posted(self._work, account, self._today)
        own = mine[-1] if mine else None
        held = left_of(own) if own is not None else 0
        leased = sum(left_of(row) for row in found)
        taxed = card_tax(self._work, account.owner, account.unit, has) if is_card else None
        # What a taxed card pays follows from what is left of it: one till at a time has all of it.
        wanted = max(ask.wanted, has) if taxed else ask.wanted
        signed = None
        if self._may_give(account, taxed):
            standing = Standing(posted=has, held=held, leased=leased)
            signed = self._give(account, own, standing, wanted, is_taxed=taxed is not None)
            self._call_back(found, standing, wanted)
        answer = LeaseAnswer(
            account=ask.account,
            owner=ask.owner,
            granted=signed,
            balance=max(0, has),
            elsewhere=sum(left_of(row) for row in found if not self._is_mine(row)),
            last_day=last_day(self._work, account.owner) if is_card else None,
            card_tax=taxed,
        )
        return spoken(answer, self._protocol)

    def _may_give(self, account: LeasedAccount, taxed: CardTax | None) -> bool:
        """A till that does not know such cards would tax a second time what they pay."""
        if self._rests or (taxed is not None and self._protocol < PROTOCOL_CARD_TAX):
            return False
        return account.kind is AccountKind.GIFT_CARD or is_member(self._work, account.owner)

    def _account(self, ask: LeaseAsk) -> LeasedAccount:
        kind = AccountKind(ask.account)
        unit = (
            points_unit(self._programme.points.decimals)
            if kind is AccountKind.POINTS
            else money_unit(self._programme.currency)
        )
        return LeasedAccount(kind=kind, owner=ask.owner, unit=unit)

    def _is_mine(self, row: Row[Any]) -> bool:
        return (row.journal, row.epoch) == (self._caller.journal, self._caller.epoch)

    def _is_over(self, row: Row[Any]) -> bool:
        return datetime.fromisoformat(row.expires_at) <= self._now

    def _give(
        self,
        account: LeasedAccount,
        own: Row[Any] | None,
        standing: Standing,
        wanted: int,
        *,
        is_taxed: bool,
    ) -> Signed | None:
        """The till's lease as it is from now on; one that ended is to be closed first."""
        if own is not None and (self._is_over(own) or own.called_back_at is not None):
            return None
        grant = granted(standing, self._rules, wanted)
        if grant is None:
            return self._statement(own) if own is not None else None
        terms = self._terms(
            own,
            lease_class=LeaseClass.ACCOUNT,
            member_id=None if account.kind is AccountKind.GIFT_CARD else account.owner,
            account=account.kind,
            owner=account.owner,
            unit=account.unit,
            amount=(int(own.spent) if own is not None else 0) + grant.left,
            minutes=grant.minutes,
            is_taxed=is_taxed,
        )
        return self._keep(terms, own)

    def budget(self) -> Signed | None:
        """The till's own budget, filled up by what the server has received of it.

        Its end does not move: when it comes the till closes it, and gets the next one.
        """
        columns = leases.c
        own = self._work.connection.execute(
            select(leases).where(
                columns.shard == self._work.shard,
                columns.journal == self._caller.journal,
                columns.epoch == self._caller.epoch,
                columns.lease_class == LeaseClass.BUDGET.value,
                columns.state == LeaseState.OPEN.value,
            )
        ).first()
        if own is not None and (self._is_over(own) or own.called_back_at is not None):
            return None
        amount = (int(own.spent) if own is not None else 0) + self._rules.budget_points
        if own is not None and amount <= own.amount:
            return self._statement(own)
        terms = self._terms(
            own,
            lease_class=LeaseClass.BUDGET,
            member_id=None,
            account=AccountKind.POINTS,
            owner="",
            unit=points_unit(self._programme.points.decimals),
            amount=amount,
            minutes=self._rules.hours * 60,
        )
        if own is not None:
            terms = msgspec.structs.replace(terms, expires_at=own.expires_at)
        return self._keep(terms, own)

    def _terms(
        self,
        own: Row[Any] | None,
        *,
        lease_class: LeaseClass,
        member_id: str | None,
        account: AccountKind,
        owner: str,
        unit: str,
        amount: int,
        minutes: int,
        is_taxed: bool = False,
    ) -> LeaseTerms:
        assert self._caller.till_id is not None
        assert self._caller.store_id is not None
        is_budget = lease_class is LeaseClass.BUDGET
        return LeaseTerms(
            lease_id=LeaseId(own.lease_id if own is not None else random_id()),
            serial=(int(own.serial) if own is not None else 0) + 1,
            lease_class=lease_class,
            journal=self._caller.journal,
            epoch=self._caller.epoch,
            till_id=self._caller.till_id,
            store_id=self._caller.store_id,
            member_id=MemberId(member_id) if member_id else None,
            account=account.value,
            owner=owner,
            unit=unit,
            amount=amount,
            per_member=self._rules.budget_per_member if is_budget else 0,
            granted_at=format_time(self._now),
            expires_at=format_time(self._now + timedelta(minutes=minutes)),
            is_taxed=is_taxed,
        )

    def _keep(self, terms: LeaseTerms, own: Row[Any] | None) -> Signed:
        signed = sign_lease(self._desk.vault.signing, terms)
        self._desk.keep(self._work, terms, signed, own)
        return signed

    def _statement(self, own: Row[Any]) -> Signed:
        return msgspec.msgpack.decode(own.statement, type=Signed)

    def _call_back(self, found: Sequence[Row[Any]], standing: Standing, wanted: int) -> None:
        """Somebody needs what other tills hold: those that are online give it up."""
        has_enough = standing.held + standing.available >= max(1, wanted)
        others = [
            row.lease_id
            for row in found
            if not self._is_mine(row) and row.called_back_at is None and left_of(row)
        ]
        if has_enough or not others:
            return
        self._work.connection.execute(
            update(leases)
            .where(leases.c.shard == self._work.shard, leases.c.lease_id.in_(others))
            .values(called_back_at=format_time(self._now))
        )


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
