"""Codes of gift cards: 25 random digits, 83 bits; journals keep a keyed hash and never the code."""

import hashlib
import hmac
import secrets

from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import gift_card_code, own_digits, random_digits
from shared.ids import CardId, RandomBytes


def new_gift_card_code(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """A fresh code, which nobody can reckon from anything that is kept."""
    return gift_card_code(random_digits(own_digits(CodeKind.GIFT_CARD), random_bytes))


def card_instance(key: bytes, code: str) -> CardId:
    """What journals call a card: 32 hex digits of a hash of its code with the chain's key."""
    return CardId(hmac.new(key, f"gift-card:{code}".encode(), hashlib.sha256).hexdigest()[:32])
