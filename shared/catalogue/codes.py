"""What a scanned or typed text stands for: one table, one tagged answer."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import ClassVar, Final

from stdnum import damm, ean, luhn

from shared.catalogue.code_table import (
    DEFAULT_TABLE,
    GTIN_LENGTHS,
    CodeKind,
    CodeTable,
    InStoreRow,
    Part,
)
from shared.ids import RandomBytes

TEXT_MAX: Final = 200
AIM_IDENTIFIER: Final = re.compile(r"^\]([A-Za-z])([0-9A-Za-z])")
GS1_SYMBOLS: Final = ("C1", "e0", "d2", "Q3", "J1")
"""AIM identifiers of symbols that carry GS1 element strings (GS1 General Specifications 5.1.2)."""
TRACK: Final = re.compile(r"^(%B|;)?(\d{13,19})[=^]")
"""The start of a magnetic stripe's track 1 or 2 (ISO/IEC 7813)."""


class Damage(StrEnum):
    """Why a text cannot be what it looks like."""

    WRONG_CHECK_DIGIT = "wrong-check-digit"
    """One digit was misread or mistyped."""
    WRONG_LENGTH = "wrong-length"
    """It begins like a code of ours but is too long or too short."""
    UNREADABLE = "unreadable"
    """Empty, too long, or with characters that no code has."""


@dataclass(frozen=True, slots=True)
class GoodsCode:
    """A GTIN: 13 digits (UPC-A with its leading zero) or 8; more where the symbol said it."""

    kind: ClassVar[CodeKind] = CodeKind.GOODS
    gtin: str
    grams: int | None = None
    best_before: date | None = None
    batch: str = ""


@dataclass(frozen=True, slots=True)
class InStoreCode:
    """A scale's label: the in-store item number, with weight, price of the whole label, or both."""

    kind: ClassVar[CodeKind] = CodeKind.IN_STORE
    item: str
    grams: int | None = None
    price_minor: int | None = None


@dataclass(frozen=True, slots=True)
class MemberCode:
    """A member's card."""

    kind: ClassVar[CodeKind] = CodeKind.MEMBER
    code: str


@dataclass(frozen=True, slots=True)
class CouponCode:
    """A coupon."""

    kind: ClassVar[CodeKind] = CodeKind.COUPON
    code: str


@dataclass(frozen=True, slots=True)
class GiftCardCode:
    """A gift card; worth money to whoever knows it, so it is not shown by accident."""

    kind: ClassVar[CodeKind] = CodeKind.GIFT_CARD
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """A receipt, by the number printed on it."""

    kind: ClassVar[CodeKind] = CodeKind.RECEIPT
    code: str
    till_number: int
    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class ApprovalCode:
    """The card of an approver."""

    kind: ClassVar[CodeKind] = CodeKind.APPROVAL
    code: str


@dataclass(frozen=True, slots=True)
class WalletCode:
    """A payment code; worth money for a minute, so it is not shown by accident."""

    kind: ClassVar[CodeKind] = CodeKind.WALLET
    wallet: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentCard:
    """A bank card's number was read and dropped."""

    kind: ClassVar[CodeKind] = CodeKind.PAYMENT_CARD


@dataclass(frozen=True, slots=True)
class Sku:
    """A text that may be a goods code of the retailer's own, or something to search for."""

    kind: ClassVar[CodeKind] = CodeKind.SKU
    text: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """Looks like ``looks_like`` and cannot be right. The text itself is not kept."""

    kind: ClassVar[CodeKind] = CodeKind.DAMAGED
    why: Damage
    looks_like: CodeKind | None = None


Code = (
    GoodsCode
    | InStoreCode
    | MemberCode
    | CouponCode
    | GiftCardCode
    | ReceiptCode
    | ApprovalCode
    | WalletCode
    | PaymentCard
    | Sku
    | Damaged
)

OWN_CODES: Final = (MemberCode, CouponCode, GiftCardCode, ReceiptCode, ApprovalCode)
DIGITS_OF_SKU_MAX: Final = 13
"""A longer number may be a card or a wallet's code: it is not taken for a goods code."""
TAPPED: Final = re.compile(r"NFC-([0-9A-F]{2}){4,10}")
"""A member card known by its chip's serial number, as the till's own readers name it."""
RECEIPT_TILL_DIGITS: Final = 5
RECEIPT_EPOCH_DIGITS: Final = 3


