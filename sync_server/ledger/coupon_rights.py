"""How low the account of a coupon may go: how often it may be used in the whole chain.

The account of a coupon that a sale issued begins with one use, that of a code from head office with
none; both are good for as many uses as their programme says. A return that takes back the sale
which issued a coupon makes it void.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from sqlalchemy import select

from shared.ids import CouponId
from shared.ledger.account import Account, AccountKind
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.value import ValueToppedUp
from sync_server.database.schema import entries, postings
from sync_server.database.transaction import Snapshot
from sync_server.ledger.kept import Reading
from sync_server.programme.bundles import programme_of

_BATCH = 500
ISSUING: Final = (SaleCompleted.kind, ValueToppedUp.kind)
Key = TypeVar("Key")
ONE_USE: Final = 1
"""What a coupon is good for whose programme nobody published."""


class CouponRights:
    """What is known of the coupons that a batch is about; follows it reading by reading."""

    def __init__(self, snapshot: Snapshot, accounts: Iterable[Account]) -> None:
        self._snapshot = snapshot
        self._issued: set[str] = set()
        self._void: set[str] = set()
        self._uses: dict[str, int] = defaultdict(lambda: ONE_USE)
        coupons = [one.owner for one in accounts if one.kind is AccountKind.COUPON]
        for keys in in_batches(coupons):
            self._load(keys)

    def _load(self, coupons: list[str]) -> None:
        rows = self._snapshot.connection.execute(
            select(postings.c.owner, postings.c.amount, entries.c.kind)
            .join(
                entries,
                (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
            )
            .where(
                postings.c.shard == self._snapshot.shard,
                postings.c.account == AccountKind.COUPON.value,
                postings.c.owner.in_(coupons),
            )
        )
        for owner, amount, kind in rows:
            if kind in ISSUING and amount > 0:
                self._issued.add(owner)
            if kind == SaleReturned.kind and amount < 0:
                self._void.add(owner)

    def note(self, reading: Reading) -> None:
        """A sale issues coupons and uses some, by its own programme; a return makes some void."""
        fact = reading.fact
        if isinstance(fact, SaleReturned):
            self._void.update(fact.coupons_voided)
        if not isinstance(fact, SaleCompleted | ValueToppedUp):
            return
        self._issued.update(one.coupon_id for one in fact.coupons_issued)
        for coupon, offer in _coupons_of(fact):
            self._uses[coupon] = max(self._uses[coupon], self._uses_allowed(fact, offer))

    def _uses_allowed(self, sale: SaleCompleted | ValueToppedUp, offer: str) -> int:
        """By the most generous coupon for that offer: a fact has a hash of the code, no more."""
        programme = programme_of(self._snapshot, sale.programme)
        rules = programme.coupons if programme else ()
        return max((one.uses for one in rules if one.offer == offer), default=ONE_USE)

    def lowest(self, account: Account) -> int:
        """The lowest balance that is still right."""
        if account.owner in self._void:
            return 0
        return int(account.owner in self._issued) - self._uses[account.owner]


def _coupons_of(sale: SaleCompleted | ValueToppedUp) -> Iterator[tuple[CouponId, str]]:
    for one in sale.offers if isinstance(sale, SaleCompleted) else ():
        if one.coupon_id is not None:
            yield one.coupon_id, one.offer_id
    for issued in sale.coupons_issued:
        yield issued.coupon_id, issued.offer_id


def in_batches(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Keys in parts that one statement can name."""
    waiting = list(keys)
    for at in range(0, len(waiting), _BATCH):
        yield waiting[at : at + _BATCH]
