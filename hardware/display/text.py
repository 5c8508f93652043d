"""Fits a line into a display's cells and code page. Pure."""

import unicodedata
from typing import Final

from hardware.display.port import DisplayLine
from shared.receipt.text import printable

MARK: Final = "*"
"""Stands for a character that the display has not: visible, never a silent gap."""
SPOKEN: Final = {
    "¥": "Y", "￥": "Y", "€": "EUR", "£": "GBP", "×": "x", "÷": "/", "–": "-", "—": "-", "−": "-",
    "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "。": ".", "、": ",", "·": ".", "•": "*",
    "《": "<", "》": ">", "【": "[", "】": "]", "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O",
    "ł": "l", "Ł": "L", "№": "No", "°": "o",
}  # fmt: skip
"""What has no form that decomposition would find."""
CELL_BYTES_MAX: Final = 2


def transliterate(text: str, codec: str) -> str:
    """The text in the characters that a code page has: itself, its plain form, or ``*``."""
    return "".join(_character(one, codec) for one in printable(text))


def _character(character: str, codec: str) -> str:
    if _has(codec, character):
        return character
    plain = unicodedata.normalize("NFKC", character)
    spoken = SPOKEN.get(character, SPOKEN.get(plain, ""))
    stripped = "".join(
        one for one in unicodedata.normalize("NFKD", character) if not unicodedata.combining(one)
    )
    return next((form for form in (plain, spoken, stripped) if form and _has(codec, form)), MARK)


def _has(codec: str, text: str) -> bool:
    try:
        return all(len(one.encode(codec)) <= CELL_BYTES_MAX for one in text)
    except UnicodeEncodeError:
        return False


def fit(line: DisplayLine, *, columns: int, codec: str) -> bytes:
    """Exactly ``columns`` cells; a byte is a cell, so that a Han character takes two.

    What does not fit is cut at a whole character. The right part is kept before the left one: an
    amount that lost a digit would be another amount, so one that is too wide becomes marks.
    """
    right = transliterate(line.right, codec).encode(codec)
    if len(right) > columns:
        return MARK.encode(codec) * columns
    room = columns - len(right) - bool(right)
    left = _cut(transliterate(line.left, codec), max(0, room), codec)
    return left + b" " * (columns - len(left) - len(right)) + right


def _cut(text: str, room: int, codec: str) -> bytes:
    kept = b""
    for character in text:
        cell = character.encode(codec)
        if len(kept) + len(cell) > room:
            break
        kept += cell
    return kept
