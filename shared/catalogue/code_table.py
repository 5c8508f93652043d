"""The table that says what a string of digits is: one place for every prefix and length.

It is data, and a shop may set its own; two rows that could claim the same digits are refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

from shared.errors import DomainError


class CodeKind(StrEnum):
    """What a scanned or typed text can be."""

    GOODS = "goods"
    """A GTIN: EAN-13, EAN-8 or UPC-A."""
    IN_STORE = "in-store"
    """A label of a scale: article with weight or price."""
    MEMBER = "member"
    COUPON = "coupon"
    GIFT_CARD = "gift-card"
    """Worth money to whoever bears it."""
    RECEIPT = "receipt"
    """The number of a receipt; opens its return."""
    APPROVAL = "approval"
    """The card of somebody who may approve; the PIN follows always."""
    WALLET = "wallet"
    """A payment code on a customer's phone."""
    PAYMENT_CARD = "payment-card"
    """The number of a bank card; dropped at once."""
    SKU = "sku"
    """Anything else that can be a goods code of the retailer's own."""
    DAMAGED = "damaged"
    """Looks like one of the above but cannot be right."""


class Part(StrEnum):
    """What a run of digits in an in-store code says."""

    ITEM = "item"
    """The article's in-store number."""
    GRAMS = "grams"
    """The weight in grams."""
    PRICE = "price"
    """The price of the whole label in minor units."""
    INNER_CHECK = "inner-check"
    """GS1's price or weight check digit of the run that follows."""
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Digits:
    """Digit strings from ``first`` to ``last`` in front, ``lengths`` digits long in all.

    ``first`` and ``last`` have the same number of digits and are both included.
    """

    first: str
    last: str
    lengths: tuple[int, ...]

    def claims(self, digits: str) -> bool:
        """Whether a string of digits falls under it."""
        return len(digits) in self.lengths and self.first <= digits[: len(self.first)] <= self.last

    def overlaps(self, other: "Digits") -> bool:
        """Whether some string of digits falls under both."""
        size = min(len(self.first), len(other.first))
        meets = self.first[:size] <= other.last[:size] and other.first[:size] <= self.last[:size]
        return meets and not set(self.lengths).isdisjoint(other.lengths)


