"""Text to bytes: what the printer has as codes, and what it has not."""

from collections.abc import Callable

from hardware.escpos.commands import inline_picture
from hardware.escpos.profile import Missing, Profile, TextMode
from shared.receipt.text import MARK

DrawCharacter = Callable[[str], bytes | None]
"""Draws a character two cells wide: 24 columns of three bytes for ``ESC *``; None: cannot."""

# Shapes that GB18030 has only in full width as a double byte, or under another code.
GB_SUBSTITUTES = str.maketrans({"¥": "￥", "£": "￡", "−": "-", "\u00a0": " ", "‑": "-"})
CODEPAGE_SUBSTITUTES = str.maketrans(
    {"￥": "¥", "￡": "£", "−": "-", "–": "-", "—": "-", "…": ".", "\u00a0": " ",
     "‘": "'", "’": "'", "“": '"', "”": '"', "•": "·"}
)  # fmt: skip
PRIVATE_USE = range(0xE000, 0xF900)
"""Where GB18030 keeps its user-defined double bytes: printers leave them blank."""


def double_byte(character: str) -> bytes | None:
    """The GB18030 code a printer has for a character: one byte of ASCII or a double byte."""
    if ord(character) in PRIVATE_USE:
        return None
    code = character.encode("gb18030")
    return code if len(code) <= 2 else None


def code_of(character: str, profile: Profile) -> bytes | None:
    """The bytes of a character in the profile's code, or None where it has none."""
    if profile.text is TextMode.GB18030:
        return double_byte(character)
    try:
        return character.encode(profile.codec)
    except UnicodeEncodeError:
        return None


def encode_text(text: str, profile: Profile, draw: DrawCharacter | None) -> bytes:
    """A line of printable text as bytes for the profile; nothing in it is ever a command.

    A character without a code is drawn by ``draw`` where profile and caller allow it, and marked
    visibly otherwise. ``draw`` is None where pictures cannot stand in the line (enlarged text).
    """
    is_chinese = profile.text is TextMode.GB18030
    plain = text.translate(GB_SUBSTITUTES if is_chinese else CODEPAGE_SUBSTITUTES)
    assert not min(plain, default=" ") < " ", "control codes are neutralised before"
    try:
        # GBK is the double bytes of GB18030 without the private ones: most lines are nothing else.
        return plain.encode("gbk" if is_chinese else profile.codec)
    except UnicodeEncodeError:
        return b"".join(_encoded(character, profile, draw) for character in plain)


def _encoded(character: str, profile: Profile, draw: DrawCharacter | None) -> bytes:
    code = code_of(character, profile)
    if code is not None:
        return code
    in_line = profile.missing is Missing.PICTURE and profile.text is TextMode.GB18030
    drawn = draw(character) if draw and in_line else None
    return inline_picture(drawn) if drawn else _mark(profile)


def _mark(profile: Profile) -> bytes:
    for mark in (MARK, "■", "#"):
        code = code_of(mark, profile)
        if code is not None:
            return code
    raise AssertionError("every code page has a number sign")
