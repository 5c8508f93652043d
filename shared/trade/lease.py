"""Leases: rights to spend that the server grants to one till, and how they end."""

from enum import StrEnum
from typing import ClassVar

from shared.ids import JournalId, LeaseId, MemberId, StoreId, TillId
from shared.trade.fact import Fact, Value


class LeaseClass(StrEnum):
    """What stands behind a lease."""

    ACCOUNT = "account"
    """Class A: a part of one account, set aside for one till. Nobody else can spend it."""
    BUDGET = "budget"
    """Class B: points of any member a till knows, at the shop's risk; nothing is set aside."""


class LeaseTerms(Value, frozen=True, kw_only=True):
    """What a lease allows. A later ``serial`` of one ``lease_id`` replaces the earlier ones.

    ``amount`` is everything that may ever be spent by the lease, in its unit: minor units, or the
    programme's smallest points. It only grows from serial to serial, so that a till that holds an
    old one has no more rights than the server knows of.
    """

    format: int = 1
    lease_id: LeaseId
    serial: int
    lease_class: LeaseClass
    journal: JournalId
    epoch: int
    till_id: TillId
    store_id: StoreId
    member_id: MemberId | None = None
    """Null for a budget and for the bearer of a gift card."""
    account: str
    """``points``, ``stored-value`` or ``gift-card``."""
    owner: str = ""
    """Whose account: a member, a card; empty for a budget."""
    unit: str
    amount: int
    per_member: int = 0
    """Of a budget: the most that one member may spend by it."""
    granted_at: str
    """RFC 3339, the server's time."""
    expires_at: str
    """RFC 3339: from then on nothing is spent by it."""
    is_taxed: bool = False
    """Of a gift card that was taxed when it was sold: before it pays, the server has to say what is
    left of that tax."""


class LeaseGranted(Fact, frozen=True, kw_only=True):
    """The server granted a lease, or a later serial of one; its fact, it books nothing."""

    kind: ClassVar[str] = "lease_granted"

    terms: LeaseTerms
    key_id: str
    """The server's key that signed it."""


class LeaseEnd(StrEnum):
    """Why a till gave a lease up."""

    EXPIRED = "expired"
    CALLED_BACK = "called-back"
    """The server asked for it: somebody else needs it."""
    USED_UP = "used-up"
    NOT_NEEDED = "not-needed"
    """A gift card's that is leased whole: its basket is over."""
    ENROLLED_AGAIN = "enrolled-again"
    """It was granted to an earlier epoch of the journal."""


class LeaseClosed(Fact, frozen=True, kw_only=True):
    """A till spends by a lease no more; with this entry the server gives the rest back."""

    kind: ClassVar[str] = "lease_closed"

    lease_id: LeaseId
    till_id: TillId
    spent: int
    """What this till's journal spent by it, in the lease's unit."""
    reason: LeaseEnd


class LeaseReclaimed(Fact, frozen=True, kw_only=True):
    """Head office took a lease back by hand; what its till may still have spent is exposure."""

    kind: ClassVar[str] = "lease_reclaimed"

    lease_id: LeaseId
    store_id: StoreId
    till_id: TillId
    account: str
    unit: str
    exposure: int
    by: str
    """Who did it: a sign-in name, or ``command``."""
