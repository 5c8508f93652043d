"""What one till may spend of which account: granted, filled up, called back from others."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, select, update

from shared.ids import LeaseId, MemberId, random_id
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.ledger.account import AccountKind, money_unit, points_unit
from shared.loyalty.leasing import Leases, Standing, granted
from shared.loyalty.programme import Programme
from shared.protocol.lease import CardTax, LeaseAnswer, LeaseAsk
from shared.protocol.message import PROTOCOL_CARD_TAX, spoken
from shared.trade.lease import LeaseClass, LeaseTerms
from sync_server.database.schema import leases
from sync_server.database.times import format_time
from sync_server.database.transaction import Work
from sync_server.leases.card_tax import card_tax
from sync_server.leases.claims import LeaseState
from sync_server.leases.standing import (
    LeasedAccount,
    is_member,
    last_day,
    left_of,
    open_leases,
    posted,
)
from sync_server.stores.registry import find_store

Issue = Callable[[Work, LeaseTerms, Row[Any] | None], Signed]
"""Signs the terms and keeps them as a fact, and as the newest serial of the row."""


class Granting:
    """One till's requests under one programme at one moment."""

    def __init__(
        self,
        issue: Issue,
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
        self._issue = issue
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
        return self._issue(self._work, terms, own)

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
        return self._issue(self._work, terms, own)

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
