"""The leases' part of a sync: give up what has ended or is called back, then ask for more."""

from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import Connection, Engine

from desktop.store.bundles import read_bundle
from desktop.store.identity import TillIdentity
from desktop.store.journal import Journal, all_epochs, current_epoch, unsent_entries
from desktop.store.leases import HeldLease, call_back, held_leases, put_lease, shown_leases
from desktop.store.settings import read_cursor, read_value, write_value
from desktop.store.time_seen import lease_time, take_server_time
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.server_keys import ServerTrust
from shared.clock import Clock
from shared.journal.keys import Signed
from shared.loyalty.leasing import Leases as Rules
from shared.protocol.cursor import decode_cursor
from shared.protocol.lease import (
    ASKS_MAX,
    HELD_MAX,
    SHOWN_AT_ONCE,
    LeaseAsk,
    LeaseReply,
    LeaseRequest,
    lease_of,
)
from shared.protocol.message import PROTOCOL, Stream
from shared.trade.lease import LeaseClass, LeaseClosed, LeaseEnd
from shared.trade.writing import Writing

InUse = frozenset[tuple[str, str]]
"""Account and owner."""

SHOWN = "leases-shown"
log = structlog.get_logger("sync")


class ShownTo(msgspec.Struct, frozen=True, kw_only=True):
    """To which life of the server all leases were shown."""

    generation: str


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
        trust: ServerTrust,
        clock: Clock,
        basket: Basket,
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._journal = journal
        self._identity = identity
        self._trust = trust
        self._clock = clock
        self._basket = basket

    @property
    def is_busy(self) -> bool:
        """Whether something is asked for, or held that may be called back: neither is news."""
        if self._basket.asks():
            return True
        with self._reading.connect() as connection:
            return bool(held_leases(connection))

    def tend(self) -> None:
        """Before a push: close what has ended, is called back or used up, unless it is needed."""
        with self._reading.connect() as connection:
            has_closings = bool(self._to_close(connection))
        if has_closings:
            self._writer.run(self._close, Urgency.BACKGROUND)

    def _to_close(self, connection: Connection) -> list[HeldLease]:
        now, in_use, epoch = self._now(connection), self._basket.in_use(), _epoch(connection)
        # Rights given back before what they paid for arrives could be spent again meanwhile.
        waiting = {one.head.epoch for one in all_epochs(connection)[:-1] if one.unsent}
        return [
            lease
            for lease in held_leases(connection)
            if lease.terms.epoch not in waiting and _is_to_close(lease, now, in_use, epoch)
        ]

    def _close(self, transaction: Transaction) -> None:
        now, epoch = self._now(transaction.connection), _epoch(transaction.connection)
        for lease in self._to_close(transaction.connection):
            fact = LeaseClosed(
                lease_id=lease.terms.lease_id,
                till_id=self._identity.till_id,
                spent=lease.spent,
                reason=_reason(lease, now, epoch),
            )
            self._journal.append(transaction, Writing(fact))

    def _now(self, connection: Connection) -> datetime | None:
        return lease_time(connection, self._clock)

    def present(self, server: ServerConnection) -> None:
        """Before a push: show a server that began a new life every lease that is here.

        It may have lost some, and would find what was spent by them wrong. A server that refuses to
        be shown anything (the key was revoked, or replaced) still takes what was sold: the refusal
        is told when leases are asked for, behind the push.
        """
        try:
            self._present_all(server)
        except RefusedError as refused:
            log.warning("leases-not-shown", code=refused.code)

    def _present_all(self, server: ServerConnection) -> None:
        with self._reading.connect() as connection:
            unsent = unsent_entries(connection)
            shown = shown_leases(connection, HELD_MAX)
            known = _shown_to(connection)
        if shown and unsent:
            self._present(server, shown, server.leases(_request(known)).generation, known)

    def _present(
        self, server: ServerConnection, shown: list[Signed], generation: str, known: str
    ) -> None:
        if generation == known:
            return
        for at in range(0, max(1, len(shown)), SHOWN_AT_ONCE):
            part = tuple(shown[at : at + SHOWN_AT_ONCE])
            is_last = at + SHOWN_AT_ONCE >= len(shown)
            server.leases(_request(generation if is_last else "", part))
        self._writer.run(
            lambda transaction: write_value(
                transaction.connection, SHOWN, ShownTo(generation=generation)
            ),
            Urgency.BACKGROUND,
        )

    def ask(self, server: ServerConnection) -> None:
        """After a push: ask for what the basket needs, tell what is held, take the answer over.

        Raises what the connection raises, and ProtocolError for a lease that is not the server's
        word to this till: none of the answer is taken over then.
        """
        asks = self._basket.asks()[:ASKS_MAX]
        with self._reading.connect() as connection:
            held = held_leases(connection)
            found = read_bundle(connection)
            is_resting = self._now(connection) is None
            known, shown = _shown_to(connection), shown_leases(connection, HELD_MAX)
            pulled = _pulled_from(connection)
        needs_budget = found is not None and _needs_budget(held, found[1].leases)
        is_new = pulled not in ("", known)
        if not (asks or held or needs_budget or is_resting or is_new):
            return
        ids = tuple(lease.terms.lease_id for lease in held)
        request = LeaseRequest(
            protocol=PROTOCOL,
            asks=asks,
            held=ids[:HELD_MAX],
            budget=needs_budget,
            generation=known,
        )
        reply = server.leases(request)
        self._present(server, shown, reply.generation, known)
        self._take(reply)
        for at in range(HELD_MAX, len(ids), HELD_MAX):
            more = msgspec.structs.replace(_request(reply.generation), held=ids[at : at + HELD_MAX])
            self._take(server.leases(more))
        self._basket.answered(reply)

    def _take(self, reply: LeaseReply) -> None:
        signed: list[Signed] = [one.granted for one in reply.answers if one.granted is not None]
        signed += [reply.budget] if reply.budget is not None else []
        granted = [
            (one, lease_of(one, self._trust.key_for(one), self._identity.journal)) for one in signed
        ]
        server_time = datetime.fromisoformat(reply.server_time)

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            take_server_time(connection, self._clock, server_time)
            for statement, terms in granted:
                put_lease(connection, statement, terms)
            call_back(connection, reply.called_back)

        self._writer.run(work, Urgency.BACKGROUND)


