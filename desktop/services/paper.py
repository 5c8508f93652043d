"""Renders a print job: from the entry it names to a receipt, with names as they are known now."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from desktop.services.books import Books
from desktop.store.bundles import read_bundle
from desktop.store.card_codes import code_of
from desktop.store.catalogue import find_by_id
from desktop.store.entries import read_entry
from desktop.store.fiscal import fiscal_ticket
from desktop.store.journal import read_chained
from desktop.store.loose_papers import read_paper
from desktop.store.members import Member, find
from desktop.store.operators import operator_name
from desktop.store.print_jobs import JobState, PrintJob
from shared.ids import EntryId, GoodsId
from shared.journal.chain import ChainedEntry
from shared.loyalty.member_now import lots_now, standing_now
from shared.loyalty.programme import Programme
from shared.loyalty.reminding import lapsing_soon
from shared.pricing.sale_lines import goods_names, names_by_language
from shared.receipt.builder import receipt_of
from shared.receipt.coupon import coupon_slip
from shared.receipt.document import Document
from shared.receipt.issue import Exchanged, Issue, Lapsing, MemberFace, NextTier, Shop
from shared.receipt.naming import coupon_codes, vocabulary
from shared.receipt.parts import as_copy
from shared.receipt.verification import SHOWN_ONLINE, verification_code
from shared.receipt.voice import PaperLanguage
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact
from shared.trade.fiscal import FiscalRecorded
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import BasketHeld, MemberEnrolled
from shared.trade.value import GiftCardSold, ValueClosed, ValueToppedUp

"""Points that end sooner are named on the receipt."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Builds receipts out of the books."""

    books: Books
    shop: Shop

    def document(self, job: PrintJob) -> Document:
        """The paper of a job; a job whose fact leaves no paper is a bug."""
        with self.books.reading() as connection:
            loose = read_paper(connection, job.entry_id)
            if loose is not None:
                return as_copy(loose.document, job.copy)
            chained = read_chained(connection, job.entry_id)
            fact = read_fact(chained.envelope)
            document = receipt_of(fact, self._issue(connection, job, chained, fact))
        assert document is not None, fact.kind
        return document

    def coupon_slips(self, entry_id: EntryId, language: PaperLanguage) -> list[Document]:
        """The coupons that a sale or a top-up issued, each on a paper of its own."""
        with self.books.reading() as connection:
            chained = read_chained(connection, entry_id)
            fact = read_fact(chained.envelope)
            job = PrintJob("", entry_id, 0, language.value, JobState.QUEUED, "")
            issue = self._issue(connection, job, chained, fact)
        return [coupon_slip(coupon, issue) for coupon in getattr(fact, "coupons_issued", ())]

    def _issue(
        self, connection: Connection, job: PrintJob, chained: ChainedEntry, fact: Fact
    ) -> Issue:
        envelope = chained.envelope
        bundle = _programme_of(connection, fact)
        identity = self.books.identity
        return Issue(
            shop=self.shop,
            paper_language=PaperLanguage(job.language),
            till_label=identity.till_name,
            operator_label=operator_name(connection, getattr(fact, "operator_id", None)),
            occurred_at=datetime.fromisoformat(envelope.occurred_at),
            entry_hash=chained.hash.hex(),
            barcode=getattr(fact, "receipt_no", ""),
            code=verification_code(chained.hash) if isinstance(fact, SHOWN_ONLINE) else "",
            business_date=envelope.business_date or "",
            copy=job.copy,
            names=replace(
                vocabulary(
                    bundle,
                    _goods_names(connection, fact),
                    coupon_codes(fact, chained.id, bundle, identity.lookup_key),
                ),
                gift_card_code=code_of(connection, chained.id) if not job.copy else "",
            ),
            member=self._face(connection, fact, bundle),
            fiscal=_fiscal(connection, job.entry_id),
            exchange=self._exchanged(connection, fact),
        )

    def _exchanged(self, connection: Connection, fact: Fact) -> Exchanged | None:
        """What came back for the goods of a sale."""
        if not isinstance(fact, SaleCompleted) or fact.exchange is None:
            return None
        entry = read_entry(connection, fact.exchange)
        if entry is None:
            return None  # this till has forgotten it: it was older, by one entry, than the sale
        returned = read_fact(entry.envelope)
        assert isinstance(returned, SaleReturned)
        face = self._face(connection, returned, None)
        return Exchanged(
            returned=returned,
            fiscal=_fiscal(connection, fact.exchange),
            member=replace(face, lapsing=()) if face is not None else None,
        )

    def _face(
        self, connection: Connection, fact: Fact, programme: Programme | None
    ) -> MemberFace | None:
        member_id = _member_of(fact)
        member = find(connection, member_id) if member_id else None
        if member is None:
            return None
        today = self.books.today()
        return MemberFace(
            name=member.name,
            card=member.card_tail or member.phone_tail,
            lapsing=tuple(_lapsing(member, programme, today)) if programme else (),
            next_tier=_next_tier(member, programme, today) if programme else None,
        )


