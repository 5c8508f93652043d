"""What the books show that should not be, found while entries are booked.

Each finding looks at the state after exactly the entries before it, so that the size of a push
changes nothing; findings name the facts, and the facts stay as they are.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.ids import EntryId, MemberId
from shared.trade.server import ExceptionEffect

FACTS_MAX = 20
"""Facts an exception links; enough to judge it, and the entry stays small."""


class Rule(StrEnum):
    """What kind of thing went wrong."""

    LOT_OVERSPENT = "lot-overspent"
    """More points were spent of a lot than it had."""
    COUPON_OVERSPENT = "coupon-overspent"
    """A coupon was used more often than it was issued for."""
    REFERRAL_PAID_TWICE = "referral-paid-twice"
    """Who brought a member was paid by more than one of their sales."""
    REFERRAL_TO_SELF = "referral-to-self"
    """A member was paid for having brought themselves, under another enrolment."""
    RETURNED_TWICE = "receipt-returned-twice"
    """More units of a line came back than were sold."""
    RECEIPT_NUMBER_TWICE = "receipt-number-twice"
    """Two tickets carry one number: both branches of a fork count on from the same place."""
    CLOSED_EPOCH_WRITTEN = "closed-epoch-written"
    """A till that lost entries has a new key, and its old one still writes: its disk was cloned."""
    DUPLICATE_MEMBER_KEY = "duplicate-member-key"
    """Two enrolments with one phone or card."""
    ENROLLED_TWICE = "enrolled-twice"
    """A second enrolment under one member's id: it changed nothing."""
    PROFILE_DIFFERS = "profile-differs"
    """A member's phone, card or birthday was told otherwise than before, and nobody approved it."""
    CLOCK_SUSPECT = "clock-suspect"
    """A till whose clock was far ahead changed a profile: the change gives way to all others."""
    LISTED_OTHERWISE = "listed-otherwise"
    """A list price that head office never gave, or gave long ago."""
    APPROVAL_REPLAYED = "approval-replayed"
    """A manager's approval stands in two facts of a kind; it is good for one thing."""
    MEMBER_TOO_OFTEN = "member-too-often"
    """One operator sold to one member far too often on a day: the cashier's own card."""
    RETURN_WITHOUT_SALE = "return-without-sale"
    """Goods came back of a sale that nobody has."""
    UNMERGED_SHORT = "unmerged-short"
    """A merge was undone after points of the alias had been spent as the other's."""
    FORK = "fork"
    """A till's journal went on twice from one entry: a restored image or a clone."""
    ID_REUSED = "entry-id-reused"
    """Another fact came under an id that is kept already; it was not booked."""
    PRICED_OTHERWISE = "priced-otherwise"
    """Priced again by its own programme, a sale comes to something else."""
    CLAIMED_OTHERWISE = "claimed-otherwise"
    """A sale is cheaper than by what the server knew of its member and of the uses of offers."""
    BENEFIT_OTHERWISE = "benefit-otherwise"
    """An action, or entries of a draw, beyond what the programme allows."""
    CARD_TAXED_OTHERWISE = "card-taxed-otherwise"
    """A gift card that is taxed when it is sold has another tax than it should have, or paid for
    goods of another tax class."""
    RETURNED_OTHERWISE = "returned-otherwise"
    """A return gave, or took back, something else than its sale and programme say."""
    SPENT_WITHOUT_LEASE = "spent-without-lease"
    """What is spent by lease only was spent without any."""
    LEASE_UNKNOWN = "lease-unknown"
    """It names a lease that this server never granted."""
    LEASE_FOREIGN = "lease-foreign"
    """It names a lease of another till, member, card or account."""
    LEASE_EXPIRED = "lease-expired"
    """It was spent, by the till's own hybrid clock, after the lease had ended."""
    LEASE_CLOSED = "lease-closed"
    """It was spent by a lease that its till had closed, or head office had taken back."""
    LEASE_OVERSPENT = "lease-overspent"
    """More was spent by a lease than it allows, in all or by one member."""
    RESTORED = "server-restored"
    """The server goes on from a copy: what it made itself since then is lost."""
    HOLE = "hole"
    """A restored server asked for entries that the till has deleted: nobody has them."""
    TILL_ADOPTED = "till-adopted"
    """A till that was enrolled after the copy the server was restored from."""
    REPLICA_DIFFERED = "replica-differed"
    """A till held other rows of a stream than the server counts; it read them anew."""
    QUARANTINED = "quarantine-waiting"
    """An entry waits in quarantine for more than a quarter of an hour."""
    ATTACHMENT_UNPROVEN = "attachment-unproven"
    """Personal data came with an entry that vouches for other content; it was dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One exception to raise, unless its natural key was written before."""

    rule: Rule
    natural_key: str
    facts: tuple[EntryId, ...]
    member_id: MemberId | None = None
    effects: tuple[ExceptionEffect, ...] = ()


def restored_key(generation: str) -> str:
    """The natural key under which a restore is told; its time is when the server went on."""
    return f"restored:{generation}"
