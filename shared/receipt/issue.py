"""What a receipt needs beside the fact: the shop, the names, and this very printing of it.

Facts hold ids and no personal data; whoever prints brings the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

from shared.receipt.text import printable
from shared.receipt.voice import PaperLanguage, Voice
from shared.trade.fiscal import FiscalRecorded
from shared.trade.ticket import SaleReturned

HASH_CHARACTERS = 4
CARD_DIGITS_SHOWN = 4

Names = Mapping[str, str]
"""A name by language: ``{"zh": "水", "en": "Water"}``."""


class Part(StrEnum):
    """Blocks that a shop may leave out.

    What makes a receipt one stays: number, time, till, lines, discounts, total, taxes, payments,
    points that add up, bar code, mark of the hash, the marks of copies and trainings.
    """

    LOGO = "logo"
    """The shop's picture."""
    SAVINGS = "savings"
    """How many pieces, and what was saved."""
    OUTLOOK = "outlook"
    """Points that lapse soon, and the way to the next tier."""
    CARDS = "cards"
    """How far visit cards are."""
    CONDITIONS = "conditions"
    """Under which goods are taken back."""
    GREETING = "greeting"
    """The last words."""
    CODE = "code"
    """The code by which the receipt is looked up, with its QR code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What stands at the head and foot of every receipt of a shop."""

    names: Names
    address: Names = field(default_factory=dict)
    phone: str = ""
    tax_number: str = ""
    conditions: Names = field(default_factory=dict)
    """Under which goods are taken back."""
    greeting: Names = field(default_factory=dict)
    web: str = ""
    """Scheme and host of the page that shows receipts; no QR code where empty."""
    invoice: str = ""
    """Where an e-invoice is asked for, with ``{number}``, ``{code}`` and ``{total}``."""
    left_out: frozenset[str] = frozenset()
    """``Part``s that are not printed."""
    zone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Names of what facts know by id only. What is missing is called by its id."""

    tiers: Mapping[str, Names] = field(default_factory=dict)
    tax_components: Mapping[str, Names] = field(default_factory=dict)
    offers: Mapping[str, Names] = field(default_factory=dict)
    goods: Mapping[str, Names] = field(default_factory=dict)
    coupon_codes: Mapping[str, str] = field(default_factory=dict)
    """The digits of a coupon, by coupon id."""
    gift_card_code: str = field(default="", repr=False)
    """Of the card that the paper sells; empty on copies, and for cards from the rack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsing:
    """Points that end soon."""

    points: int
    on: str
    """ISO date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTier:
    """How far it is to the next tier."""

    names: Names
    missing: int
    """Minor units of the receipt's currency still to be spent."""
    until: str = ""
    """ISO date; empty without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFace:
    """The member as far as paper may show: it is masked here, whatever comes in."""

    name: str = field(repr=False)
    card: str = field(default="", repr=False)
    """The whole card number or its last digits; only four are printed."""
    lapsing: tuple[Lapsing, ...] = ()
    next_tier: NextTier | None = None

    @property
    def masked_name(self) -> str:
        """The first character and two stars: ``王**``; empty where there is no name."""
        shown = printable(self.name).strip()
        return f"{shown[0]}**" if shown else ""

    @property
    def masked_card(self) -> str:
        """``****1234``; empty where there is no card."""
        shown = printable(self.card).strip()
        return f"****{shown[-CARD_DIGITS_SHOWN:]}" if shown else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """The return that stands on the paper of the sale it was exchanged for."""

    returned: SaleReturned
    fiscal: FiscalRecorded | None = None
    """What a fiscal device has said of the return by now."""
    member: MemberFace | None = None
    """Whose goods they were, who may be another than who buys now. Their prospects stand below the
    sale, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One printing of one entry."""

    shop: Shop
    paper_language: PaperLanguage
    till_label: str
    operator_label: str
    occurred_at: datetime
    entry_hash: str = ""
    """Hex; four characters of it are printed, as fiscal systems do."""
    barcode: str = ""
    """Digits by which the receipt is found again; none are printed where empty."""
    code: str = ""
    """By which whoever holds the receipt is known (``verification_code``); empty: none."""
    business_date: str = ""
    copy: int = 0
    """0 for the original, 1 for the first copy …"""
    names: Vocabulary = field(default_factory=Vocabulary)
    member: MemberFace | None = None
    fiscal: FiscalRecorded | None = None
    """What a fiscal device has said of it by now."""
    exchange: Exchanged | None = None
    """What came back for the goods of this sale."""

    def shows(self, part: Part) -> bool:
        """Whether the shop prints a block."""
        return part not in self.shop.left_out

    @property
    def voice(self) -> Voice:
        """Who speaks on this paper."""
        return Voice(self.paper_language, self.shop.zone)

    @property
    def hash_mark(self) -> str:
        """The first four characters of the entry's hash, in capitals."""
        return self.entry_hash[:HASH_CHARACTERS].upper()
