"""A member's profile changed, at a till or at head office; and which of several changes hold."""

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

import msgspec

from shared.clock import HybridTime
from shared.ids import EntryId, MemberId, OperatorId, StoreId, TillId
from shared.trade.consent import Consent
from shared.trade.fact import Approval, Fact, Value
from shared.trade.profile import MemberProfile

KEY_FIELDS: Final = ("phone", "card", "birthday")
"""What finds a member, or gives a present: replacing it at a till takes a manager."""


class ProfileChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The attachment ``profile`` of a change: the fields it sets; ``""`` takes one away.

    An enrolment's ``MemberProfile`` reads as the change from nothing.
    """

    name: str | msgspec.UnsetType = msgspec.UNSET
    phone: str | msgspec.UnsetType = msgspec.UNSET
    card: str | msgspec.UnsetType = msgspec.UNSET
    birthday: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET

    def fields(self) -> dict[str, str]:
        """What it sets, by field."""
        set_ = msgspec.structs.asdict(self)
        return {name: text for name, text in set_.items() if text is not msgspec.UNSET}


class ConsentDecided(Value, frozen=True, kw_only=True):
    """The member agreed to something, or withdrew it."""

    consent: Consent
    is_granted: bool
    seen: tuple[EntryId, ...] = ()
    """The decisions about it that stood, as far as was known where this one was made."""


class MemberChanged(Fact, frozen=True, kw_only=True):
    """A member's profile was changed: the fields are in the attachment ``profile``, if any.

    What the member agreed to is no personal data without it, and must not get lost with it.
    """

    kind: ClassVar[str] = "member_changed"

    member_id: MemberId
    store_id: StoreId | None = None
    till_id: TillId | None = None
    """Null at head office."""
    operator_id: OperatorId | None = None
    consents: tuple[ConsentDecided, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a fact that answers one question twice."""
        if any(count > 1 for count in Counter(one.consent for one in self.consents).values()):
            raise ValueError("consent decided twice")


class ProfileWriting(NamedTuple):
    """A change on its way to be merged with others."""

    entry_id: EntryId
    hlc: HybridTime
    change: ProfileChange
    is_enrolment: bool = False
    is_suspect: bool = False
    """Written by a clock that was more than ten minutes off when it arrived."""

    @property
    def rank(self) -> tuple[bool, bool, str, str]:
        """The higher one holds: changes before enrolments, trusted clocks before others."""
        return (not self.is_enrolment, not self.is_suspect, self.hlc, self.entry_id)


def merge_profile(writings: Iterable[ProfileWriting]) -> MemberProfile:
    """Field by field what the highest writing says; the same for any order, and for repeats."""
    merged: dict[str, str] = {}
    for writing in sorted(writings, key=lambda one: one.rank):
        merged |= writing.change.fields()
    return MemberProfile(**merged)


def last_change(writings: Iterable[ProfileWriting]) -> HybridTime | None:
    """The newest time of a trusted clock: who changes the profile next writes a later one."""
    return max((one.hlc for one in writings if not one.is_suspect), default=None)
