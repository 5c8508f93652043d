"""Messages of till and server. Bodies are msgpack; entries travel as the bytes they were written.

A known version forbids unknown fields: a new field with meaning is a new protocol version. Fields
newer than version 1 have defaults and are left out while they have them; ``spoken`` takes them out
of a reply to a peer of an older version.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, TypeVar

import msgspec

from shared.ids import EntryId, GoodsId, JournalId, MemberId, OperatorId
from shared.journal.attachment import Attachment
from shared.journal.keys import Signed
from shared.journal.strict import INTEGER_MAX

PROTOCOL: Final = 9
PROTOCOL_MIN: Final = 1
"""The oldest version that the server still speaks."""
PROTOCOL_BIRTHDAYS: Final = 2
"""From this version on a member's row has the birthday and segments."""
PROTOCOL_LEASES: Final = 3
"""From this version on there are leases, and a member's row has the bonus of stored value."""
PROTOCOL_CARDS: Final = 5
"""From this version on a member's row has stamps of visit cards and referrals."""
PROTOCOL_REGIONS: Final = 7
"""From this version on tills hold the members of their region, and there are snapshots."""
PROTOCOL_CARD_TAX: Final = 8
"""From this version on tills know gift cards that were taxed when they were sold."""
PROTOCOL_FLOORS: Final = 9
"""From this version on a member's row has tiers set by hand."""
PROTOCOL_PROFILES: Final = 6
"""From this version on a member's row has the language, consents, the last change's
time, and whose alias it is."""
PUSH_ENTRIES_MAX: Final = 500
PUSH_BYTES_MAX: Final = 1024 * 1024
BODY_BYTES_MAX: Final = 2 * PUSH_BYTES_MAX
"""The largest request body the server reads: a full push with its attachments and framing."""
PAGE_ROWS_MAX: Final = 2000
WAIT_S_MAX: Final = 25
"""Below the time after which tills and the proxies on their way give an answer up."""
CONTENT_TYPE: Final = "application/msgpack"

Count = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
"""A number or a position; what every database and every JSON reader keeps exactly."""
Amount = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
"""Of a balance's unit; negative where it is owed."""


