"""A member's profile changed at the till, network or not; the server merges what tills say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from desktop.services.books import Books
from desktop.services.members import Members
from desktop.store.members import Member
from desktop.store.profile_changes import PendingChange, change_member
from desktop.store.tickets import open_shift
from desktop.store.writer import Transaction
from shared.clock import HybridTime
from shared.errors import DomainError
from shared.ids import EntryId, OperatorId
from shared.journal.attachment import attach
from shared.journal.chain import ChainedEntry
from shared.journal.strict import encode_strict
from shared.language import Language
from shared.protocol.message import ConsentRow
from shared.trade.consent import Consent, Decision, granted
from shared.trade.fact import Approval
from shared.trade.profile import (
    KeyKind,
    clean_birthday,
    clean_card,
    clean_name,
    clean_phone,
    lookup_hash,
)
from shared.trade.profile_change import ConsentDecided, MemberChanged, ProfileChange
from shared.trade.writing import Writing

ACTION: Final = "member-change"
"""What a manager approves where a phone, card or birthday is replaced."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that was checked and is not written yet."""

    member: Member
    change: ProfileChange
    consents: tuple[ConsentDecided, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it would change nothing."""
        return not self.change.fields() and not self.consents

    @property
    def replaces(self) -> bool:
        """Whether it takes a phone, card or birthday away: who has another one gets presents and
        points by it, so a manager looks."""
        before = {
            "phone": self.member.phone_tail,
            "card": self.member.card_tail,
            "birthday": self.member.birthday,
        }
        return any(before[field] for field in self.change.fields() if field in before)


def consents_of(rows: Iterable[ConsentRow]) -> frozenset[Consent]:
    """What a member agreed to, by the decisions that stand; those of later releases are unknown."""
    known = [one for one in rows if one.consent in set(Consent)]
    return granted(Decision(one.decision, Consent(one.consent), one.is_granted) for one in known)


class Profiles:
    """Checks and writes changes."""

    def __init__(self, books: Books, members: Members) -> None:
        self._books = books
        self._members = members

    def edit(
        self,
        member: Member,
        *,
        name: str = "",
        phone: str = "",
        card: str = "",
        birthday: str = "",
        language: str = "",
        consents: Mapping[Consent, bool] | None = None,
    ) -> Edit:
        """What would be changed; a field left empty, or typed as it is, stays.

        Raises DomainError ``payment-card-dropped``, ``bad-phone``, ``name-too-long``,
        ``bad-birthday``, ``bad-language`` and ``member-exists`` where phone or card is another
        member's here.
        """
        wanted: dict[str, str] = {}
        if (cleaned := clean_name(name)) and cleaned != member.name:
            wanted["name"] = cleaned
        if phone.strip() and self._is_new(KeyKind.PHONE, digits := clean_phone(phone), member):
            wanted["phone"] = digits
        if (code := clean_card(card)) and self._is_new(KeyKind.CARD, code, member):
            wanted["card"] = code
        if birthday.strip() and (born := clean_birthday(birthday)) != member.birthday:
            wanted["birthday"] = born
        if language and language != member.language:
            if language not in set(Language):
                raise DomainError("bad-language", text=language[:20])
            wanted["language"] = language
        return Edit(member, ProfileChange(**wanted), _decisions(member, consents or {}))

    def _is_new(self, kind: KeyKind, text: str, member: Member) -> bool:
        found = (
            self._members.by_phone(text)
            if kind is KeyKind.PHONE
            else [one for one in (self._members.by_card(text),) if one]
        )
        if any(one.member_id != member.member_id for one in found):
            raise DomainError("member-exists")
        return not found

    def write(
        self, edit: Edit, *, operator_id: OperatorId, approvals: tuple[Approval, ...] = ()
    ) -> Member:
        """Write a change; the member as it is then.

        Raises DomainError ``approval-needed`` where a manager has to approve it, and
        ``unknown-member`` where the member was erased meanwhile.
        """
        member = edit.member
        if edit.is_empty:
            return member
        if edit.replaces and not any(one.action == ACTION for one in approvals):
            raise DomainError("approval-needed")
        identity = self._books.identity
        fact = MemberChanged(
            member_id=member.member_id,
            store_id=identity.store_id,
            till_id=identity.till_id,
            operator_id=operator_id,
            consents=edit.consents,
            approvals=approvals,
        )

        def keep(transaction: Transaction, chained: ChainedEntry) -> None:
            envelope = chained.envelope
            pending = self._pending(edit, envelope.id, envelope.hlc)
            is_here = change_member(
                transaction.connection,
                member.member_id,
                epoch=envelope.epoch,
                seq=envelope.seq,
                change=pending,
            )
            if not is_here:
                raise DomainError("unknown-member", member=member.member_id)

        with self._books.reading() as connection:
            shift = open_shift(connection)
        if member.changed_hlc:
            # A change made in the knowledge of another is later, whatever this till's clock says.
            self._books.scribe.hybrid.witness(HybridTime(member.changed_hlc))
        content = encode_strict(edit.change)
        self._books.record(
            Writing(
                fact,
                business_date=shift.business_date if shift else None,
                attachments=(("profile", attach(content)),) if edit.change.fields() else (),
            ),
            also=keep,
        )
        now = self._members.by_id(member.member_id)
        if now is None:
            raise DomainError("unknown-member", member=member.member_id)
        return now

    def _pending(self, edit: Edit, entry_id: EntryId, hlc: HybridTime) -> PendingChange:
        fields = edit.change.fields()
        kinds = [(kind, fields[kind]) for kind in KeyKind if fields.get(kind)]
        key = self._books.identity.lookup_key
        return PendingChange(
            entry_id=entry_id,
            hlc=hlc,
            name=fields.get("name"),
            phone_tail=fields["phone"][-4:] if "phone" in fields else None,
            card_tail=fields["card"][-4:] if "card" in fields else None,
            keys=tuple(lookup_hash(key, kind, text) for kind, text in kinds),
            birthday=fields.get("birthday"),
            language=fields.get("language"),
            consents=edit.consents,
        )


def _decisions(member: Member, wanted: Mapping[Consent, bool]) -> tuple[ConsentDecided, ...]:
    """Decisions for what is to change, each in the knowledge of all that stand here."""
    agreed = consents_of(member.consents)
    return tuple(
        ConsentDecided(
            consent=consent,
            is_granted=is_granted,
            seen=tuple(one.decision for one in member.consents if one.consent == consent),
        )
        for consent, is_granted in wanted.items()
        if is_granted is not (consent in agreed)
    )
