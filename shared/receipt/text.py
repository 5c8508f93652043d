"""Text that is safe on paper, and how many cells of the paper it takes.

A receipt printer has one cell for a byte of ASCII and two for a GB18030 double byte (GB 18030-2022;
Epson's FS & mode). This is not wcwidth: ``é``, ``×`` and ``①`` are two cells here.
"""

import unicodedata
from collections.abc import Callable

Measure = Callable[[str], int]
"""Cells that a text takes at normal size."""

MARK = "〓"
"""The geta mark: the printers' traditional, visible sign for a character that is not available."""

NO_LINE_START = frozenset("，。、；：！？）】》」』”’…·,.;:!?)]}%％")
"""Characters a line does not begin with (GB/T 15834)."""

VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def gb18030_cells(text: str) -> int:
    """Cells of a text on a Chinese printer: one for ASCII, two for everything else.

    What has no double byte is printed as a picture or as ``MARK``, both two cells wide.
    """
    if text.isascii():
        return len(text)
    return sum(1 if character < "\x80" else 2 for character in text)


def single_cells(text: str) -> int:
    """Cells of a text on a printer with a single-byte code page: one for every character."""
    return len(text)


def on_screen(text: str) -> str:
    """A line of paper for a fixed-width font, keeping its columns.

    What takes two cells on paper and one on a screen gets a space after it; rules are doubled.
    """
    return "".join(
        character if character < "\x80" or _is_wide(character) else character + _filler(character)
        for character in text
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _filler(character: str) -> str:
    return character if character in "─━═" else " "


def printable(text: str) -> str:
    """Make foreign text harmless on one line of paper, changing nothing that can be seen.

    Composes (NFC), turns every kind of white space into spaces, drops what has no shape of its own
    (bidirectional controls, joiners, variation selectors) and shows control codes and broken
    surrogates as ``MARK``, so that a name can neither command the printer nor reorder a line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, unicodedata.normalize("NFC", text)))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\v\f\r\x85":
        return character if character == "\u3000" else " "
    if category == "Cf" or ord(character) in VARIATION_SELECTORS:
        return ""
    return MARK if category in ("Cc", "Cs", "Cn") else character


def wrap(text: str, width: int, measure: Measure) -> list[str]:
    """Break a text into lines of at most ``width`` cells (at least two).

    Prefers spaces, breaks between any two Han characters, never begins a line with closing
    punctuation where that can be avoided, and cuts words that are wider than a line.
    """
    assert width >= 2
    lines: list[str] = []
    rest = text.strip(" ")
    while measure(rest) > width:
        at = _break_position(rest, width, measure)
        lines.append(rest[:at].rstrip(" "))
        rest = rest[at:].lstrip(" ")
    return [*lines, rest] if rest or not lines else lines


def _break_position(text: str, width: int, measure: Measure) -> int:
    most = 0
    used = 0
    for character in text:
        used += measure(character)
        if used > width:
            break
        most += 1
    for at in range(most, 0, -1):
        if _can_break(text, at):
            return at
    return most


def _can_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if before == " " or after == " ":
        return True
    if after in NO_LINE_START:
        return False
    return before > "\u2e7f" or after > "\u2e7f"