class Message(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A message on the wire."""

    newer: ClassVar[Mapping[int, Mapping[str, object]]] = {}
    """Per version, the fields it brought with their defaults."""


class Hello(Message, frozen=True, kw_only=True):
    """The server's answer to a handshake: what it speaks, when it thinks it is, a nonce."""

    protocol_min: Count
    protocol_max: Count
    server_time: str
    entries_max: Count
    bytes_max: Count
    nonce: str
    """To sign the next requests with; stated lifetime ten minutes."""


class EnrolRequest(Message, frozen=True, kw_only=True):
    """A new till introduces itself with a one-time code."""

    protocol: Count
    code: str
    public_key: str
    journal: JournalId | None = None
    """Of a till that is enrolled again: a code for another till's is left unused."""


class EnrolReply(Message, frozen=True, kw_only=True):
    """Everything a till needs to start its journal."""

    certificate: Signed
    server_key: Signed
    """The server's signing key, certified by the root."""
    root_key: str
    """Pinned by the till from now on."""
    lookup_key: bytes
    """For the keyed hashes of phones and cards."""
    store_name: str
    store_zone: str
    """IANA name."""
    till_name: str


class KeysReply(Message, frozen=True, kw_only=True):
    """All statements about the server's keys, in the order in which they were made; each proves
    itself (``shared.journal.server_key``)."""

    statements: tuple[Signed, ...]


class RekeyRequest(Message, frozen=True, kw_only=True):
    """A till asks for its journal's next epoch under a new key; signed by the old one besides."""

    protocol: Count
    public_key: str
    old_signature: bytes
    """Of ``shared.journal.certificate.rekey_message``, by the key of the newest epoch."""
    new_signature: bytes
    """Of the same, by the new key."""


class RekeyReply(Message, frozen=True, kw_only=True):
    """The next epoch's certificate; the same again where the question is repeated."""

    certificate: Signed


class PushRequest(Message, frozen=True, kw_only=True):
    """Entries above the server's high-water mark, in order, without gaps."""

    protocol: Count
    journal: JournalId
    epoch: Count
    first_seq: Count
    prev_hash: bytes
    entries: tuple[bytes, ...]
    attachments: tuple[Attachment, ...]
    head_hash: bytes
    """Hash of the last entry sent (of ``prev_hash`` where none is sent)."""
    head_signature: bytes
    hlc: str
    certificate: Signed
    """The epoch's own certificate, so that a push proves itself."""
    oldest_seq: Count | None = None
    """The first entry this till still has; told where the server asks for what it has no more."""


class ExceptionNotice(Message, frozen=True, kw_only=True):
    """An exception the server booked about this journal's facts."""

    id: EntryId
    rule: str
    facts: tuple[EntryId, ...]


class PushReply(Message, frozen=True, kw_only=True):
    """Where the server's copy of the journal stands."""

    next_seq: Count
    head_hash: bytes
    durable_seq: Count
    exceptions: tuple[ExceptionNotice, ...]
    server_time: str
    hlc: str
    backup_at: str | None = None
    """When the newest verified copy on another device was made; null while there is none."""
    enrol_again: bool = False
    """This journal was found forked: the till should get a key of its own; it goes on selling."""
    head_signature: bytes | None = None
    """The till's own signature of ``next_seq - 1``, where that is more than it sent: it proves that
    the till wrote what it may not know of any more."""

    newer = {2: {"backup_at": None, "enrol_again": False, "head_signature": None}}


class ErrorReply(Message, frozen=True, kw_only=True):
    """Why a request was refused; words are made where they are read."""

    code: str
    fields: dict[str, str | int]
    next_seq: Count | None = None
    """With 409 on a push: where to go on from."""
    head_hash: bytes | None = None


class Stream(StrEnum):
    """What a till pulls; each has a cursor of its own."""

    CATALOGUE = "catalogue"
    PROGRAMME = "programme"
    OPERATORS = "operators"
    MEMBERS = "members"


class PullRequest(Message, frozen=True, kw_only=True):
    """The next page of a stream after a cursor; null asks from the start."""

    protocol: Count
    stream: Stream
    cursor: str | None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX
    unsent: Count = 0
    """Entries this till has not sent; head office shows it beside the last contact."""
    is_mismatched: bool = False
    """What this till held of the stream was not what the server counts; it starts anew."""
    programme: Signed | None = None
    """Where the programme's stream is asked for from the start: the newest one that the till has,
    in the server's own words. A restored server may not know it."""
    scope: str = ""
    """Which rows of the stream the till reads, as the page before told it; since version 7."""


class GoodsRow(Message, frozen=True, kw_only=True):
    """One article; ``document`` is the encoded ``shared.catalogue`` value."""

    goods_id: GoodsId
    document: bytes
    search_keys: tuple[str, ...] = ()
    """Made with the catalogue: pinyin needs a library of 68 MB that no till should load."""
    deleted: bool = False


class BundleRow(Message, frozen=True, kw_only=True):
    """A programme; the newest version is in force.

    ``statement`` is signed for purpose ``bundle`` and audience ``all``; its payload is the strict
    JSON of the ``BundleRef``, so that neither the document nor its version can be exchanged.
    """

    document: bytes
    statement: Signed


class OperatorRow(Message, frozen=True, kw_only=True):
    """Someone who may work at a till."""

    operator_id: OperatorId
    name: str
    role: str
    """``cashier`` or ``manager``."""
    pin_hash: str
    """argon2id."""
    card_hash: str = ""
    """Keyed hash of the approval card."""
    active: bool = True


class BalanceRow(Message, frozen=True, kw_only=True):
    """One balance of a member on the server."""

    account: str
    lot: str
    unit: str
    amount: Amount
    earned_on: str | None = None
    expires_on: str | None = None
    """The last day on which points of the lot can be spent."""


class ConsentRow(Message, frozen=True, kw_only=True):
    """A decision about a consent that stands, alone or beside others that did not know of it."""

    consent: str
    decision: EntryId
    is_granted: bool = False


class MemberRow(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A member as tills may know them: no year of birth, address or e-mail.

    ``gone`` without further data tells a till to forget the member: erased, or out of its scope.
    """

    member_id: MemberId
    gone: bool = False
    left: bool = False
    """With ``gone``: not erased, but held no more by tills of this region; since version 7."""
    name: str = ""
    phone_tail: str = ""
    """Last four digits."""
    card_tail: str = ""
    keys: tuple[str, ...] = ()
    """Keyed hashes of phone and cards."""
    tier: str = ""
    balances: tuple[BalanceRow, ...] = ()
    birthday: str = ""
    """``--MM-DD``; empty where it is not known."""
    segments: tuple[str, ...] = ()
    alias_of: str = ""
    """Whose enrolment it was merged into: what an alias had is there now."""
    language: str = ""
    changed_hlc: str = ""
    """The last change of the profile; who changes it next writes a later time."""
    consents: tuple[ConsentRow, ...] = ()
    """Those decisions that stand: a later one names them."""


Row = GoodsRow | BundleRow | OperatorRow | MemberRow


class JournalHead(Message, frozen=True, kw_only=True):
    """How far the server has one branch of the asking till's epoch."""

    next_seq: Count
    hash: bytes
    """Of the entry before it; of the certificate where there is none."""


class PullReply(Message, frozen=True, kw_only=True):
    """One page: rows of the stream's own type, and what the page is true for."""

    rows: tuple[msgspec.Raw, ...]
    """Each row encoded on its own: the checksum is over these bytes."""
    cursor: str
    generation: str
    server_seq: Count
    """The state of the server all rows of this page were read at."""
    applied_through: Count
    """The asking till's ``next_seq`` in that state: own entries from here on are not in it. Of an
    epoch that forked it is the first branch's; ``heads`` has them all."""
    checksum: str
    """16 hex digits: the sum, modulo 2^64, of the first 8 bytes of each row's SHA-256."""
    is_last: bool
    scope_rows: Count | None = None
    """On the last page: how many rows that are no tombstones the till should hold now."""
    scope_checksum: str | None = None
    """On the last page: the checksum of all of them, kept where they are written."""
    heads: tuple[JournalHead, ...] = ()
    """The branches of the asking till's epoch in that state: own entries below the head of its own
    branch are in it."""

    scope: str = ""
    """Which rows of the stream these are of; empty for all."""
    key_statements: Count = 0
    """With the programme: how many statements there are about the server's keys. A till that saw
    fewer asks for them."""

    commands: Count = 0
    """With the programme: how many commands wait for the till. It asks for them."""

    newer = {
        2: {"scope_rows": None, "scope_checksum": None},
        4: {"heads": ()},
        7: {"scope": ""},
        8: {"key_statements": 0, "commands": 0},
    }


class LookupRequest(Message, frozen=True, kw_only=True):
    """Looks up a member online by a keyed hash, or a receipt by its number."""

    protocol: Count
    member_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")] | None = None
    receipt_no: Annotated[str, msgspec.Meta(pattern="^[!-~]{1,45}$")] | None = None
    """With or without the mark of the paper behind it."""


class ReceiptCopy(Message, frozen=True, kw_only=True):
    """A sale as written, with what later returns took of it."""

    entry: bytes
    returns: tuple[bytes, ...]


class LookupReply(Message, frozen=True, kw_only=True):
    """What was found; with a receipt its member comes along, unless erased."""

    members: tuple[MemberRow, ...] = ()
    receipt: ReceiptCopy | None = None
    heads: tuple[JournalHead, ...] = ()
    """As of a pull: the state in which the balances are true."""
    generation: str = ""
    server_seq: Count = 0
    """The state of the server the answer was read at."""

    newer = {4: {"heads": (), "generation": "", "server_seq": 0}}


class WaitRequest(Message, frozen=True, kw_only=True):
    """Asks to be answered when something new can be pulled; since version 3."""

    protocol: Count
    server_seq: Count
    """What the till has read up to, in every stream."""
    seconds: Annotated[int, msgspec.Meta(ge=0, le=WAIT_S_MAX)]
    """How long at most."""


class WaitReply(Message, frozen=True, kw_only=True):
    """There is something new where ``server_seq`` is above that of the request."""

    server_seq: Count


Spoken = TypeVar("Spoken", bound=Message)


def spoken(reply: Spoken, protocol: int) -> Spoken:
    """A reply as a peer of this version reads it: without fields that came later."""
    later = {
        name: default
        for version, fields in reply.newer.items()
        if version > protocol
        for name, default in fields.items()
    }
    return msgspec.structs.replace(reply, **later) if later else reply
