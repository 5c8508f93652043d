"""Head office changes a member's profile: a fact of the server's journal, merged like a till's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from shared.catalogue.card_numbers import refuse_card_number
from shared.clock import Clock, HybridTime
from shared.errors import DomainError
from shared.ids import EntryId, MemberId
from shared.journal.attachment import attach
from shared.journal.entry import decode_entry
from shared.journal.strict import encode_strict
from shared.language import Language
from shared.trade.consent import Consent, Decision, granted
from shared.trade.profile import (
    birthday_of,
    clean_birthday,
    clean_card,
    clean_name,
    clean_phone,
)
from shared.trade.profile_change import ConsentDecided, MemberChanged, ProfileChange
from shared.trade.writing import Writing
from sync_server.database.schema import entries, members
from sync_server.database.transaction import Database, Work
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault
from sync_server.ledger.kept import Reading
from sync_server.members.consents import standing_consents
from sync_server.members.profile_facts import Arrival, ProfileFact
from sync_server.members.profiles import settle_profiles

TEXT_LENGTH_MAX: Final = 254
"""Of a card's code and an e-mail address (RFC 5321)."""


@dataclass(frozen=True, slots=True)
class ProfileDesk:
    """Changes profiles; who is changed in two places at once has the later change, per field."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault

    def change(
        self,
        member_id: MemberId,
        fields: Mapping[str, str],
        consents: Mapping[Consent, bool] | None = None,
    ) -> bool:
        """Set fields as typed, an empty one takes it away; False where nothing was different.

        Raises DomainError ``unknown-member``, ``name-too-long``, ``bad-phone``, ``bad-card``,
        ``bad-birthday``, ``payment-card-dropped``, ``bad-email``, ``bad-language`` and
        ``member-needs-phone-or-card``.
        """
        checked = {name: _CHECKS[name](text.strip()) for name, text in fields.items()}
        with self.database.writing() as work:
            row = _row(work, member_id)
            wanted = {name: text for name, text in checked.items() if text != getattr(row, name)}
            if not (wanted.get("phone", row.phone) or wanted.get("card", row.card)):
                raise DomainError("member-needs-phone-or-card")
            decided = _decided(work, member_id, consents or {})
            if not wanted and not decided:
                return False
            if row.changed_hlc:
                self.own.hybrid.witness(HybridTime(row.changed_hlc))
            self._write(work, MemberChanged(member_id=member_id, consents=decided), wanted)
        return True

    def _write(self, work: Work, fact: MemberChanged, wanted: Mapping[str, str]) -> None:
        attached = attach(encode_strict(ProfileChange(**wanted)))
        attachments = (("profile", attached),) if wanted else ()
        (entry_id,) = self.own.write(work, [Writing(fact, attachments=attachments)])
        reading = _reading(work, entry_id, fact)
        told = ProfileFact(reading, fact, attached.id if wanted else "")
        arrival = Arrival(now_ms=int(self.clock.now().timestamp() * 1000), from_till=False)
        findings = settle_profiles(work, [told], self.vault.lookup, arrival)
        self.own.raise_exceptions(work, findings)


def _row(work: Work, member_id: MemberId) -> Row[Any]:
    row = work.connection.execute(
        select(members).where(
            members.c.shard == work.shard,
            members.c.member_id == member_id,
            members.c.gone.is_(False),
        )
    ).first()
    if row is None:
        raise DomainError("unknown-member", member=member_id)
    return row


def _reading(work: Work, entry_id: EntryId, fact: MemberChanged) -> Reading:
    stored = select(entries.c.bytes).where(entries.c.shard == work.shard, entries.c.id == entry_id)
    encoded = work.connection.execute(stored).scalar_one()
    return Reading(decode_entry(encoded).envelope, fact, ())


def _decided(
    work: Work, member_id: MemberId, wanted: Mapping[Consent, bool]
) -> tuple[ConsentDecided, ...]:
    """Decisions for what is to change, each in the knowledge of all that stand."""
    stand: tuple[Decision, ...] = standing_consents(work, [member_id]).get(member_id, ())
    agreed = granted(stand)
    return tuple(
        ConsentDecided(
            consent=consent,
            is_granted=is_granted,
            seen=tuple(one.entry_id for one in stand if one.consent == consent),
        )
        for consent, is_granted in wanted.items()
        if is_granted is not (consent in agreed)
    )


def _phone(text: str) -> str:
    return clean_phone(text) if text else ""


def _card(text: str) -> str:
    if len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise DomainError("bad-card", text=text[:20])
    return clean_card(text)


def _birthday(text: str) -> str:
    """With its year where it is known here, else month and day as at the tills."""
    return text if not text or birthday_of(text) is not None else clean_birthday(text)


def _email(text: str) -> str:
    name, at, domain = text.partition("@")
    is_plain = text.isprintable() and " " not in text and len(text) <= TEXT_LENGTH_MAX
    if text and not (name and at and "." in domain and is_plain):
        raise DomainError("bad-email", text=text[:40])
    return refuse_card_number(text)


def _language(text: str) -> str:
    if text and text not in set(Language):
        raise DomainError("bad-language", text=text[:20])
    return text


_CHECKS: Final = {
    "name": clean_name,
    "phone": _phone,
    "card": _card,
    "birthday": _birthday,
    "email": _email,
    "language": _language,
}
