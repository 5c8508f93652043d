"""The blocks a receipt is made of. No columns, no printer, no language: only what is said."""

from dataclasses import dataclass
from enum import StrEnum

CODE_MODULES_MAX = 171
"""Code 128 at two dots a module with quiet zones of ten still fits 384 dots (58 mm paper)."""
EAN_MODULES = {8: 67, 13: 95}
QR_BYTES_MAX = 512
"""Kept below QR version 17 at level M, so that modules of three dots fit 58 mm paper."""


class Align(StrEnum):
    """Where a line stands."""

    LEFT = "left"
    """At the left margin."""
    CENTER = "center"
    """In the middle."""
    RIGHT = "right"
    """At the right margin."""


class Style(StrEnum):
    """How text looks; a style may take more cells than its characters."""

    NORMAL = "normal"
    """Plain text."""
    STRONG = "strong"
    """Emphasised, as wide as plain text."""
    TALL = "tall"
    """Emphasised and twice as high, as wide as plain text: the total."""
    LARGE = "large"
    """Twice as high and twice as wide: the name of the shop."""

    @property
    def width_factor(self) -> int:
        """Cells a character takes, in multiples of its normal cells."""
        return 2 if self is Style.LARGE else 1

    @property
    def height_factor(self) -> int:
        """Rows a line takes, in multiples of a normal row."""
        return 2 if self in (Style.LARGE, Style.TALL) else 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; wraps."""

    text: str
    align: Align = Align.LEFT
    style: Style = Style.NORMAL
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """The largest line: the shop, or the title of a report."""

    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A word on the left and its figure on the right; the left part wraps."""

    left: str
    right: str
    style: Style = Style.NORMAL
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A line of goods: name, quantity × price, amount."""

    name: str
    detail: str
    amount: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equally many cells (two or more): the first column stands left, all others right."""

    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.rows}
        assert len(widths) == 1, "rows of a table have equally many cells"
        assert min(widths) >= 2


class RuleKind(StrEnum):
    """How heavy a rule is."""

    THIN = "thin"
    """Between parts."""
    HEAVY = "heavy"
    """Around what matters most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""

    kind: RuleKind = RuleKind.THIN


class Symbology(StrEnum):
    """How a bar code is drawn."""

    CODE_128 = "code-128"
    """Any digits (ISO/IEC 15417)."""
    EAN = "ean"
    """EAN-13 or EAN-8 with its check digit (ISO/IEC 15420)."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """Digits as bars, with the same digits readable below."""

    digits: str
    symbology: Symbology = Symbology.CODE_128

    def __post_init__(self) -> None:
        assert self.digits.isascii()
        assert self.digits.isdigit()
        if self.symbology is Symbology.EAN:
            assert is_ean(self.digits), "EAN-8 or EAN-13, with the right check digit"
        else:
            assert code_128_modules(self.digits) <= CODE_MODULES_MAX, "too wide for 58 mm paper"

    @property
    def modules(self) -> int:
        """Its width without quiet zones."""
        if self.symbology is Symbology.EAN:
            return EAN_MODULES[len(self.digits)]
        return code_128_modules(self.digits)


@dataclass(frozen=True, slots=True)
class Logo:
    """The shop's picture, where the printer was given one; nothing elsewhere."""


@dataclass(frozen=True, slots=True)
class Qr:
    """Text as a QR code (ISO/IEC 18004), UTF-8, level M."""

    data: str

    def __post_init__(self) -> None:
        assert 0 < len(self.data.encode()) <= QR_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Feed:
    """Blank rows."""

    rows: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the paper; a document is cut at most once."""


Block = Logo | Text | Heading | Pair | Item | Table | Rule | Barcode | Qr | Feed | Cut


@dataclass(frozen=True, slots=True)
class Document:
    """Blocks from top to bottom."""

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        cuts = [at for at, block in enumerate(self.blocks) if isinstance(block, Cut)]
        assert cuts in ([], [len(self.blocks) - 1]), "only the end is cut"


def code_128_modules(digits: str) -> int:
    """Width of digits as Code 128 in set C, an odd last digit in set B (ISO/IEC 15417)."""
    pairs, odd = divmod(len(digits), 2)
    symbols = 1 + pairs + 2 * odd + 1  # start, data (with the change of set), check
    return 11 * symbols + 13  # the stop pattern has 13


def is_ean(digits: str) -> bool:
    """Whether digits are an EAN-8 or EAN-13 with the right check digit (GS1 General Specifications
    7.9: weights 3 and 1 from the right)."""
    if len(digits) not in EAN_MODULES:
        return False
    weighted = sum(
        int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))
    )
    return weighted % 10 == 0