def classify(text: str, table: CodeTable = DEFAULT_TABLE) -> Code:
    """Say what a text is. AIM identifiers in front are used and taken off.

    Order: a chip's serial number, wallet and own codes by prefix and length, in-store labels,
    goods by check digit, bank cards by issuer range and Luhn, else a plain code. Digits of cards,
    and long numbers that are nothing known, are not kept.
    """
    plain = unicodedata.normalize("NFKC", text).strip("\r\n\t ")
    aim = AIM_IDENTIFIER.match(plain)
    if aim:
        plain = plain[3:]
        if aim.group(1) + aim.group(2) in GS1_SYMBOLS and (found := _gs1(plain)):
            return found
    if not plain or len(plain) > TEXT_MAX or not plain.isprintable():
        return Damaged(Damage.UNREADABLE)
    if track := TRACK.match(plain):
        found = _digits(track.group(2), table)
        return found if isinstance(found, OWN_CODES) else PaymentCard()
    if TAPPED.fullmatch(plain):
        return MemberCode(plain)
    digits = re.sub(r"(?<=\d)[ -](?=\d)", "", plain)
    if not re.fullmatch(r"[0-9]+", digits):
        return Sku(plain)
    return _digits(digits, table) or Sku(plain)


def _digits(digits: str, table: CodeTable) -> Code | None:
    for wallet in table.wallets:
        if wallet.digits.claims(digits):
            return WalletCode(wallet.wallet, digits)
    for own in table.own:
        if own.digits.claims(digits):
            return _own(own.kind, digits)
    for row in table.in_store:
        if row.digits.claims(digits):
            return _in_store(row, digits)
    return _public(digits, table)


def _public(digits: str, table: CodeTable) -> Code | None:
    """What the numbering of the whole world says: goods, bank cards."""
    is_card = any(row.digits.claims(digits) for row in table.cards)
    if len(digits) in GTIN_LENGTHS and ean.is_valid(digits):
        return GoodsCode(digits.zfill(13) if len(digits) == 12 else digits)
    if is_card and luhn.is_valid(digits):
        return PaymentCard()
    if is_card or len(digits) in GTIN_LENGTHS:
        is_goods = len(digits) in GTIN_LENGTHS
        like = CodeKind.GOODS if is_goods else CodeKind.PAYMENT_CARD
        return Damaged(Damage.WRONG_CHECK_DIGIT, like)
    if len(digits) > DIGITS_OF_SKU_MAX:
        return _nothing(digits, table)
    return None


def _nothing(digits: str, table: CodeTable) -> Damaged:
    """A long number that no row claims: too long for a SKU, and perhaps something secret."""
    own = [row.kind for row in table.own if digits.startswith(row.prefix)]
    return Damaged(Damage.WRONG_LENGTH, own[0] if own else None)


def _own(kind: CodeKind, digits: str) -> Code:
    if not damm.is_valid(digits):
        return Damaged(Damage.WRONG_CHECK_DIGIT, kind)
    match kind:
        case CodeKind.MEMBER:
            return MemberCode(digits)
        case CodeKind.COUPON:
            return CouponCode(digits)
        case CodeKind.GIFT_CARD:
            return GiftCardCode(digits)
        case CodeKind.RECEIPT:
            return _receipt(digits)
        case _:
            return ApprovalCode(digits)


def _receipt(digits: str) -> ReceiptCode:
    till_ends = 2 + RECEIPT_TILL_DIGITS
    epoch_ends = till_ends + RECEIPT_EPOCH_DIGITS
    return ReceiptCode(
        code=digits,
        till_number=int(digits[2:till_ends]),
        epoch=int(digits[till_ends:epoch_ends]),
        number=int(digits[epoch_ends:-1]),
    )


