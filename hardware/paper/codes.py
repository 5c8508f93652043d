"""Codes that a printer draws from data: Code 128 in the form of ``GS k 73``, and QR."""

from functools import lru_cache

import segno
from PIL import Image

from hardware.escpos import ean
from hardware.escpos.code128 import symbol

SETS = {ord("A"): 103, ord("B"): 104, ord("C"): 105}
SWITCHES = {ord("A"): 101, ord("B"): 100, ord("C"): 99}
QR_LEVELS = {0x30: "l", 0x31: "m", 0x32: "q", 0x33: "h"}

BARCODE_KINDS = {
    0: "UPC-A", 1: "UPC-E", 2: "EAN-13", 3: "EAN-8", 4: "CODE39", 5: "ITF", 6: "CODABAR",
    65: "UPC-A", 66: "UPC-E", 67: "EAN-13", 68: "EAN-8", 69: "CODE39", 70: "ITF", 71: "CODABAR",
    72: "CODE93", 73: "CODE128", 79: "CODE128",
}  # fmt: skip


def code_128_values(data: bytes) -> tuple[list[int], bytes]:
    """Symbol values and readable text of ``GS k 73`` data: ``{A`` ``{B`` ``{C`` choose the set.

    In set C a byte is a value, 0 to 99; elsewhere it is a character and ``{{`` a brace.
    """
    values: list[int] = []
    text = b""
    current = 0
    at = 0
    while at < len(data):
        byte = data[at]
        if byte == ord("{") and at + 1 < len(data) and data[at + 1] in SETS:
            chosen = data[at + 1]
            if not values:
                values.append(SETS[chosen])
            elif chosen != current:
                values.append(SWITCHES[chosen])
            current = chosen
            at += 2
            continue
        at += 2 if data[at : at + 2] == b"{{" else 1
        values.append(_value(byte, current))
        text += b"%02d" % byte if current == ord("C") else bytes([byte])
    return values, text


def _value(byte: int, current: int) -> int:
    if current == ord("C"):
        return byte
    return byte + 64 if byte < 32 else byte - 32


def code_128_picture(data: bytes, *, module_dots: int, height: int) -> Image.Image | None:
    """The bars, or None where the data does not begin with a set or leaves the symbology."""
    values, _ = code_128_values(data)
    if not values or values[0] not in SETS.values() or max(values) > 105:
        return None
    return bars_picture(symbol(values), module_dots=module_dots, height=height)


def bars_picture(modules: str, *, module_dots: int, height: int) -> Image.Image:
    """Modules as bars, ``1`` for a bar."""
    strip = Image.frombytes("L", (len(modules), 1), bytes(255 * (bit == "1") for bit in modules))
    return strip.resize((len(modules) * module_dots, height), Image.Resampling.NEAREST)


def ean_picture(data: bytes, *, module_dots: int, height: int) -> Image.Image | None:
    """EAN-13 or EAN-8, with or without its check digit in the data; None for other lengths."""
    digits = data.decode("ascii", "replace")
    if len(digits) not in (7, 8, 12, 13) or not digits.isdigit():
        return None
    return bars_picture(ean.bars(digits), module_dots=module_dots, height=height)


@lru_cache(maxsize=8)
def qr_picture(data: bytes, *, level: int, module_dots: int) -> Image.Image:
    """A QR code without its quiet zone, as printers draw it. Not to be changed: it is drawn once
    for all papers that bear it, as those are that somebody looks at while typing."""
    code = segno.make_qr(data, error=QR_LEVELS.get(level, "l"), boost_error=False)
    rows = [bytes(255 if dark else 0 for dark in row) for row in code.matrix]
    picture = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
    side = len(rows) * module_dots
    return picture.resize((side, side), Image.Resampling.NEAREST)
