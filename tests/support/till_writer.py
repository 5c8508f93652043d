"""A till reduced to its pen: writes chained, signed entries and speaks the protocol over HTTP.

For tests of the server alone; the product's own till is in ``desktop``.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import httpx
import msgspec

from shared.clock import HybridClock, ManualClock
from shared.ids import EntryId, JournalId, MemberId, OperatorId, ShiftId, StoreId, TillId, random_id
from shared.journal.attachment import Attachment, attach
from shared.journal.certificate import Certificate, decode_certificate, sign_head
from shared.journal.chain import ChainedEntry, ChainHead, begin_chain
from shared.journal.keys import SigningKey, new_signing_key
from shared.protocol.message import (
    CONTENT_TYPE,
    PROTOCOL,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    Hello,
    LookupReply,
    LookupRequest,
    Message,
    PullReply,
    PullRequest,
    PushReply,
    PushRequest,
    Stream,
)
from shared.protocol.request_signature import sign_request
from shared.trade.fact import (
    Approval,
    BundleRef,
    CardStamped,
    Fact,
    FiscalOutcome,
    LotDraw,
    MemberOutcome,
    PointsOutcome,
    Tender,
    TenderKind,
)
from shared.trade.profile import MemberProfile
from shared.trade.profile_change import ConsentDecided, MemberChanged, ProfileChange
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned
from shared.trade.till import MemberEnrolled
from shared.trade.writing import Scribe, Writing

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MessageType = TypeVar("MessageType", bound=Message)
BUNDLE = BundleRef(version=1, sha256="0" * 64)


class Refused(Exception):
    """The server's ErrorReply with its HTTP status."""

    def __init__(self, status: int, reply: ErrorReply) -> None:
        super().__init__(status, reply)
        self.status = status
        self.reply = reply


