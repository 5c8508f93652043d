"""Bytes as characters: Python's codecs, GB18030 by its lengths, and the one page of printers that
Python has not."""

from typing import Final

UNPRINTABLE: Final = "\ufffd"
KATAKANA: Final = "x-epson-katakana"
_BLOCKS_AND_LINES: Final = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯"
_JIS_X_0201: Final = "".join(map(chr, range(0xFF61, 0xFFA0)))
_SIGNS: Final = "═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人▒ "
_UPPER_HALF: Final = f"{_BLOCKS_AND_LINES} {_JIS_X_0201}{_SIGNS}"
"""Source: Epson ESC/POS command reference, character code tables, page 1."""
assert len(_UPPER_HALF) == 0x80


def decode_byte(byte: int, codec: str) -> str:
    """One character; U+FFFD where the page has none."""
    if codec == KATAKANA:
        return chr(byte) if byte < 0x80 else _UPPER_HALF[byte - 0x80]
    return bytes([byte]).decode(codec, "replace")


def gb_length(lead: bytes) -> int:
    """Bytes of the GB18030 code that begins here; 0 if its second byte is not there yet."""
    if lead[0] in (0x80, 0xFF):
        return 1
    if len(lead) < 2:
        return 0
    return 4 if 0x30 <= lead[1] <= 0x39 else 2


def gb_character(code: bytes) -> str:
    """The character of one GB18030 code."""
    return code.decode("gb18030", "replace") if len(code) > 1 else UNPRINTABLE
