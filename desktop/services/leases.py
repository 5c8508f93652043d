"""What this till may spend of an account at this moment, and which lease a tender spends by."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import msgspec
from sqlalchemy import Connection

from desktop.services.books import Books
from desktop.store.journal import current_epoch
from desktop.store.leases import HeldLease, held_leases, left_for
from desktop.store.time_seen import lease_time
from shared.errors import DomainError
from shared.ids import LeaseId
from shared.ledger.account import AccountKind
from shared.ledger.spending import Spend
from shared.money import Currency, Money
from shared.points import format_points
from shared.protocol.lease import LeaseAnswer, LeaseAsk, LeaseReply
from shared.trade.fact import Tender, TenderKind
from shared.trade.lease import LeaseClass

LEASED_TENDERS = {
    TenderKind.POINTS: AccountKind.POINTS,
    TenderKind.STORED_VALUE: AccountKind.STORED_VALUE,
    TenderKind.GIFT_CARD: AccountKind.GIFT_CARD,
}


@dataclass(frozen=True, slots=True)
class LeasedAccount:
    """An account that something is to be spent of."""

    kind: AccountKind
    owner: str
    member_id: str = ""
    """Empty for whoever bears a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What may be spent of an account here and now, by one lease."""

    amount: int
    is_resting: bool = False
    """The clock is behind after a start of the machine: nothing, until the server answers."""
    is_taxed: bool = False
    """Of a gift card that was taxed when it was sold: the server has to say first what is left."""


class Leases:
    """Rights to spend; asking for more happens in the background, and nobody waits for it."""

    def __init__(
        self,
        books: Books,
        *,
        is_offline: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        self._books = books
        self._is_offline = is_offline
        self._wake = wake
        self._lock = Lock()
        self._rests = False
        self._asks: dict[tuple[str, str], LeaseAsk] = {}
        self._in_use: frozenset[tuple[str, str]] = frozenset()
        self._answers: dict[tuple[str, str], LeaseAnswer] = {}

    # What a basket asks for

    def want(self, account: LeasedAccount, amount: int = 0) -> None:
        """Ask the server with the next sync, which begins at once; 0 is the usual share."""
        key = account.kind.value, account.owner
        ask = LeaseAsk(account=account.kind.value, owner=account.owner, wanted=amount)
        with self._lock:
            self._asks[key] = ask
            self._in_use |= {key}
        self._wake()

    def forget(self, owner: str | None = None) -> None:
        """An owner, or all where none is named: nothing more is asked for them.

        What is called back of theirs can be closed from now on.
        """
        with self._lock:
            gone = {key for key in self._in_use if owner is None or key[1] == owner}
            self._in_use -= gone
            for key in gone:
                self._asks.pop(key, None)
                self._answers.pop(key, None)

    def asks(self) -> tuple[LeaseAsk, ...]:
        """What the basket on the screen still needs; read by the sync's thread."""
        with self._lock:
            return tuple(self._asks.values())

    def in_use(self) -> frozenset[tuple[str, str]]:
        """Account and owner that the basket is about: their leases are not given up just now."""
        with self._lock:
            return self._in_use

    def answered(self, reply: LeaseReply) -> None:
        """The server's answer was taken over; what other tills still hold is asked for again."""
        with self._lock:
            self._rests = reply.is_resting
            for answer in reply.answers:
                key = answer.account, answer.owner
                ask = self._asks.get(key)
                if ask is None:
                    continue
                self._answers[key] = answer
                if reply.is_resting:
                    continue
                if not answer.elsewhere or (answer.granted is not None and not ask.wanted):
                    del self._asks[key]

    def answer(self, account: LeasedAccount) -> LeaseAnswer | None:
        """What the server last said of an account of this basket; None before it has."""
        with self._lock:
            return self._answers.get((account.kind.value, account.owner))

    # What may be spent

    def right(self, account: LeasedAccount, *, reserved: int = 0) -> Right:
        """The most that one tender may spend, beside what is ``reserved`` for others."""
        with self._books.reading() as connection:
            return self._right(connection, account, reserved)

    def _right(self, connection: Connection, account: LeasedAccount, reserved: int) -> Right:
        usable = self._usable(connection, account)
        if usable is None:
            return Right(amount=0, is_resting=True)
        lefts = {lease.terms.lease_id: left for lease, left in usable}
        if reserved and (taken := _smallest(lefts, reserved)) is not None:
            lefts[taken] -= reserved
        elif reserved:
            return Right(amount=0)
        is_taxed = any(lease.terms.is_taxed for lease, _left in usable)
        return Right(amount=max(lefts.values(), default=0), is_taxed=is_taxed)

    def _usable(
        self, connection: Connection, account: LeasedAccount
    ) -> list[tuple[HeldLease, int]] | None:
        """Leases that have not ended, with what is left of them for this account; None: resting."""
        now = lease_time(connection, self._books.clock)
        if now is None:
            return None
        held = held_leases(connection, account.kind.value, account.owner)
        epoch = current_epoch(connection)
        assert epoch is not None
        return [
            (lease, left_for(connection, lease, account.member_id))
            for lease in held
            if lease.terms.epoch == epoch.head.epoch
            and not lease.is_over(now)
            and _is_for(lease, account)
        ]

    def check(
        self, account: LeasedAccount, amount: int, unit: "LeaseUnit", *, reserved: int = 0
    ) -> None:
        """Raise unless so much may be spent now; then the server is asked for it, too.

        Raises DomainError ``leases-rest``, ``leases-rest-at-server`` (it was restored, and waits
        for other tills), ``beyond-lease`` (the server was asked just now) and
        ``beyond-lease-offline``: both say how much may be spent here.
        """
        right = self.right(account, reserved=reserved)
        if amount <= right.amount:
            return
        self.want(account, amount + reserved)
        if right.is_resting:
            raise DomainError("leases-rest")
        if self._rests:
            raise DomainError("leases-rest-at-server", here=unit.show(right.amount))
        told = {"wanted": unit.show(amount), "here": unit.show(right.amount)}
        if self._is_offline():
            raise DomainError("beyond-lease-offline", **told)
        raise DomainError("beyond-lease", **told)

    # What a sale spends by

    def assign(
        self, connection: Connection, tenders: Sequence[Tender], spends: Iterable[Spend]
    ) -> tuple[Tender, ...]:
        """The tenders, each with the lease that it spends by, in the sale's own transaction.

        DomainError ``lease-gone`` where a lease has ended, or was given up, meanwhile.
        """
        found = list(tenders)
        taken: Counter[LeaseId] = Counter()
        for spend in sorted(spends, key=lambda one: -one.amount):
            lease = self.choose(connection, spend, taken)
            taken[lease] += spend.amount
            found[spend.position] = msgspec.structs.replace(found[spend.position], lease_id=lease)
        return tuple(found)

    def choose(
        self, connection: Connection, spend: Spend, taken: Counter[LeaseId] | None = None
    ) -> LeaseId:
        """The lease one amount is spent by: of the account itself first, the smallest that does.

        DomainError ``lease-gone``.
        """
        account = LeasedAccount(spend.account, spend.owner, spend.member_id)
        usable = self._usable(connection, account) or []
        for wanted in (LeaseClass.ACCOUNT, LeaseClass.BUDGET):
            lefts = {
                lease.terms.lease_id: left - (taken or Counter())[lease.terms.lease_id]
                for lease, left in usable
                if lease.terms.lease_class is wanted and lease.terms.unit == spend.unit
            }
            if (chosen := _smallest(lefts, spend.amount)) is not None:
                return chosen
        raise DomainError("lease-gone")


@dataclass(frozen=True, slots=True)
class LeaseUnit:
    """How amounts of an account are shown: points with decimals, or money."""

    decimals: int = 0
    currency: str = ""

    def show(self, amount: int) -> str:
        """An amount as people read it."""
        if self.currency:
            return str(Money(amount, Currency(self.currency)))
        return format_points(amount, self.decimals)


def _is_for(lease: HeldLease, account: LeasedAccount) -> bool:
    if lease.terms.lease_class is LeaseClass.BUDGET:
        return account.kind is AccountKind.POINTS and bool(account.member_id)
    return lease.terms.owner == account.owner


def _smallest(lefts: dict[LeaseId, int], amount: int) -> LeaseId | None:
    """The lease with the least left that is enough."""
    enough = [(left, lease) for lease, left in lefts.items() if left >= amount]
    return min(enough)[1] if enough else None