@dataclass
class TillWriter:
    """One epoch of one journal, its entries, and what goes with them."""

    certificate: Certificate
    key: SigningKey
    reply: EnrolReply
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    entries: list[ChainedEntry] = field(default_factory=list)
    attachments: dict[EntryId, list[Attachment]] = field(default_factory=dict)
    programme: BundleRef = BUNDLE

    def __post_init__(self) -> None:
        self.hybrid = HybridClock(self.clock)
        self.scribe = Scribe(self.clock, self.hybrid, UTC)
        self.heads = [
            begin_chain(
                self.certificate.journal, self.certificate.epoch, self.reply.certificate.payload
            )
        ]

    @property
    def head(self) -> ChainHead:
        """Where the chain stands."""
        return self.heads[-1]

    @property
    def journal(self) -> JournalId:
        """Whose entries these are."""
        return self.certificate.journal

    def write(
        self,
        fact: Fact,
        *attached: tuple[str, Attachment],
        entry_id: EntryId | None = None,
        depends_on: tuple[EntryId, ...] = (),
    ) -> EntryId:
        """Append a fact a second later."""
        self.clock.advance(seconds=1)
        writing = Writing(
            fact, business_date=date(2026, 3, 1), attachments=attached, depends_on=depends_on
        )
        head, chained = self.scribe.write(self.head, writing, entry_id)
        self.heads.append(head)
        self.entries.append(chained)
        self.attachments[chained.id] = [attachment for _role, attachment in attached]
        return chained.id

    def enrol_member(
        self,
        profile: MemberProfile | None = None,
        member_id: MemberId | None = None,
        *,
        referred_by: MemberId | None = None,
    ) -> MemberId:
        """Enrol somebody with a profile beside the entry."""
        member = member_id or MemberId(random_id())
        content = msgspec.json.encode(profile or MemberProfile(name="Li Lei", phone="13800138000"))
        fact = MemberEnrolled(
            member_id=member,
            store_id=_store(self),
            till_id=_till(self),
            operator_id=OperatorId(random_id()),
            terms_version="1",
            tier="member",
            referred_by=referred_by,
        )
        self.write(fact, ("profile", attach(content)))
        return member

    def change_member(
        self,
        member: MemberId,
        *consents: ConsentDecided,
        approvals: tuple[Approval, ...] = (),
        **fields: str,
    ) -> EntryId:
        """Change fields of a profile, and what the member agrees to."""
        fact = MemberChanged(
            member_id=member,
            store_id=_store(self),
            till_id=_till(self),
            consents=consents,
            approvals=approvals,
        )
        content = msgspec.json.encode(ProfileChange(**fields))
        return self.write(fact, *([("profile", attach(content))] if fields else []))

    def sell(
        self,
        amount: int,
        *,
        member: MemberId | None = None,
        earned: int = 0,
        spend: tuple[LotDraw, ...] = (),
        quantity: int = 1,
        entry_id: EntryId | None = None,
        lease_id: str | None = None,
        expires_on: str | None = None,
        cards: tuple[CardStamped, ...] = (),
        fiscal: FiscalOutcome | None = None,
    ) -> EntryId:
        """Ring one line for cash, part of it paid with points (one minor unit each)."""
        line = SaleLine(
            line=1,
            goods_id="tea",
            names={"en": "Tea", "zh_CN": "茶"},
            quantity=quantity,
            list_price=amount,
            unit_price=amount,
            gross=amount,
            amount=amount,
            tax_class="standard",
            points=earned,
        )
        spent = sum(draw.points for draw in spend)
        outcome = _outcome(self, member, amount, earned, spent, expires_on) if member else None
        fact = _sale(self, line, spend, outcome, lease_id)
        return self.write(
            msgspec.structs.replace(fact, cards=cards, fiscal=fiscal), entry_id=entry_id
        )

    def take_back(
        self,
        sale: EntryId,
        amount: int,
        *,
        quantity: int = 1,
        member: MemberId | None = None,
        taken: tuple[LotDraw, ...] = (),
    ) -> EntryId:
        """Take units of a sale's only line back for cash."""
        line = ReturnLine(
            line=1,
            of_line=1,
            goods_id="tea",
            names={"en": "Tea", "zh_CN": "茶"},
            quantity=quantity,
            amount=amount,
            tax_class="standard",
        )
        outcome = _outcome(self, member, -amount) if member else None
        fact = SaleReturned(
            **where(self),
            original=sale,
            lines=(line,),
            total=amount,
            refunds=(Tender(tender=TenderKind.CASH, amount=amount),),
            points_taken=taken,
            member=outcome,
            reason="changed mind",
        )
        return self.write(fact, depends_on=(sale,))

    def push_request(self, start: int = 0, stop: int | None = None) -> PushRequest:
        """The push of ``entries[start:stop]``."""
        sent = self.entries[start:stop]
        before, after = self.heads[start], self.heads[start + len(sent)]
        attached = [a for entry in sent for a in self.attachments.get(entry.id, ())]
        return PushRequest(
            protocol=PROTOCOL,
            journal=self.journal,
            epoch=self.certificate.epoch,
            first_seq=start,
            prev_hash=before.hash,
            entries=tuple(entry.entry.encoded for entry in sent),
            attachments=tuple(attached),
            head_hash=after.hash,
            head_signature=sign_head(
                self.key,
                journal=self.journal,
                epoch=self.certificate.epoch,
                seq=after.last_seq,
                head_hash=after.hash,
            ),
            hlc=self.hybrid.tick(),
            certificate=self.reply.certificate,
        )

    def copy(self, length: int) -> "TillWriter":
        """The same till restored from an image taken after ``length`` entries."""
        twin = replace(self, clock=ManualClock(self.clock.at), entries=self.entries[:length])
        twin.heads = self.heads[: length + 1]
        twin.attachments = dict(self.attachments)
        return twin


