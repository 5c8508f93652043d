"""An entry on its way into the tables: its place, its bytes, and what could be read of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from shared.errors import DomainError, ProtocolError
from shared.ids import EntryId, JournalId
from shared.journal.chain import ChainedEntry
from shared.journal.entry import NAME_LENGTH_MAX, Envelope, decode_entry
from shared.journal.strict import ESCAPED_NUL, NUL
from shared.ledger.account import Posting
from shared.ledger.lot import lot_terms, lots_living_on
from shared.ledger.posting import RULES
from shared.money import AMOUNT_MINOR_MAX
from shared.trade.benefit import ActionCounted
from shared.trade.fact import Approval, Fact
from shared.trade.fiscal import FiscalRecorded
from shared.trade.kinds import OF_THE_SERVER, read_fact
from shared.trade.lease import LeaseClosed
from shared.trade.profile_change import MemberChanged
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import MemberEnrolled
from shared.trade.value import GiftCardClosed, ValueClosed


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is stored; the epoch of a branch is not the one its bytes name."""

    journal: JournalId
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One verified link of a chain: bytes with the hashes around them."""

    seq: int
    encoded: bytes
    prev_hash: bytes
    hash: bytes
    envelope: Envelope | None
    """None where the bytes are no envelope of this release."""
    failure: ProtocolError | None
    """Why not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an interpretable entry says and books."""

    envelope: Envelope
    fact: Fact
    postings: tuple[Posting, ...]

    @property
    def id(self) -> EntryId:
        """The entry's id, which is also the fact's."""
        return self.envelope.id


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry to be stored, with what becomes of it."""

    place: Place
    link: Link
    outcome: Reading | ProtocolError
    """ProtocolError: to quarantine."""
    repeats: EntryId | None = None
    """The id, where the fact is kept already under another place: not booked again."""

    @property
    def booked(self) -> Reading | None:
        """What it books: nothing when it repeats a fact or cannot be read."""
        if self.repeats is None and isinstance(self.outcome, Reading):
            return self.outcome
        return None


def check_storable(encoded: bytes) -> None:
    """Raise ProtocolError ``bad-envelope`` for text with NUL: PostgreSQL cannot keep it."""
    if ESCAPED_NUL in encoded and NUL.search(encoded):
        raise ProtocolError("bad-envelope", reason="NUL in text")


def read_envelope(encoded: bytes) -> Envelope:
    """An entry's envelope, judged by its bytes alone; ProtocolError where it goes to quarantine."""
    entry = decode_entry(encoded)
    check_storable(encoded)
    return entry.envelope


def approvals_of(fact: Fact) -> tuple[Approval, ...]:
    """What a fact says a manager allowed."""
    return getattr(fact, "approvals", ())


def _has_long_name(fact: Fact, postings: tuple[Posting, ...]) -> bool:
    """Whether something is too long that becomes part of a key: owners and lots of accounts,
    receipt numbers, members."""
    for account, _amount in postings:
        if len(account.owner) > NAME_LENGTH_MAX or len(account.lot) > NAME_LENGTH_MAX:
            return True
    return any(len(name) > NAME_LENGTH_MAX for name in _names(fact))


def _names(fact: Fact) -> Iterator[str]:
    yield from (one.approval_id for one in approvals_of(fact))
    if isinstance(fact, SaleCompleted | SaleReturned):
        yield fact.receipt_no
        yield fact.member.member_id if fact.member else ""
        yield fact.operator_id
        tenders = fact.tenders if isinstance(fact, SaleCompleted) else ()
        yield from (one.lease_id or "" for one in tenders)
    if isinstance(fact, SaleReturned):
        yield fact.original or ""
    if isinstance(fact, FiscalRecorded):
        yield fact.of_entry
    if isinstance(fact, MemberEnrolled | MemberChanged):
        yield fact.member_id
    if isinstance(fact, LeaseClosed | ValueClosed | GiftCardClosed):
        yield fact.lease_id or ""


def _days(envelope: Envelope, fact: Fact) -> Iterator[str]:
    """What is reckoned with as a day of the calendar from here on."""
    for lot in (*lot_terms(envelope, fact), *lots_living_on(fact)):
        yield from (day for day in (lot.earned_on, lot.expires_on) if day)
    if isinstance(fact, ActionCounted):
        yield fact.day


def _is_day(text: str) -> bool:
    """Whether it is an ISO date as we write it: in order like the days themselves."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def link_of(chained: ChainedEntry) -> Link:
    """The link of an entry that was read."""
    return Link(
        seq=chained.envelope.seq,
        encoded=chained.entry.encoded,
        prev_hash=chained.previous_hash,
        hash=chained.hash,
        envelope=chained.envelope,
        failure=None,
    )


def read_till_link(link: Link) -> Reading | ProtocolError:
    """Interpret an entry of a till: what only the server can say goes to quarantine.

    The till's key proves who wrote it, and that is not enough.
    """
    outcome = read_link(link)
    if isinstance(outcome, Reading) and type(outcome.fact) in OF_THE_SERVER:
        return ProtocolError("fact-of-server", kind=outcome.fact.kind)
    return outcome


def read_link(link: Link) -> Reading | ProtocolError:
    """Interpret an entry: a function of its bytes alone."""
    if link.envelope is None:
        return link.failure or ProtocolError("bad-envelope", reason="unreadable")
    try:
        fact = read_fact(link.envelope)
        version = link.envelope.post_version
        postings = RULES.post(link.envelope.id, fact, post_version=version)
        if any(abs(posting.amount) > AMOUNT_MINOR_MAX for posting in postings):
            raise ProtocolError("absurd-amount", kind=fact.kind)
        if _has_long_name(fact, postings):
            raise ProtocolError("bad-fact", kind=fact.kind, reason="length of an id")
        if not all(map(_is_day, _days(link.envelope, fact))):
            raise ProtocolError("bad-fact", kind=fact.kind, reason="a day that is none")
    except ProtocolError as error:
        return error
    except DomainError as error:  # no such currency: the fact cannot be booked, its till goes on
        return ProtocolError("bad-fact", kind=link.envelope.kind, reason=error.code)
    return Reading(link.envelope, fact, postings)