def _in_store(row: InStoreRow, digits: str) -> Code:
    from biip.checksums import gs1_price_weight_check_digit  # noqa: PLC0415 - 0.1 s, first label

    # The same weights as EAN-13, counted from the right end, at any length.
    if not _has_gs1_check_digit(digits):
        return Damaged(Damage.WRONG_CHECK_DIGIT, CodeKind.IN_STORE)
    found: dict[Part, str] = {}
    at = len(row.prefix)
    inner: str | None = None
    for part, size in row.parts:
        run = digits[at : at + size]
        at += size
        if inner is not None and int(inner) != gs1_price_weight_check_digit(run):
            return Damaged(Damage.WRONG_CHECK_DIGIT, CodeKind.IN_STORE)
        inner = run if part is Part.INNER_CHECK else None
        found[part] = run
    grams, price = found.get(Part.GRAMS), found.get(Part.PRICE)
    return InStoreCode(
        item=found[Part.ITEM],
        grams=int(grams) if grams else None,
        price_minor=int(price) if price else None,
    )


def _has_gs1_check_digit(digits: str) -> bool:
    weighted = (int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return sum(weighted) % 10 == 0


def _gs1(payload: str) -> Code | None:
    """A GS1 element string: GTIN (01), net weight (310n), best before (15, 17), batch (10).

    A weight with more than three decimals (310n with n of 4 and 5) is taken to the nearest gram, a
    half up: the till sells whole grams.
    """
    from biip import ParseError  # noqa: PLC0415 - 0.1 s and rarely needed
    from biip.gs1_messages import GS1Message  # noqa: PLC0415 - as above

    try:
        message = GS1Message.parse(payload)
    except ParseError:
        return Damaged(Damage.UNREADABLE, CodeKind.GOODS)
    item = message.element_strings.get(ai="01")
    if item is None or item.gtin is None:
        return None
    weight = message.element_strings.get(ai="310")
    best = message.element_strings.get(ai="15") or message.element_strings.get(ai="17")
    batch = message.element_strings.get(ai="10")
    gtin = item.gtin.value.lstrip("0")
    return GoodsCode(
        gtin=gtin.zfill(8 if len(gtin) <= 8 else 13),
        grams=_grams(weight.decimal) if weight and weight.decimal is not None else None,
        best_before=best.date if best else None,
        batch=batch.value if batch else "",
    )


def _grams(kilograms: Decimal) -> int:
    return int((kilograms * 1000).to_integral_value(ROUND_HALF_UP))


def random_digits(count: int, random_bytes: RandomBytes) -> str:
    """So many digits from a source of random bytes; 64 bits more than needed leave no bias."""
    value = int.from_bytes(random_bytes(count // 2 + 9), "big")
    return f"{value % 10**count:0{count}d}"


def member_code(digits: str, table: CodeTable = DEFAULT_TABLE) -> str:
    """A member's code from random digits (``own_digits`` says how many)."""
    return _sealed(CodeKind.MEMBER, digits, table)


def coupon_code(digits: str, table: CodeTable = DEFAULT_TABLE) -> str:
    """A coupon's code from random digits."""
    return _sealed(CodeKind.COUPON, digits, table)


def gift_card_code(digits: str, table: CodeTable = DEFAULT_TABLE) -> str:
    """A gift card's code from random digits."""
    return _sealed(CodeKind.GIFT_CARD, digits, table)


def approval_code(digits: str, table: CodeTable = DEFAULT_TABLE) -> str:
    """The code of an approval card from random digits."""
    return _sealed(CodeKind.APPROVAL, digits, table)


def receipt_code(
    *, till_number: int, epoch: int, number: int, table: CodeTable = DEFAULT_TABLE
) -> str:
    """The number printed on a receipt: till, epoch of its journal, and the till's own count.

    Up to 99,999 tills, 999 epochs and 999,999,999 receipts each; more is a bug.
    """
    count = own_digits(CodeKind.RECEIPT, table) - RECEIPT_TILL_DIGITS - RECEIPT_EPOCH_DIGITS
    fields = (f"{till_number:0{RECEIPT_TILL_DIGITS}d}", f"{epoch:0{RECEIPT_EPOCH_DIGITS}d}")
    return _sealed(CodeKind.RECEIPT, "".join(fields) + f"{number:0{count}d}", table)


def own_digits(kind: CodeKind, table: CodeTable = DEFAULT_TABLE) -> int:
    """How many free digits a code of ours has."""
    row = table.own_row(kind)
    return row.length - len(row.prefix) - 1


def _sealed(kind: CodeKind, digits: str, table: CodeTable) -> str:
    assert len(digits) == own_digits(kind, table)
    assert digits.isdecimal()
    body = table.own_row(kind).prefix + digits
    return body + str(damm.calc_check_digit(body))
