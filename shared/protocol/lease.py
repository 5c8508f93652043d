"""Leases on the wire: what a till asks for and gives up, and the signed grant."""

from collections.abc import Mapping
from typing import ClassVar

from shared.ids import JournalId, LeaseId
from shared.journal.keys import PublicKey, Signed, SigningKey
from shared.protocol.message import Amount, Count, Message
from shared.protocol.own_statement import own_terms, sign_own
from shared.trade.fact import TaxTotal
from shared.trade.lease import LeaseTerms

PURPOSE = "lease"
ASKS_MAX = 20
HELD_MAX = 1_000
"""In one request; a till that holds more tells them in several."""
SHOWN_AT_ONCE = 12
"""Grants of some 700 bytes each, presented in one request."""
LEASE_BODY_BYTES_MAX = 64 * 1024
"""The largest request that these three allow has some 40 KiB."""


class LeaseAsk(Message, frozen=True, kw_only=True):
    """A till wants to spend of an account."""

    account: str
    """``points``, ``stored-value`` or ``gift-card``."""
    owner: str
    """A member's id, a card's id."""
    wanted: Count = 0
    """What the basket on the screen needs, in the account's unit; 0 asks for the usual share."""


class LeaseRequest(Message, frozen=True, kw_only=True):
    """What a till needs, and what it holds: the answer says which of that is called back."""

    protocol: Count
    asks: tuple[LeaseAsk, ...] = ()
    held: tuple[LeaseId, ...] = ()
    budget: bool = False
    """Whether the till would spend points of members it cannot ask about."""
    generation: str = ""
    """The server's, as this till last showed it its leases; empty where it never did."""
    presented: tuple[Signed, ...] = ()
    """To a server of another generation: every lease the till has, for the server may lack it."""


class CardTax(Message, frozen=True, kw_only=True):
    """The tax of a gift card that was taxed when it was sold."""

    as_sold: tuple[TaxTotal, ...]
    """Its tax table; it pays for goods of that tax class only."""
    unused: tuple[TaxTotal, ...]
    """What of it no payment that the server knows of has used up."""


class LeaseAnswer(Message, frozen=True, kw_only=True):
    """What became of one ask."""

    account: str
    owner: str
    granted: Signed | None
    """The newest serial of the till's lease; null where nothing can be given."""
    balance: Amount
    """What the ledger says the account has."""
    elsewhere: Count
    """What other tills hold of it; it is called back from those that are online."""
    last_day: str | None = None
    """Of a gift card: the last day on which it pays."""
    card_tax: CardTax | None = None
    """Since version 8; null for a card that is taxed when it is spent."""

    newer: ClassVar[Mapping[int, Mapping[str, object]]] = {8: {"card_tax": None}}


class LeaseReply(Message, frozen=True, kw_only=True):
    """The server's answer; tills measure their leases by its clock."""

    answers: tuple[LeaseAnswer, ...]
    budget: Signed | None
    generation: str
    """Another one than the request's: the till is to present its leases."""
    is_resting: bool
    """Nothing is granted after a restore until all tills have shown what they hold."""
    called_back: tuple[LeaseId, ...]
    """Of those held: to be closed as soon as no basket needs them."""
    server_time: str


def sign_lease(key: SigningKey, terms: LeaseTerms) -> Signed:
    """The server's word for a lease, to one journal."""
    return sign_own(key, terms, purpose=PURPOSE)


def lease_of(signed: Signed, key: PublicKey, journal: JournalId) -> LeaseTerms:
    """The lease, if the server's key granted it to this journal.

    Raises ProtocolError ``wrong-statement``, ``bad-signature``, ``bad-lease``.
    """
    return own_terms(signed, key, journal, purpose=PURPOSE, kind=LeaseTerms)
