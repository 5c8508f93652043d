"""The leases' part of a sync: give up what has ended or is called back, then ask for more."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine

from desktop.store.bundles import read_bundle
from desktop.store.identity import TillIdentity
from desktop.store.journal import Journal
from desktop.store.leases import HeldLease, call_back, held_leases, put_lease
from desktop.store.time_seen import lease_time, take_server_time
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import ServerConnection
from shared.clock import Clock
from shared.journal.keys import PublicKey, Signed
from shared.loyalty.leasing import Leases as Rules
from shared.protocol.lease import ASKS_MAX, HELD_MAX, LeaseAsk, LeaseReply, LeaseRequest, lease_of
from shared.protocol.message import PROTOCOL
from shared.trade.lease import LeaseClass, LeaseClosed, LeaseEnd
from shared.trade.writing import Writing

InUse = frozenset[tuple[str, str]]
"""Account and owner."""


class Basket(Protocol):
    """What the sync needs to know of the basket on the screen."""

    def asks(self) -> tuple[LeaseAsk, ...]:
        """What it still needs."""
        ...

    def in_use(self) -> InUse:
        """What it is about."""
        ...

    def answered(self, reply: LeaseReply) -> None:
        """An answer was taken over."""
        ...


class LeaseKeeper:
    """Keeps the till's leases true, one sync at a time."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        journal: Journal,
        identity: TillIdentity,
        server_key: PublicKey,
        clock: Clock,
        basket: Basket,
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._journal = journal
        self._identity = identity
        self._server_key = server_key
        self._clock = clock
        self._basket = basket

    def tend(self) -> None:
        """Before a push: close what has ended, is called back or used up, unless it is needed."""
        if self._closings():
            self._writer.run(self._close, Urgency.BACKGROUND)

    def _closings(self) -> list[HeldLease]:
        with self._reading.connect() as connection:
            now = lease_time(connection, self._clock)
            held = held_leases(connection)
        in_use = self._basket.in_use()
        return [lease for lease in held if _is_to_close(lease, now, in_use)]

    def _close(self, transaction: Transaction) -> None:
        now = lease_time(transaction.connection, self._clock)
        in_use = self._basket.in_use()
        for lease in held_leases(transaction.connection):
            if _is_to_close(lease, now, in_use):
                fact = LeaseClosed(
                    lease_id=lease.terms.lease_id,
                    till_id=self._identity.till_id,
                    spent=lease.spent,
                    reason=_reason(lease, now),
                )
                self._journal.append(transaction, Writing(fact))

    def ask(self, server: ServerConnection) -> None:
        """After a push: ask for what the basket needs, tell what is held, take the answer over.

        Raises what the connection raises, and ProtocolError for a lease that is not the server's
        word to this till: none of the answer is taken over then.
        """
        asks = self._basket.asks()[:ASKS_MAX]
        with self._reading.connect() as connection:
            held = held_leases(connection)
            found = read_bundle(connection)
            is_resting = lease_time(connection, self._clock) is None
        needs_budget = found is not None and _needs_budget(held, found[1].leases)
        if not (asks or held or needs_budget or is_resting):
            return
        request = LeaseRequest(
            protocol=PROTOCOL,
            asks=asks,
            held=tuple(lease.terms.lease_id for lease in held[:HELD_MAX]),
            budget=needs_budget,
        )
        reply = server.leases(request)
        self._take(reply)
        self._basket.answered(reply)

    def _take(self, reply: LeaseReply) -> None:
        signed: list[Signed] = [one.granted for one in reply.answers if one.granted is not None]
        signed += [reply.budget] if reply.budget is not None else []
        granted = [(one, lease_of(one, self._server_key, self._identity.journal)) for one in signed]
        server_time = datetime.fromisoformat(reply.server_time)

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            take_server_time(connection, self._clock, server_time)
            for statement, terms in granted:
                put_lease(connection, statement, terms)
            call_back(connection, reply.called_back)

        self._writer.run(work, Urgency.BACKGROUND)


def _is_to_close(
    lease: HeldLease, now: datetime | None, in_use: frozenset[tuple[str, str]]
) -> bool:
    """An ended lease is given up whatever happens; resting ones wait for the server's time."""
    if now is not None and lease.is_over(now):
        return True
    if (lease.terms.account, lease.terms.owner) in in_use:
        return False
    is_budget = lease.terms.lease_class is LeaseClass.BUDGET
    return lease.is_called_back or (not lease.left and not is_budget)


def _reason(lease: HeldLease, now: datetime | None) -> LeaseEnd:
    if now is not None and lease.is_over(now):
        return LeaseEnd.EXPIRED
    return LeaseEnd.CALLED_BACK if lease.is_called_back else LeaseEnd.USED_UP


def _needs_budget(held: list[HeldLease], rules: Rules) -> bool:
    """Whether a budget is missing, or some of it was used."""
    if not (rules.for_points and rules.budget_points):
        return False
    own = [lease for lease in held if lease.terms.lease_class is LeaseClass.BUDGET]
    return all(lease.left < rules.budget_points for lease in own)
