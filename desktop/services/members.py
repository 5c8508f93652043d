"""Members at the till: found by card, phone, name or last digits; enrolled offline too."""

from desktop.services.books import Books
from desktop.store import members as store
from desktop.store.arriving import Arriving
from desktop.store.members import Member
from desktop.store.tickets import open_shift
from desktop.store.writer import Transaction
from shared.catalogue.card_numbers import holds_card_number
from shared.errors import DomainError
from shared.ids import MemberId, OperatorId
from shared.journal.attachment import attach
from shared.journal.chain import ChainedEntry
from shared.journal.entry import format_occurred_at
from shared.journal.strict import encode_strict
from shared.protocol.message import MemberRow
from shared.trade.profile import (
    KeyKind,
    MemberProfile,
    clean_birthday,
    clean_card,
    clean_name,
    clean_phone,
    lookup_hash,
    lookup_hashes,
)
from shared.trade.till import MemberEnrolled
from shared.trade.writing import Writing

FOUND_MAX = 20
TERMS_VERSION = "1"


class Members:
    """Looking members up and enrolling them."""

    def __init__(self, books: Books, arriving: Arriving | None = None) -> None:
        self._books = books
        self._arriving = arriving or Arriving(books.writer)

    def by_card(self, code: str) -> Member | None:
        """The member with this card."""
        return next(iter(self._by_key(KeyKind.CARD, code)), None)

    def by_phone(self, phone: str) -> list[Member]:
        """Members with exactly this phone number."""
        return self._by_key(KeyKind.PHONE, phone)

    def _by_key(self, kind: KeyKind, text: str) -> list[Member]:
        key = lookup_hash(self._books.identity.lookup_key, kind, text)
        with self._books.reading() as connection:
            found = store.find_by_key(connection, key)
        if found or not self._arriving.take_over_key(key):
            return found
        with self._books.reading() as connection:
            return store.find_by_key(connection, key)

    def by_id(self, member_id: MemberId) -> Member | None:
        """One member as known now."""
        with self._books.reading() as connection:
            return store.find(connection, member_id)

    def by_now(self, member_id: MemberId) -> Member | None:
        """Who that is by now: another where two enrolments were merged."""
        with self._books.reading() as connection:
            return store.find_person(connection, member_id)

    def search(self, text: str) -> list[Member]:
        """Members by card, full phone, last four digits, or part of the name."""
        text = text.strip()
        if not text or holds_card_number(text):
            return []
        exact = [*self._by_key(KeyKind.CARD, text), *self.by_phone(text)]
        if exact:
            return list({member.member_id: member for member in exact}.values())
        self._arriving.take_over_phone_tail(text)
        with self._books.reading() as connection:
            return store.search(connection, text, limit=FOUND_MAX)

    def enrol(
        self,
        *,
        name: str,
        phone: str = "",
        card: str = "",
        birthday: str = "",
        referred_by: str = "",
        operator_id: OperatorId,
        tier: str,
    ) -> Member:
        """Make a member at once, network or not; ``birthday`` is month and day, as typed.

        ``referred_by`` is the card or phone of the member who brought them.
        Raises DomainError ``payment-card-dropped``, ``member-needs-phone-or-card``, ``bad-phone``,
        ``name-too-long``,
        ``bad-birthday``, ``member-exists`` when phone or card is known at this till, and
        ``referrer-unknown`` or ``referrer-unclear`` for who brought them.
        """
        profile = self._checked(name, phone, card, birthday)
        referrer = self._referrer(referred_by) if referred_by.strip() else None
        member_id = MemberId(self._books.new_id())
        fact = MemberEnrolled(
            member_id=member_id,
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            terms_version=TERMS_VERSION,
            tier=tier,
            referred_by=referrer,
        )
        row = self._row(member_id, profile, tier)

        def keep(transaction: Transaction, chained: ChainedEntry) -> None:
            store.put_member(
                transaction.connection,
                row,
                epoch=chained.envelope.epoch,
                applied_through=chained.envelope.seq,
                as_of=format_occurred_at(self._books.clock.now()),
            )

        with self._books.reading() as connection:
            shift = open_shift(connection)
        self._books.record(
            Writing(
                fact,
                business_date=shift.business_date if shift else None,
                attachments=(("profile", attach(encode_strict(profile))),),
            ),
            also=keep,
        )
        enrolled = self.by_id(member_id)
        assert enrolled is not None
        return enrolled

    def _referrer(self, text: str) -> MemberId:
        found = {m.member_id for m in (*self._by_key(KeyKind.CARD, text), *self.by_phone(text))}
        if len(found) != 1:
            raise DomainError("referrer-unclear" if found else "referrer-unknown")
        return found.pop()

    def _checked(self, name: str, phone: str, card: str, birthday: str) -> MemberProfile:
        digits = clean_phone(phone) if phone.strip() else ""
        card = clean_card(card)
        if not digits and not card:
            raise DomainError("member-needs-phone-or-card")
        born = clean_birthday(birthday) if birthday.strip() else ""
        name = clean_name(name)
        if (digits and self.by_phone(digits)) or (card and self.by_card(card)):
            raise DomainError("member-exists")
        return MemberProfile(name=name, phone=digits, card=card, birthday=born)

    def _row(self, member_id: MemberId, profile: MemberProfile, tier: str) -> MemberRow:
        return MemberRow(
            member_id=member_id,
            name=profile.name,
            phone_tail=profile.phone[-4:],
            card_tail=profile.card[-4:],
            keys=lookup_hashes(self._books.identity.lookup_key, profile),
            tier=tier,
            birthday=profile.birthday,
        )