@dataclass(frozen=True, slots=True)
class InStoreRow:
    """A label of a scale: its prefix, its parts in order, and a check digit at the end."""

    prefix: str
    parts: tuple[tuple[Part, int], ...]

    @property
    def digits(self) -> Digits:
        """What it claims."""
        length = len(self.prefix) + sum(size for _, size in self.parts) + 1
        return Digits(self.prefix, self.prefix, (length,))


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A code of ours: a prefix, digits, and a Damm check digit, ``length`` in all."""

    kind: CodeKind
    prefix: str
    length: int

    @property
    def digits(self) -> Digits:
        """What it claims."""
        return Digits(self.prefix, self.prefix, (self.length,))


@dataclass(frozen=True, slots=True)
class WalletRow:
    """Payment codes of a wallet, and where that is written."""

    wallet: str
    digits: Digits
    source: str


@dataclass(frozen=True, slots=True)
class CardRow:
    """Numbers of a card scheme, by its issuer identification numbers."""

    scheme: str
    digits: Digits


GTIN_LENGTHS: Final = (8, 12, 13)
GTIN: Final = Digits("0", "9", GTIN_LENGTHS)
RESTRICTED_PREFIXES: Final = ("02", *(str(number) for number in range(20, 30)))
"""GS1 General Specifications 1.4.2 and 2.1.11: free for use inside a company or region."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """All rows. In-store codes of 13 digits lie inside GS1's restricted prefixes, nowhere else.

    Raises DomainError ``code-table-overlap`` for two rows that could claim the same digits, and
    ``code-table-prefix`` for an in-store row that would hide ordinary goods.
    """

    in_store: tuple[InStoreRow, ...]
    own: tuple[OwnRow, ...]
    wallets: tuple[WalletRow, ...]
    cards: tuple[CardRow, ...]

    def __post_init__(self) -> None:
        for row in self.in_store:
            if 13 in row.digits.lengths and row.prefix[:2] not in RESTRICTED_PREFIXES:
                raise DomainError("code-table-prefix", prefix=row.prefix)
        apart = [(f"in-store {row.prefix}", row.digits) for row in self.in_store]
        apart += [(f"{row.kind} {row.prefix}", row.digits) for row in self.own]
        apart += [(row.wallet, row.digits) for row in self.wallets]
        for (name, digits), (other, others) in combinations(apart, 2):
            if digits.overlaps(others):
                raise DomainError("code-table-overlap", one=name, other=other)
        cards = [(row.scheme, row.digits) for row in self.cards]
        for name, digits in apart:
            taken = [("GTIN", GTIN)] if not name.startswith("in-store") else []
            for other, others in (*taken, *cards):
                if digits.overlaps(others):
                    raise DomainError("code-table-overlap", one=name, other=other)

    def own_row(self, kind: CodeKind) -> OwnRow:
        """How our codes of a kind look."""
        return next(row for row in self.own if row.kind is kind)


_WECHAT: Final = "WeChat Pay, payment code (auth_code): 18 digits beginning with 10 to 15"
_ALIPAY: Final = "Alipay, payment code (auth_code): 16 to 24 digits beginning with 25 to 30"

_CARDS: Final = (
    CardRow("visa", Digits("4", "4", (13, 16, 19))),
    CardRow("mastercard", Digits("51", "55", (16,))),
    CardRow("mastercard", Digits("2221", "2720", (16,))),
    CardRow("amex", Digits("34", "34", (15,))),
    CardRow("amex", Digits("37", "37", (15,))),
    CardRow("diners", Digits("300", "305", (14,))),
    CardRow("diners", Digits("36", "36", (14, 15, 16, 17, 18, 19))),
    CardRow("diners", Digits("38", "39", (14, 15, 16, 17, 18, 19))),
    CardRow("jcb", Digits("3528", "3589", (16, 17, 18, 19))),
    CardRow("maestro", Digits("50", "50", (13, 14, 15, 16, 17, 18, 19))),
    CardRow("maestro", Digits("56", "59", (13, 14, 15, 16, 17, 18, 19))),
    CardRow("unionpay-discover-maestro", Digits("60", "69", (13, 14, 15, 16, 17, 18, 19))),
    CardRow("unionpay", Digits("81", "81", (16, 17, 18, 19))),
    CardRow("troy", Digits("9792", "9792", (16,))),
)
"""ISO/IEC 7812-1 issuer identification numbers as the schemes publish their ranges."""

DEFAULT_TABLE: Final = CodeTable(
    in_store=(
        InStoreRow("20", ((Part.ITEM, 5), (Part.PRICE, 5))),
        InStoreRow("21", ((Part.ITEM, 5), (Part.GRAMS, 5))),
        InStoreRow("22", ((Part.ITEM, 5), (Part.GRAMS, 5), (Part.PRICE, 5))),
        InStoreRow("23", ((Part.ITEM, 4), (Part.INNER_CHECK, 1), (Part.PRICE, 5))),
    ),
    own=(
        OwnRow(CodeKind.MEMBER, "90", 16),
        OwnRow(CodeKind.APPROVAL, "91", 16),
        OwnRow(CodeKind.RECEIPT, "95", 20),
        OwnRow(CodeKind.COUPON, "96", 22),
        OwnRow(CodeKind.GIFT_CARD, "97", 28),
    ),
    wallets=(
        WalletRow("wechat", Digits("10", "15", (18,)), _WECHAT),
        # Mastercard has 2500 to 2720 at 16 digits; there a card number must win, because it must
        # never be sent to a wallet.
        WalletRow("alipay", Digits("2721", "3099", (16,)), _ALIPAY),
        WalletRow("alipay", Digits("25", "30", tuple(range(17, 25))), _ALIPAY),
    ),
    cards=_CARDS,
)
"""Prefixes 90 to 99 are free for national use in ISO/IEC 7812-1, so our codes are no cards."""
