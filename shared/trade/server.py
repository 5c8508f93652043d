"""The facts of the server's own journal."""

from typing import ClassVar, Final

from shared.ids import JournalId, MemberId, OperatorId, StoreId, TillId
from shared.trade.fact import BundleRef, Fact, LotDraw, Value


class TillEnrolled(Fact, frozen=True, kw_only=True):
    """A till was given an epoch of a journal."""

    kind: ClassVar[str] = "till_enrolled"

    journal: JournalId
    epoch: int
    till_id: TillId
    store_id: StoreId
    key_id: str


class TillRekeyed(Fact, frozen=True, kw_only=True):
    """A till changed its key by itself: the next epoch of its journal is written with the new one.

    Both signatures are of ``shared.journal.certificate.rekey_message``.
    """

    kind: ClassVar[str] = "till_rekeyed"

    journal: JournalId
    epoch: int
    """The one that begins."""
    till_id: TillId
    old_epoch: int
    old_key_id: str
    key_id: str
    public_key: str
    old_signature: str
    """Hex."""
    new_signature: str
    """Hex."""


class TillCommanded(Fact, frozen=True, kw_only=True):
    """A till was told to do something, or said what became of it."""

    kind: ClassVar[str] = "till_commanded"

    till_id: TillId
    command_id: str
    command: str
    """``wipe``, ``upgrade``, ``rekey``."""
    state: str
    """``issued``, ``seen``, ``done``, ``cancelled``."""


class ProgrammePublished(Fact, frozen=True, kw_only=True):
    """A programme bundle was put in force."""

    kind: ClassVar[str] = "programme_published"

    programme: BundleRef


class ExceptionEffect(Value, frozen=True, kw_only=True):
    """What an exception is about, in numbers: one account and by how much it is off."""

    account: str
    owner: str
    unit: str
    amount: int


class ExceptionRaised(Fact, frozen=True, kw_only=True):
    """Something the books show that should not be; the facts it names stay as they are."""

    kind: ClassVar[str] = "exception_raised"

    natural_key: str
    """Written once, whatever job finds it how often: ``overspent:<lot>:<entry>``."""
    rule: str
    """``lot-overspent``, ``fork``, ``receipt-returned-twice`` …"""
    member_id: MemberId | None = None
    effects: tuple[ExceptionEffect, ...] = ()


RECOVERY: Final = "recovery"


class PointsTransferred(Fact, frozen=True, kw_only=True):
    """Points moved between lots or members by the server.

    Nothing moves when points lapse: lots tell until when they can be spent.
    """

    kind: ClassVar[str] = "points_transferred"

    natural_key: str
    reason: str
    """``recovery``: later earnings pay what was owed. Others are kept for later."""
    decimals: int = 0
    from_member: MemberId | None
    from_lots: tuple[LotDraw, ...]
    to_member: MemberId | None
    to_lots: tuple[LotDraw, ...]


class MemberErased(Fact, frozen=True, kw_only=True):
    """A member's personal data was erased everywhere; the ledger keeps the random id."""

    kind: ClassVar[str] = "member_erased"

    member_id: MemberId
    reason: str


class DrawWin(Value, frozen=True, kw_only=True):
    """An entry of a draw and what it won."""

    prize: str
    names: dict[str, str]
    entry: str
    """``<entry id>/<number>``."""
    member_id: MemberId


class DrawRun(Fact, frozen=True, kw_only=True):
    """A prize draw was run: with the seed that was promised by its hash, anybody can check it.

    One with very many prizes is told by several such facts.
    """

    kind: ClassVar[str] = "draw_run"

    draw: str
    names: dict[str, str]
    seed: str
    entries: int
    """How many took part."""
    wins: tuple[DrawWin, ...] = ()


class TillRevoked(Fact, frozen=True, kw_only=True):
    """A till's key is trusted no more: what it still sends waits for a decision."""

    kind: ClassVar[str] = "till_revoked"

    journal: JournalId
    epoch: int
    till_id: TillId
    key_id: str


class QuarantineDecided(Fact, frozen=True, kw_only=True):
    """An entry that waited in quarantine was booked or given up."""

    kind: ClassVar[str] = "quarantine_decided"

    journal: JournalId
    epoch: int
    seq: int
    decision: str
    """``booked``, ``rejected``, or ``read``: a later release could read it."""


class OperatorChanged(Fact, frozen=True, kw_only=True):
    """Head office added or changed an operator; the name is the attachment ``profile``."""

    kind: ClassVar[str] = "operator_changed"

    operator_id: OperatorId
    role: str
    active: bool
    by: OperatorId | None
