"""The two command sets of customer displays.

CD5220: ``ESC Q A`` and ``ESC Q B`` write whole lines, ended by CR. Epson (ESC/POS): ``US $`` places
the cursor, ``US SOH`` overwrites, ``ESC t`` selects the code page. Sources: command lists of the
Epson P07303, POS-X XP8200 and CD5220 manuals.
"""

from enum import StrEnum
from typing import Final

ESC: Final = b"\x1b"
US: Final = b"\x1f"


class CommandSet(StrEnum):
    """What a display obeys."""

    CD5220 = "cd5220"
    EPSON = "epson"


CODE_PAGES: Final = {"ascii": 0, "cp437": 0, "cp850": 2, "cp858": 19, "gbk": 0}
"""Python's codecs and the page's number after ``ESC t``."""


def initialise(commands: CommandSet, codec: str) -> bytes:
    """Reset, overwrite instead of scrolling, no cursor, code page."""
    if commands is CommandSet.CD5220:
        return ESC + b"@" + ESC + b"\x11" + ESC + b"_\x00"
    return ESC + b"@" + US + b"\x01" + US + b"C\x00" + ESC + b"t" + bytes([CODE_PAGES[codec]])


def paint(commands: CommandSet, upper: bytes, lower: bytes) -> bytes:
    """Both lines, each exactly as wide as the display."""
    if commands is CommandSet.CD5220:
        return ESC + b"QA" + upper + b"\r" + ESC + b"QB" + lower + b"\r"
    return US + b"$\x01\x01" + upper + US + b"$\x01\x02" + lower


def clear(commands: CommandSet) -> bytes:
    """An empty display; on a CD5220 it also leaves the mode of whole lines."""
    del commands
    return b"\x0c"
