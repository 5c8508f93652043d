"""What a tapped card is: a member's, a payment card, or a stranger. Pure but for ``exchange``.

A card with an EMV application answers SELECT of the payment system environment
(``2PAY.SYS.DDF01``, EMV contactless book B). That one question is asked before any other, and
where it is answered nothing else is read: no application, no number, no name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hardware.card.tracks import is_payment_card
from hardware.nfc.ndef import first_text, message_end, message_of_tag

PAYMENT_ENVIRONMENT: Final = b"2PAY.SYS.DDF01"
NDEF_APPLICATION: Final = bytes.fromhex("D2760000850101")
CAPABILITY_FILE: Final = bytes.fromhex("E103")
OK: Final = b"\x90\x00"
NOT_FOUND: Final = frozenset([0x67, 0x68, 0x69, 0x6A, 0x6C, 0x6D, 0x6E, 0x6F])
"""First status bytes that say "I have no such application"; all others mean that it has one."""
PAGE_BYTES: Final = 4
READ_BYTES: Final = 16
FIRST_PAGE: Final = 4
MEMORY_BYTES_MAX: Final = 888
"""The user memory of the largest NTAG, the 216."""
FILE_BYTES_MAX: Final = 2048
CHUNK_BYTES: Final = 48
NUMBER_MAX: Final = 64
RANDOM_UID: Final = 0x08
"""A serial number of four bytes that begins so is made up anew at each tap (ISO/IEC 14443-3)."""

Exchange = Callable[[bytes], bytes]
"""Sends a card what it is to do and returns its answer; ConnectionError where it is gone."""


class CardKind(StrEnum):
    """What was tapped."""

    MEMBER = "member"
    PAYMENT = "payment"
    """Recognised and dropped: nothing of it was read."""
    FOREIGN = "foreign"
    """Nothing on it that names a member."""


@dataclass(frozen=True, slots=True)
class TappedCard:
    """The kind, and for a member's card what identifies it. Kept out of logs."""

    kind: CardKind
    token: str = field(default="", repr=False)


def select(name: bytes) -> bytes:
    """SELECT by name (ISO/IEC 7816-4)."""
    return b"\x00\xa4\x04\x00" + bytes([len(name)]) + name + b"\x00"


def read_smart_card(exchange: Exchange, uid: bytes, *, takes_uid: bool) -> TappedCard:
    """A card with applications (ISO/IEC 14443-4): payment first, then NDEF (Type 4 tag)."""
    if _has_application(exchange(select(PAYMENT_ENVIRONMENT))):
        return TappedCard(CardKind.PAYMENT)
    return _judged(_smart_text(exchange), uid, takes_uid=takes_uid)


def read_memory_card(
    read_pages: Callable[[int], bytes], uid: bytes, *, takes_uid: bool
) -> TappedCard:
    """A card with pages (Type 2 tag): ``read_pages(page)`` gives 16 bytes from a page on."""
    return _judged(_memory_text(read_pages), uid, takes_uid=takes_uid)


def _has_application(answer: bytes) -> bool:
    """In doubt it has: a card that answers oddly is dropped."""
    return len(answer) < 2 or answer[-2] not in NOT_FOUND


def _judged(text: str | None, uid: bytes, *, takes_uid: bool) -> TappedCard:
    number = (text or "").strip()
    if number and is_payment_card(number):
        return TappedCard(CardKind.PAYMENT)
    if number and len(number) <= NUMBER_MAX and number.isprintable():
        return TappedCard(CardKind.MEMBER, number)
    if takes_uid and uid and not (len(uid) == 4 and uid[0] == RANDOM_UID):
        return TappedCard(CardKind.MEMBER, f"NFC-{uid.hex().upper()}")
    return TappedCard(CardKind.FOREIGN)


def _memory_text(read_pages: Callable[[int], bytes]) -> str | None:
    memory = b""
    while len(memory) < MEMORY_BYTES_MAX:
        try:
            part = read_pages(FIRST_PAGE + len(memory) // PAGE_BYTES)
        except ConnectionError:
            return None
        if len(part) != READ_BYTES:
            return None
        memory += part
        end = message_end(memory)
        if end is not None and end <= len(memory):
            message = message_of_tag(memory)
            return first_text(message) if message else None
    return None


def _smart_text(exchange: Exchange) -> str | None:
    if _answered(exchange(select(NDEF_APPLICATION))) is None:
        return None
    capabilities = _file(exchange, CAPABILITY_FILE, 15)
    if capabilities is None or capabilities[7:9] != b"\x04\x06":
        return None
    file_id = capabilities[9:11]
    length = _file(exchange, file_id, 2)
    if length is None or len(length) != 2:
        return None
    size = int.from_bytes(length)
    if not 0 < size <= FILE_BYTES_MAX:
        return None
    message = _binary(exchange, 2, size)
    return first_text(message) if message is not None else None


def _file(exchange: Exchange, file_id: bytes, size: int) -> bytes | None:
    """Select a file and read its beginning."""
    chosen = exchange(b"\x00\xa4\x00\x0c\x02" + file_id)
    return _binary(exchange, 0, size) if _answered(chosen) is not None else None


def _binary(exchange: Exchange, start: int, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        at, wanted = start + len(data), min(CHUNK_BYTES, size - len(data))
        part = _answered(exchange(b"\x00\xb0" + at.to_bytes(2) + bytes([wanted])))
        if not part:
            return None
        data += part
    return data[:size]


def _answered(answer: bytes) -> bytes | None:
    """The data of an answer that says it went well."""
    return answer[:-2] if answer[-2:] == OK else None
