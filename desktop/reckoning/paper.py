"""Bytes sent to a receipt printer, read as a printer reads them; knows nothing of who wrote them.

Source: Epson ESC/POS reference (commands and lengths), GB 18030-2022 (double and four bytes).
Strict: a byte that belongs to no known command is damage.
"""

from dataclasses import dataclass, field

ESC, FS, GS, LF = 0x1B, 0x1C, 0x1D, 0x0A
FIXED = {
    b"\x1b@": 0, b"\x1bR": 1, b"\x1ba": 1, b"\x1bE": 1, b"\x1bd": 1, b"\x1bJ": 1, b"\x1bt": 1,
    b"\x1bp": 3, b"\x1c&": 0, b"\x1c.": 0, b"\x1d!": 1, b"\x1dh": 1, b"\x1dw": 1, b"\x1dH": 1,
    b"\x1df": 1, b"\x1dV": 2, b"\x1dr": 1,
}  # fmt: skip
"""Commands and how many parameter bytes follow. GS V is used with its feed parameter."""
RANGES = {
    b"\x1bR": range(16), b"\x1ba": range(3), b"\x1bE": range(2), b"\x1dH": range(4),
    b"\x1dw": range(2, 7), b"\x1d!": range(0x78), b"\x1dr": range(1, 3),
}  # fmt: skip
"""What the first parameter of a command may be."""
PICTURE_SIGN = "▣"


class DamagedPaper(ValueError):
    """Bytes no printer of the kind would take."""


@dataclass(slots=True)
class Paper:
    """What came out: lines of text, and the digits of bar codes."""

    lines: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    cuts: int = 0


def read_paper(data: bytes) -> Paper:
    """Decode one job; DamagedPaper with the position for what cannot be right."""
    return _Reader(data).read()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._line = ""
        self._paper = Paper()

    def read(self) -> Paper:
        if not self._data.startswith(b"\x1b@"):
            raise DamagedPaper("does not begin with a reset")
        while self._at < len(self._data):
            byte = self._data[self._at]
            if byte in (ESC, FS, GS):
                self._command()
            elif byte == LF:
                self._at += 1
                self._end_line()
            else:
                self._character(byte)
        if self._line:
            raise DamagedPaper("a line without an end")
        return self._paper

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise DamagedPaper(f"cut off at byte {self._at}")
        self._at += count
        return taken

    def _end_line(self) -> None:
        self._paper.lines.append(self._line)
        self._line = ""

    def _character(self, byte: int) -> None:
        if byte < 0x80:
            size = 1
        else:
            following = self._data[self._at + 1 : self._at + 2]
            size = 4 if following.isdigit() else 2
        at = self._at
        try:
            text = self._take(size).decode("gb18030")
        except UnicodeDecodeError as error:
            raise DamagedPaper(f"no character at byte {at}") from error
        if len(text) != 1 or not text.isprintable():
            raise DamagedPaper(f"no printable character at byte {at}")
        self._line += text

    def _command(self) -> None:
        at = self._at
        name = self._take(2)
        if name in FIXED:
            self._fixed(name, self._take(FIXED[name]), at)
        elif name == b"\x1dk":
            self._bar_code(at)
        elif name == b"\x1d(":
            self._function()
        elif name == b"\x1b*":
            self._inline_picture(at)
        elif name == b"\x1dv":
            self._picture()
        else:
            raise DamagedPaper(f"unknown command {name.hex()} at byte {at}")

    def _fixed(self, name: bytes, parameters: bytes, at: int) -> None:
        if name in RANGES and parameters[0] not in RANGES[name]:
            raise DamagedPaper(f"bad parameter of {name.hex()} at byte {at}")
        if name == b"\x1dV":
            if parameters not in (b"\x41\x00", b"\x42\x00"):
                raise DamagedPaper(f"bad cut at byte {at}")
            self._paper.cuts += 1

    def _bar_code(self, at: int) -> None:
        kind, length = self._take(2)
        data = self._take(length)
        if kind != 73:
            raise DamagedPaper(f"unknown bar code at byte {at}")
        digits = _code_128(data)
        self._paper.codes.append(digits)
        self._paper.lines.append(f"[CODE128 {digits}]")

    def _function(self) -> None:
        symbol = self._take(1)
        data = self._take(int.from_bytes(self._take(2), "little"))
        if symbol == b"k" and data[:3] == b"1P0":
            self._paper.lines.append(f"[QR {data[3:].decode('utf-8', 'replace')}]")

    def _inline_picture(self, at: int) -> None:
        mode, low, high = self._take(3)
        if mode != 33:
            raise DamagedPaper(f"unknown picture at byte {at}")
        self._take(3 * (low + 256 * high))
        self._line += PICTURE_SIGN

    def _picture(self) -> None:
        _kind, _mode, *sizes = self._take(6)
        width, height = sizes[0] + 256 * sizes[1], sizes[2] + 256 * sizes[3]
        self._take(width * height)


def _code_128(data: bytes) -> str:
    """Code set C carries pairs as their values, set B characters; ``{`` switches."""
    digits = ""
    pairs = False
    at = 0
    while at < len(data):
        if data[at : at + 1] == b"{":
            pairs = data[at + 1 : at + 2] == b"C"
            at += 2
            continue
        digits += f"{data[at]:02d}" if pairs else chr(data[at])
        at += 1
    return digits