def _is_to_close(lease: HeldLease, now: datetime | None, in_use: InUse, epoch: int) -> bool:
    """An ended lease is given up whatever happens; resting ones wait for the server's time."""
    if lease.terms.epoch != epoch or (now is not None and lease.is_over(now)):
        return True
    if (lease.terms.account, lease.terms.owner) in in_use:
        return False
    if lease.terms.is_taxed:
        # Nobody else can pay with a card that is leased whole.
        return True
    is_budget = lease.terms.lease_class is LeaseClass.BUDGET
    return lease.is_called_back or (not lease.left and not is_budget)


def _epoch(connection: Connection) -> int:
    epoch = current_epoch(connection)
    assert epoch is not None
    return epoch.head.epoch


def _shown_to(connection: Connection) -> str:
    found = read_value(connection, SHOWN, ShownTo)
    return found.generation if found is not None else ""


def _pulled_from(connection: Connection) -> str:
    """The server's generation as the members' cursor names it; empty before the first pull."""
    cursor = read_cursor(connection, Stream.MEMBERS)
    return decode_cursor(cursor).generation if cursor else ""


def _request(generation: str, presented: tuple[Signed, ...] = ()) -> LeaseRequest:
    return LeaseRequest(protocol=PROTOCOL, generation=generation, presented=presented)


def _reason(lease: HeldLease, now: datetime | None, epoch: int) -> LeaseEnd:
    if lease.terms.epoch != epoch:
        return LeaseEnd.ENROLLED_AGAIN
    if now is not None and lease.is_over(now):
        return LeaseEnd.EXPIRED
    if lease.is_called_back:
        return LeaseEnd.CALLED_BACK
    return LeaseEnd.NOT_NEEDED if lease.left else LeaseEnd.USED_UP


def _needs_budget(held: list[HeldLease], rules: Rules) -> bool:
    """Whether a budget is missing, or some of it was used."""
    if not (rules.for_points and rules.budget_points):
        return False
    own = [lease for lease in held if lease.terms.lease_class is LeaseClass.BUDGET]
    return all(lease.left < rules.budget_points for lease in own)
