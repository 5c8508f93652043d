"""What the attachment ``profile`` of an enrolment says, and how personal keys are looked up."""

import hashlib
import hmac
import re
from enum import StrEnum

import msgspec


class MemberProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Personal data of a member, as enrolled; never in an entry, erased on request."""

    name: str = ""
    phone: str = ""
    card: str = ""
    """The code on the member's card, as scanned."""
    birthday: str = ""
    """``--MM-DD`` or an ISO date."""
    email: str = ""


class KeyKind(StrEnum):
    """What a member can be looked up by exactly."""

    PHONE = "phone"
    CARD = "card"


def normalize_phone(text: str) -> str:
    """Digits only, without the country prefix 86 or a leading 00/+."""
    digits = re.sub(r"\D", "", text).removeprefix("00")
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


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
