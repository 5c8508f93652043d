"""Every kind of fact this release can read, and the way from an entry to its fact and back."""

from typing import Final

import msgspec

from shared.errors import ProtocolError
from shared.journal.entry import Envelope
from shared.trade import (
    benefit,
    fiscal,
    lease,
    member,
    paper,
    partner,
    profile_change,
    server,
    ticket,
    till,
    value,
)
from shared.trade.fact import Fact

FACTS: Final[tuple[type[Fact], ...]] = (
    ticket.SaleCompleted,
    ticket.SaleReturned,
    till.MemberEnrolled,
    till.ShiftOpened,
    till.CashMoved,
    till.NoSale,
    till.BasketHeld,
    till.BasketAbandoned,
    till.LineVoided,
    till.PriceOverridden,
    till.ReceiptReprinted,
    till.PaymentAttempted,
    till.ShiftClosed,
    till.DayClosed,
    till.EpochClosed,
    till.EpochClosedWithLoss,
    server.TillEnrolled,
    server.ProgrammePublished,
    server.ExceptionRaised,
    server.PointsTransferred,
    server.MemberErased,
    server.OperatorChanged,
    lease.LeaseGranted,
    lease.LeaseClosed,
    lease.LeaseReclaimed,
    value.ValueToppedUp,
    value.ValueClosed,
    value.GiftCardSold,
    value.GiftCardClosed,
    benefit.ActionCounted,
    benefit.DrawEntered,
    server.DrawRun,
    server.TillRevoked,
    server.QuarantineDecided,
    server.TillRekeyed,
    server.TillCommanded,
    member.MembersMerged,
    member.MembersUnmerged,
    member.TierSet,
    partner.PartnerSold,
    partner.PartnerReturned,
    profile_change.MemberChanged,
    fiscal.FiscalRecorded,
    paper.ReceiptFormChanged,
)

OF_THE_SERVER: Final = frozenset(
    fact
    for fact in FACTS
    if fact.__module__ in (server.__name__, member.__name__, partner.__name__)
) | {lease.LeaseGranted, lease.LeaseReclaimed}
"""What only the server's own journal can say: points moved, members merged, rights given."""

_decoders = {(fact.kind, fact.version): msgspec.json.Decoder(fact) for fact in FACTS}


def read_fact(envelope: Envelope) -> Fact:
    """The fact inside an envelope.

    Raises ProtocolError ``unknown-fact`` for a kind or version of a later release, ``bad-fact`` for
    a body that is not of its shape; the server keeps both in quarantine.
    """
    decoder = _decoders.get((envelope.kind, envelope.version))
    if decoder is None:
        raise ProtocolError("unknown-fact", kind=envelope.kind, version=envelope.version)
    try:
        return decoder.decode(envelope.body)
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-fact", kind=envelope.kind, reason=str(error)) from error


def write_fact(fact: Fact) -> msgspec.Raw:
    """A fact as the body of an envelope."""
    return msgspec.Raw(msgspec.json.encode(fact))
