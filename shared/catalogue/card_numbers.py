"""Numbers of payment cards in text that was meant for something else.

They are typed or scanned into fields for names, phones and searches. Nobody here may keep one: not
stored, not hashed, not logged (PCI DSS 4.0, requirement 3).
"""

import re
import unicodedata
from typing import Final

from stdnum import luhn

from shared.catalogue.code_table import DEFAULT_TABLE
from shared.errors import DomainError

LENGTHS: Final = range(14, 20)
"""Digits of the numbers that are issued. With 13, of which Visa had some long ago, phones with a
country code would pass for cards."""
_RUN: Final = re.compile(r"\d(?:[ .\-/]?\d){12,}")
_GROUP: Final = re.compile(r"\d+")


def holds_card_number(text: str) -> bool:
    """Whether a text has a payment card's number in it, however its digits are grouped."""
    plain = unicodedata.normalize("NFKC", text)
    return any(_has_card(_GROUP.findall(run)) for run in _RUN.findall(plain))


def refuse_card_number(text: str) -> str:
    """The text; DomainError ``payment-card-dropped`` where a card's number is in it."""
    if holds_card_number(text):
        raise DomainError("payment-card-dropped")
    return text


def _has_card(groups: list[str]) -> bool:
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > LENGTHS.stop:
                break
            if _is_card(digits):
                return True
    return False


def _is_card(digits: str) -> bool:
    is_issued = any(row.digits.claims(digits) for row in DEFAULT_TABLE.cards)
    return len(digits) in LENGTHS and is_issued and bool(luhn.is_valid(digits))
