"""Finds the receipt of a number and its code, and builds the document that the till printed."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Row, literal_column, select

from shared.errors import DomainError, ProtocolError
from shared.journal.entry import Envelope, decode_entry
from shared.loyalty.bundle import load_programme
from shared.loyalty.programme import Programme
from shared.receipt.builder import receipt_of
from shared.receipt.document import Document
from shared.receipt.form import check_form, shop_of
from shared.receipt.issue import Exchanged, Issue, MemberFace, Shop
from shared.receipt.naming import coupon_codes, vocabulary
from shared.receipt.verification import DIGITS, verification_code
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import BundleRef
from shared.trade.kinds import read_fact
from shared.trade.paper import ReceiptForm, ReceiptFormChanged
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database.schema import bundles, entries, members, operators, stores, tickets, tills
from sync_server.database.transaction import Database, Snapshot
from sync_server.receipts.fiscal import fiscal_record

_NOTHING: Final = bytes(32)
"""Stands for the hash of a receipt that is not here: it is compared all the same."""
_TICKETS: Final = select(entries).join(
    tickets, (tickets.c.shard == entries.c.shard) & (tickets.c.entry_id == entries.c.id)
)
_KIND: Final[ColumnElement[str]] = literal_column(f"'{ReceiptFormChanged.kind}'")
"""Written out: a partial index is only used where its condition is."""


@dataclass(frozen=True, slots=True)
class ReturnNoted:
    """Goods of the receipt that came back."""

    receipt_no: str
    at: str
    """Local time."""
    amount: int
    """Minor units."""
    currency: str


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt and what became of it."""

    document: Document
    returns: tuple[ReturnNoted, ...]


@dataclass(frozen=True, slots=True)
class ReceiptReader:
    """Answers whoever knows a receipt's number and code; nobody else learns whether it is here."""

    database: Database
    lookup_key: bytes

    def find(self, number: str, code: str, language: PaperLanguage) -> ShownReceipt | None:
        """The receipt; None where there is none, the code is another's, or it is not here yet."""
        with self.database.reading() as snapshot:
            row = _of_code(snapshot, number, code)
            return self._shown(snapshot, row, language) if row is not None else None

    def _shown(self, snapshot: Snapshot, row: Row[Any], language: PaperLanguage) -> ShownReceipt:
        envelope = decode_entry(row.bytes).envelope
        fact = read_fact(envelope)
        assert isinstance(fact, SaleCompleted | SaleReturned)
        shop = _shop(snapshot, row, fact)
        programme = _programme(snapshot, fact.programme)
        codes = coupon_codes(fact, envelope.id, programme, self.lookup_key)
        issue = Issue(
            shop=shop,
            paper_language=language,
            till_label=_name(snapshot, tills, tills.c.till_id, fact.till_id),
            operator_label=_name(snapshot, operators, operators.c.operator_id, fact.operator_id),
            occurred_at=datetime.fromisoformat(envelope.occurred_at),
            entry_hash=row.hash.hex(),
            barcode=fact.receipt_no,
            code=verification_code(row.hash),
            business_date=envelope.business_date or "",
            names=vocabulary(programme, {}, codes),
            member=_face(snapshot, fact.member.member_id) if fact.member else None,
        )
        recorded = fiscal_record(snapshot, row) if fact.fiscal is not None else None
        if recorded is None:
            # Nothing has come of it by now: the paper may know more than we do.
            fact = msgspec.structs.replace(fact, fiscal=None)
        exchange = _exchanged(snapshot, row, fact)
        document = receipt_of(fact, replace(issue, fiscal=recorded, exchange=exchange))
        assert document is not None
        return ShownReceipt(document, tuple(_returns(snapshot, envelope, shop)))


def _exchanged(
    snapshot: Snapshot, row: Row[Any], fact: SaleCompleted | SaleReturned
) -> Exchanged | None:
    """What came back for the goods of a sale: of the same till and ticket, or nothing."""
    if not isinstance(fact, SaleCompleted) or fact.exchange is None:
        return None
    columns = entries.c
    found = snapshot.connection.execute(
        select(entries).where(
            columns.shard == snapshot.shard,
            columns.id == fact.exchange,
            columns.journal == row.journal,
        )
    ).first()
    if found is None:
        return None
    returned = read_fact(decode_entry(found.bytes).envelope)
    if not isinstance(returned, SaleReturned) or returned.ticket_id != fact.ticket_id:
        return None
    recorded = fiscal_record(snapshot, found) if returned.fiscal is not None else None
    if recorded is None:
        returned = msgspec.structs.replace(returned, fiscal=None)
    face = _face(snapshot, returned.member.member_id) if returned.member else None
    return Exchanged(returned=returned, fiscal=recorded, member=face)


