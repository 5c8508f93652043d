"""The commands we send, as bytes. One function per command, named after what it does."""

ESC = b"\x1b"
FS = b"\x1c"
GS = b"\x1d"
DLE_EOT = b"\x10\x04"
LINE_FEED = b"\n"

INITIALISE = ESC + b"@"
SELECT_CHINESE = FS + b"&"
CANCEL_CHINESE = FS + b"."
CHARACTER_SET_USA = ESC + b"R\x00"
"""ESC R 0: ``$`` is a dollar; Chinese firmware may otherwise print ¥ for it."""
FEED_TO_TEAR = ESC + b"d\x04"
REQUEST_PAPER_STATUS = GS + b"r\x01"
SEND_STATUS_BY_ITSELF = GS + b"a\xff"
"""GS a: the printer sends its status now, and whenever it changes."""
BARCODE_HEIGHT_DOTS = 72
QR_MODULE_DOTS = 6
STRIP_ROWS_MAX = 64
"""Cheap printers buffer little: pictures go in strips of at most so many rows."""


def _byte(value: int) -> bytes:
    return value.to_bytes(1, "big")


def _word(value: int) -> bytes:
    return value.to_bytes(2, "little")


def align(position: int) -> bytes:
    """ESC a: 0 left, 1 centre, 2 right."""
    return ESC + b"a" + _byte(position)


def emphasise(*, on: bool) -> bytes:
    """ESC E."""
    return ESC + b"E" + _byte(on)


def size(*, width: int, height: int) -> bytes:
    """GS !: multiples of the normal size, 1 to 8."""
    return GS + b"!" + _byte((width - 1) << 4 | (height - 1))


def select_code_page(page: int) -> bytes:
    """ESC t."""
    return ESC + b"t" + _byte(page)


def feed(rows: int) -> bytes:
    """ESC d: print what is in the buffer and feed rows (at most 255)."""
    return ESC + b"d" + _byte(rows)


def cut(*, partial: bool) -> bytes:
    """GS V function B: feed to the cutter and cut, once."""
    return GS + b"V" + (b"\x42" if partial else b"\x41") + b"\x00"


def pulse(*, pin: int, on_ms: int, off_ms: int) -> bytes:
    """ESC p: open a cash drawer on connector pin 2 or 5; times in steps of 2 ms up to 510."""
    assert pin in (2, 5)
    assert 2 <= on_ms <= 510
    assert 2 <= off_ms <= 510
    return ESC + b"p" + _byte(pin == 5) + _byte(on_ms // 2) + _byte(off_ms // 2)


def code_128(data: bytes, *, module_dots: int) -> bytes:
    """GS h, GS w, GS H 0, GS k 73: ``data`` as made by ``code128.escpos_data``."""
    return (
        GS + b"h" + _byte(BARCODE_HEIGHT_DOTS)
        + GS + b"w" + _byte(module_dots)
        + GS + b"H\x00"
        + GS + b"k\x49" + _byte(len(data)) + data
    )  # fmt: skip


def ean(digits: str, *, module_dots: int) -> bytes:
    """GS k 67 or 68: EAN-13 or EAN-8 of all its digits, the check digit included."""
    kind = b"\x43" if len(digits) == 13 else b"\x44"
    return (
        GS + b"h" + _byte(BARCODE_HEIGHT_DOTS)
        + GS + b"w" + _byte(module_dots)
        + GS + b"H\x00"
        + GS + b"k" + kind + _byte(len(digits)) + digits.encode("ascii")
    )  # fmt: skip


def qr_code(data: bytes, *, module_dots: int) -> bytes:
    """GS ( k functions 165, 167, 169, 180, 181: model 2, error correction M."""
    functions = (b"1A2\x00", b"1C" + _byte(module_dots), b"1E1", b"1P0" + data, b"1Q0")
    return b"".join(GS + b"(k" + _word(len(function)) + function for function in functions)


def picture(rows: bytes, *, row_bytes: int) -> bytes:
    """GS v 0 in strips of at most ``STRIP_ROWS_MAX`` rows; a bit is a dot, the left one first."""
    strip = row_bytes * STRIP_ROWS_MAX
    return b"".join(
        GS + b"v0\x00" + _word(row_bytes) + _word(len(part) // row_bytes) + part
        for part in (rows[at : at + strip] for at in range(0, len(rows), strip))
    )


def inline_picture(columns: bytes) -> bytes:
    """ESC * 33: 24 dots high in the line of text, three bytes a column, the top dot first."""
    return ESC + b"*\x21" + _word(len(columns) // 3) + columns


def request_status(kind: int) -> bytes:
    """DLE EOT: answered at once, even when the printer is off line; 1 printer, 2 off-line cause,
    3 error, 4 paper."""
    return DLE_EOT + _byte(kind)


def request_echo(number: bytes) -> bytes:
    """GS ( H function 48: the printer answers ``37 22 number 00`` when it gets there."""
    assert len(number) == 4
    assert all(0x20 <= byte <= 0x7E for byte in number)
    return GS + b"(H\x06\x00\x30\x30" + number
