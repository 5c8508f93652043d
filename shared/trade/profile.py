"""What the attachment ``profile`` of an enrolment says, and how personal keys are looked up."""

import hashlib
import hmac
import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from shared.catalogue.card_numbers import refuse_card_number
from shared.catalogue.codes import PaymentCard, classify
from shared.errors import DomainError

NAME_LENGTH_MAX: Final = 60
PHONE_DIGITS_MIN: Final = 5
PHONE_DIGITS_MAX: Final = 15
LEAP_YEAR: Final = 2000
"""A birthday without its year is a day of this one, which has every day."""
_BIRTHDAY = re.compile(r"(?:\d{4}|-)-(\d{2})-(\d{2})")
_TYPED_BIRTHDAY = re.compile(r"(\d{2})(\d{2})|(\d{1,2})[-/.月](\d{1,2})日?")


class MemberProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Personal data of a member, as enrolled; never in an entry, erased on request."""

    name: str = ""
    phone: str = ""
    card: str = ""
    """The code on the member's card, as scanned."""
    birthday: str = ""
    """``--MM-DD``, as tills ask for it, or an ISO date."""
    email: str = ""
    language: str = ""
    """In which the member wants to be written to: ``zh_CN`` or ``en``; empty where not asked."""


class KeyKind(StrEnum):
    """What a member can be looked up by exactly."""

    PHONE = "phone"
    CARD = "card"


def normalize_phone(text: str) -> str:
    """Digits only, without the country prefix 86 or a leading 00/+."""
    digits = re.sub(r"\D", "", text).removeprefix("00")
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def month_day(birthday: str) -> str:
    """A profile's birthday as ``--MM-DD``, without its year; empty where it is none."""
    day = birthday_of(birthday)
    return f"--{day.month:02}-{day.day:02}" if day else ""


def birthday_of(birthday: str) -> date | None:
    """A birthday as a day of a leap year, whatever its own; None where it is none."""
    found = _BIRTHDAY.fullmatch(birthday)
    if found is None:
        return None
    try:
        return date(LEAP_YEAR, int(found[1]), int(found[2]))
    except ValueError:
        return None


def typed_birthday(text: str) -> str | None:
    """``--MM-DD`` from a month and a day as people type them; None where it is neither.

    ``0517``, ``5-17``, ``05/17``, ``5.17`` and ``5月17日`` are the same day. A year is not taken.
    """
    found = _TYPED_BIRTHDAY.fullmatch(re.sub(r"\s", "", text))
    if found is None:
        return None
    month, day = (found[1], found[2]) if found[1] else (found[3], found[4])
    return month_day(f"--{int(month):02}-{int(day):02}") or None


def lookup_hash(lookup_key: bytes, kind: KeyKind, text: str) -> str:
    """The keyed hash under which a phone or card is stored: 32 hex digits of HMAC-SHA256.

    Keyed, because the eleven digits of a phone are guessed in no time from a plain hash.
    """
    value = normalize_phone(text) if kind is KeyKind.PHONE else text.strip()
    message = f"{kind}:{value}".encode()
    return hmac.new(lookup_key, message, hashlib.sha256).hexdigest()[:32]


def lookup_hashes(lookup_key: bytes, profile: MemberProfile) -> tuple[str, ...]:
    """All keyed hashes of a profile."""
    keys = ((KeyKind.PHONE, profile.phone), (KeyKind.CARD, profile.card))
    return tuple(lookup_hash(lookup_key, kind, text) for kind, text in keys if text)


def clean_name(text: str) -> str:
    """A name without control, direction and other invisible characters, in NFC.

    Raises DomainError ``name-too-long`` and ``payment-card-dropped``.
    """
    plain = unicodedata.normalize("NFC", text)
    name = "".join(c for c in plain if c.isprintable()).strip()
    if len(name) > NAME_LENGTH_MAX:
        raise DomainError("name-too-long", limit=NAME_LENGTH_MAX)
    return refuse_card_number(name)


def clean_phone(text: str) -> str:
    """A phone's digits; DomainError ``bad-phone``, ``payment-card-dropped``."""
    digits = normalize_phone(refuse_card_number(text))
    if not PHONE_DIGITS_MIN <= len(digits) <= PHONE_DIGITS_MAX:
        raise DomainError("bad-phone")
    return digits


def clean_card(text: str) -> str:
    """The code on a member's card; DomainError ``payment-card-dropped`` for a bank card's."""
    code = text.strip()
    if isinstance(classify(code), PaymentCard):
        raise DomainError("payment-card-dropped")
    return refuse_card_number(code)


def clean_birthday(text: str) -> str:
    """Month and day as typed, as ``--MM-DD``; DomainError ``bad-birthday``."""
    born = typed_birthday(text)
    if born is None:
        raise DomainError("bad-birthday")
    return born