def _of_code(snapshot: Snapshot, number: str, code: str) -> Row[Any] | None:
    """One number may be on several receipts (a till that was copied): the code says which."""
    rows = snapshot.connection.execute(
        _TICKETS.where(tickets.c.shard == snapshot.shard, tickets.c.receipt_no == number).order_by(
            entries.c.server_seq
        )
    ).all()
    given = code.encode()
    found = None
    for row in rows:
        if hmac.compare_digest(verification_code(row.hash).encode(), given):
            found = row
    if not rows:
        hmac.compare_digest(verification_code(_NOTHING).encode(), given)
    return found if len(code) == DIGITS else None


def _shop(snapshot: Snapshot, row: Row[Any], fact: SaleCompleted | SaleReturned) -> Shop:
    store = snapshot.connection.execute(
        select(stores.c.name, stores.c.zone).where(
            stores.c.shard == snapshot.shard, stores.c.store_id == fact.store_id
        )
    ).first()
    name, zone = (store.name, store.zone) if store is not None else (fact.store_id, "UTC")
    form = _form(snapshot, row)
    return shop_of(form, store_name=name, zone=ZoneInfo(zone))


def _form(snapshot: Snapshot, row: Row[Any]) -> ReceiptForm:
    """How papers of that journal looked when the entry was written."""
    columns = entries.c
    encoded = snapshot.connection.execute(
        select(columns.bytes)
        .where(
            columns.shard == snapshot.shard,
            columns.journal == row.journal,
            columns.kind == _KIND,
            columns.hlc <= row.hlc,
        )
        .order_by(columns.hlc.desc())
        .limit(1)
    ).scalar()
    if encoded is None:
        return ReceiptForm()
    try:
        changed = read_fact(decode_entry(encoded).envelope)
        assert isinstance(changed, ReceiptFormChanged)
        return check_form(changed.form)
    except (DomainError, ProtocolError):
        return ReceiptForm()  # no till of ours writes it; nothing of it is shown


def _name(snapshot: Snapshot, table: Any, key: Any, value: str) -> str:
    found = snapshot.connection.execute(
        select(table.c.name).where(table.c.shard == snapshot.shard, key == value)
    ).scalar()
    return found or value


def _programme(snapshot: Snapshot, ref: BundleRef) -> Programme | None:
    document = snapshot.connection.execute(
        select(bundles.c.document).where(
            bundles.c.shard == snapshot.shard, bundles.c.version == ref.version
        )
    ).scalar()
    try:
        return load_programme(document) if document is not None else None
    except DomainError:
        return None  # of a later release; its parts are called by their ids


def _face(snapshot: Snapshot, member_id: str) -> MemberFace | None:
    """Who it was, as far as paper says; nobody once the member was erased.

    What lapses soon and how far the next tier is belongs to the day of the print and to the member:
    a paper that somebody else found does not tell how the account stands today.
    """
    row = snapshot.connection.execute(
        select(members.c.name, members.c.card, members.c.phone).where(
            members.c.shard == snapshot.shard,
            members.c.member_id == member_id,
            members.c.gone.is_(False),
        )
    ).first()
    return MemberFace(name=row.name, card=row.card or row.phone) if row is not None else None


def _returns(snapshot: Snapshot, sale: Envelope, shop: Shop) -> Iterator[ReturnNoted]:
    rows = snapshot.connection.execute(
        _TICKETS.where(tickets.c.shard == snapshot.shard, tickets.c.original == sale.id).order_by(
            entries.c.server_seq
        )
    )
    for row in rows:
        envelope = decode_entry(row.bytes).envelope
        fact = read_fact(envelope)
        assert isinstance(fact, SaleReturned)
        at = datetime.fromisoformat(envelope.occurred_at).astimezone(shop.zone)
        total = fact.total + fact.rounding
        yield ReturnNoted(fact.receipt_no, f"{at:%Y-%m-%d %H:%M}", total, fact.currency)
