"""What a fiscal device said about a receipt, and the data that it signs."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from shared.ids import EntryId, TillId
from shared.trade.fact import Fact, TaxTotal, TenderKind
from shared.trade.ticket import SaleCompleted, SaleReturned

Ticket = SaleCompleted | SaleReturned
"""Facts that are signed; ``fiscal`` in one says that the till has a device."""


class FiscalState(StrEnum):
    """How it went."""

    SIGNED = "signed"
    """The last word about a receipt."""
    FAILED = "failed"
    """Not signed by now; a signature may still follow."""


class FiscalRecorded(Fact, frozen=True, kw_only=True):
    """The signature of a ticket, or that there is none for now; posts nothing.

    Written by the till after the ticket, whenever the device has answered. At most one of each
    state for a ticket.
    """

    kind: ClassVar[str] = "fiscal_recorded"

    of_entry: EntryId
    receipt_no: str
    till_id: TillId
    state: FiscalState
    failure: str = ""
    """Why not: ``offline``, ``timeout``, ``refused``, ``failure``."""
    device: str = ""
    """SHA-256 of the device's public key, hex."""
    number: int = 0
    """The device's number of the transaction."""
    counter: int = 0
    """The device's count of signatures."""
    started_at: str = ""
    finished_at: str = ""
    algorithm: str = ""
    signature: str = ""
    """Base64."""
    public_key: str = ""
    """Base64 of its SubjectPublicKeyInfo."""


class _Paid(msgspec.Struct, frozen=True):
    tender: TenderKind
    amount: int


class _Data(msgspec.Struct, frozen=True):
    kind: str
    receipt_no: str
    currency: str
    total: int
    taxes: tuple[TaxTotal, ...]
    paid: tuple[_Paid, ...]
    entry: str


def fiscal_data(fact: Ticket, entry_hash: bytes) -> bytes:
    """What is signed: JSON of what was sold or came back, with the hash of the whole entry."""
    tenders = fact.tenders if isinstance(fact, SaleCompleted) else fact.refunds
    data = _Data(
        kind=fact.kind,
        receipt_no=fact.receipt_no,
        currency=fact.currency,
        total=fact.total,
        taxes=fact.taxes,
        paid=tuple(_Paid(one.tender, one.amount) for one in tenders),
        entry=entry_hash.hex(),
    )
    return msgspec.json.encode(data)
