"""What a printer understands, where printers differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hardware.paper.code_pages import KATAKANA

EPSON_CODE_PAGES: Final = {
    0: "cp437", 1: KATAKANA, 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 11: "cp737",
    13: "cp857", 14: "cp737", 15: "iso8859_7", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858",
    32: "cp720", 33: "cp775", 34: "cp855", 36: "cp862", 37: "cp864", 39: "iso8859_2",
    40: "iso8859_15", 45: "cp1250", 46: "cp1251", 47: "cp1253", 48: "cp1254", 49: "cp1255",
    50: "cp1256", 51: "cp1257", 52: "cp1258",
}  # fmt: skip
ANSWERED: Final = frozenset({"DLE EOT", "GS a", "GS r", "GS (H"})


@dataclass(frozen=True, slots=True)
class Firmware:
    """A printer's inside.

    ``chinese``: it has a Chinese font and obeys ``FS &``, ``chinese_late``: from the next line on.
    ``code_pages``: by the number of ``ESC t``; a number it does not know changes nothing.
    ``ignores``: commands it takes and does nothing about. ``cuts``: what its knife can do.
    ``answers``: which questions it answers.
    """

    chinese: bool = True
    chinese_late: bool = False
    code_pages: Mapping[int, str] = field(default_factory=lambda: EPSON_CODE_PAGES)
    ignores: frozenset[str] = frozenset()
    cuts: frozenset[str] = frozenset({"full", "partial"})
    answers: frozenset[str] = ANSWERED


COMPLETE: Final = Firmware()
"""A printer that understands everything this virtual one does."""