def _fiscal(connection: Connection, entry_id: EntryId) -> FiscalRecorded | None:
    """What the fiscal device has said by now, so that a copy can bear what came too late."""
    found = fiscal_ticket(connection, entry_id)
    if found is None or found.recorded is None:
        return None
    fact = read_fact(read_chained(connection, found.recorded).envelope)
    return fact if isinstance(fact, FiscalRecorded) else None


def issue_now(
    books: Books, shop: Shop, *, operator_label: str, language: PaperLanguage, day: str = ""
) -> Issue:
    """What a paper without an entry needs: an X report, a test page, a sample."""
    return Issue(
        shop=shop,
        paper_language=language,
        till_label=books.identity.till_name,
        operator_label=operator_label,
        occurred_at=books.clock.now(),
        business_date=day,
    )


def _member_of(fact: Fact) -> str | None:
    if isinstance(fact, ActionCounted | DrawEntered):
        return fact.member.member_id
    if isinstance(fact, SaleCompleted | SaleReturned):
        return fact.member.member_id if fact.member else None
    if isinstance(fact, MemberEnrolled | ValueToppedUp | ValueClosed):
        return fact.member_id
    return None


def _programme_of(connection: Connection, fact: Fact) -> Programme | None:
    """The programme a ticket was priced with, else the one in force."""
    if isinstance(
        fact,
        SaleCompleted | SaleReturned | ValueToppedUp | GiftCardSold | ActionCounted | DrawEntered,
    ):
        found = read_bundle(connection, fact.programme.version)
    else:
        found = read_bundle(connection)
    return found[1] if found else None


def _goods_names(connection: Connection, fact: Fact) -> dict[str, dict[str, str]]:
    """Names of goods that a fact knows by code only; tickets carry their own."""
    if not isinstance(fact, BasketHeld):
        return {}
    found = ((line.goods_id, find_by_id(connection, GoodsId(line.goods_id))) for line in fact.lines)
    return {goods_id: goods_names(goods) for goods_id, goods in found if goods is not None}


def _lapsing(member: Member, programme: Programme, today: date) -> Iterable[Lapsing]:
    for one in lapsing_soon(lots_now(member, programme), programme.expiry, today):
        yield Lapsing(points=one.points, on=one.last_day.isoformat())


def _next_tier(member: Member, programme: Programme, today: date) -> NextTier | None:
    now = standing_now(member, programme, today)
    nearest = now.nearest
    if nearest is None:
        return None
    names = next(
        names_by_language(tier.names) for tier in programme.tiers.ladder if tier.id == now.next_tier
    )
    until = nearest.until.isoformat() if nearest.until else ""
    return NextTier(names=names, missing=nearest.missing, until=until)