@dataclass
class Line:
    """A till's connection to a server, or to an application in this process."""

    client: httpx.Client

    def hello(self) -> Hello:
        """Shake hands."""
        return _read(self.client.get("/v1/hello"), Hello)

    def enrol(self, code: str, key: SigningKey | None = None) -> TillWriter:
        """Enrol with a code."""
        key = key or new_signing_key()
        request = EnrolRequest(protocol=PROTOCOL, code=code, public_key=str(key.public))
        reply = self.post("/v1/enrol", request, EnrolReply)
        return TillWriter(decode_certificate(reply.certificate.payload), key, reply)

    def push(self, till: TillWriter, start: int = 0, stop: int | None = None) -> PushReply:
        """Push ``entries[start:stop]``."""
        return self.post("/v1/sync/push", till.push_request(start, stop), PushReply)

    def pull(
        self, till: TillWriter, stream: Stream, cursor: str | None = None, limit: int = 2000
    ) -> PullReply:
        """Pull one page."""
        request = PullRequest(protocol=PROTOCOL, stream=stream, cursor=cursor, limit=limit)
        return self.post("/v1/sync/pull", request, PullReply, signer=till.key)

    def look_up(self, till: TillWriter, **asked: str) -> LookupReply:
        """Look a member or a receipt up."""
        request = LookupRequest(protocol=PROTOCOL, **asked)
        return self.post("/v1/lookup", request, LookupReply, signer=till.key)

    def post(
        self,
        path: str,
        message: Message,
        kind: type[MessageType],
        *,
        signer: SigningKey | None = None,
    ) -> MessageType:
        """Post a message, signed where a key is given."""
        body = msgspec.msgpack.encode(message)
        headers = {"Content-Type": CONTENT_TYPE}
        if signer is not None:
            nonce = self.hello().nonce
            headers |= sign_request(signer, method="POST", path=path, body=body, nonce=nonce)
        return _read(self.client.post(path, content=body, headers=headers), kind)


def rows_of(reply: PullReply, kind: type[MessageType]) -> list[MessageType]:
    """A page's rows, decoded."""
    return [msgspec.msgpack.decode(bytes(row), type=kind) for row in reply.rows]


def _read(response: httpx.Response, kind: type[MessageType]) -> MessageType:
    if response.status_code != 200:
        raise Refused(
            response.status_code, msgspec.msgpack.decode(response.content, type=ErrorReply)
        )
    return msgspec.msgpack.decode(response.content, type=kind)


def _store(till: TillWriter) -> StoreId:
    assert till.certificate.store_id is not None
    return till.certificate.store_id


def _till(till: TillWriter) -> TillId:
    assert till.certificate.till_id is not None
    return till.certificate.till_id


def _outcome(
    till: TillWriter,
    member: MemberId,
    amount: int,
    earned: int = 0,
    spent: int = 0,
    expires_on: str | None = None,
) -> MemberOutcome:
    return MemberOutcome(
        member_id=member,
        tier="member",
        tier_after="silver" if amount >= 20_000 else "member",
        growth=amount // 100,
        spend=amount,
        points=PointsOutcome(
            opening=0,
            earned=earned,
            spent=spent,
            closing=earned - spent,
            as_of=till.clock.at.isoformat(),
            expires_on=expires_on,
        ),
    )


def _sale(
    till: TillWriter,
    line: SaleLine,
    spend: tuple[LotDraw, ...],
    member: MemberOutcome | None,
    lease_id: str | None,
) -> SaleCompleted:
    spent = sum(draw.points for draw in spend)
    tenders = [Tender(tender=TenderKind.CASH, amount=line.amount - spent)]
    if spend:
        tenders.append(
            Tender(
                tender=TenderKind.POINTS, amount=spent, points=spent, lots=spend, lease_id=lease_id
            )
        )
    return SaleCompleted(
        **where(till), lines=(line,), total=line.amount, tenders=tuple(tenders), member=member
    )


def where(till: TillWriter) -> dict[str, Any]:
    """What every ticket says about where it was rung."""
    return {
        "receipt_no": f"{till.certificate.till_number:03}-{till.head.next_seq:06}",
        "ticket_id": random_id(),
        "store_id": _store(till),
        "till_id": _till(till),
        "shift_id": ShiftId("shift"),
        "operator_id": OperatorId("operator"),
        "currency": "CNY",
        "programme": till.programme,
        "engine": "1",
    }
