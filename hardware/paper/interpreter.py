"""Prints a token stream on a sheet, command by command."""

from dataclasses import dataclass, field, replace

from PIL import Image

from hardware.paper import codes
from hardware.paper.code_pages import decode_byte, gb_character, gb_length
from hardware.paper.firmware import COMPLETE, Firmware
from hardware.paper.look import STYLE_COMMANDS, Look, restyled
from hardware.paper.sheet import (
    Blank,
    CutMark,
    Glyph,
    PrintedCode,
    PrintedLine,
    PrintedPicture,
    Sheet,
    Sketch,
)
from hardware.paper.tokens import Command, Run, Token, Tokeniser, Unknown

CELL_DOTS = (12, 24)
FONT_B_DOTS = (9, 17)
LINE_SPACING_DOTS = 30
PICTURE_DOTS_MAX = 8192
PARTIAL_CUTS = (b"\x01", b"1", b"B")
"""GS V 1, 49 and 66."""


@dataclass(slots=True)
class Settings:
    """Everything ``ESC @`` resets."""

    chinese: bool
    look: Look = field(default_factory=Look)
    align: int = 0
    codec: str = "cp437"
    line_spacing: int = LINE_SPACING_DOTS
    barcode_height: int = 162
    barcode_module: int = 3
    barcode_text: int = 0
    qr_module: int = 3
    qr_level: int = 0x30
    qr_data: bytes = b""
    graphics: Image.Image | None = None
    graphics_scale: tuple[int, int] = (1, 1)


class Interpreter:
    """A printer made of paper alone.

    ``chinese_at_start``: Chinese firmware usually wakes up in Chinese mode; a strict one (False)
    shows whether the sender selected it. ``firmware``: what it understands.
    """

    def __init__(
        self, *, dots: int, chinese_at_start: bool = False, firmware: Firmware = COMPLETE
    ) -> None:
        self.sheet = Sheet(dots)
        self._firmware = firmware
        self._chinese_at_start = chinese_at_start
        self._settings = Settings(chinese_at_start)
        self._glyphs: list[Glyph] = []
        self._sketches: list[Sketch] = []
        self._left = 0
        self._pending = b""
        self._chinese_next = False

    def print_all(self, data: bytes) -> Sheet:
        """Print a whole stream; a last line without line feed is shown as well."""
        tokeniser = Tokeniser()
        for token in tokeniser.feed(data):
            self.accept(token)
        self.sheet.truncated = tokeniser.pending
        if self._glyphs or self._sketches:
            self._end_line()
        return self.sheet

    def accept(self, token: Token) -> None:
        """Print one token."""
        match token:
            case Run(data):
                self._print_run(data)
            case Command(name=name, parameters=parameters):
                try:
                    self._obey(name, parameters)
                except (IndexError, ValueError, ZeroDivisionError):
                    # Parameters that make no sense print nothing, as on a real printer.
                    self.sheet.malformed.append(token.source)
            case Unknown(data):
                self.sheet.unknown.append(data)

    def _obey(self, name: str, given: bytes) -> None:
        if name in self._firmware.ignores:
            return
        if name in STYLE_COMMANDS:
            look, settings = self._settings.look, self._settings
            settings.look = restyled(look, name, given[0])
        elif name in PLAIN_SETTINGS:
            setattr(self._settings, PLAIN_SETTINGS[name], given[0])
        else:
            self._act(name, given)

    def _act(self, name: str, given: bytes) -> None:  # noqa: C901 PLR0912 - one row per command
        settings = self._settings
        match name:
            case "ESC @":
                self._settings = Settings(self._chinese_at_start)
                self._glyphs.clear()
                self._sketches.clear()
                self._left = 0
            case "LF" | "FF":
                self._end_line()
            case "ESC d":
                self._end_lines(given[0])
            case "ESC J":
                self._feed(given[0])
            case "ESC 2":
                settings.line_spacing = LINE_SPACING_DOTS
            case "ESC t":
                settings.codec = self._firmware.code_pages.get(given[0], settings.codec)
            case "FS &" | "FS .":
                self._select_chinese(on=name == "FS &")
            case "ESC $" | "GS $":
                self._left = int.from_bytes(given, "little")
            case "ESC \\":
                self._left = max(0, self._left + int.from_bytes(given, "little", signed=True))
            case "HT":
                self._left = (self._left // (8 * CELL_DOTS[0]) + 1) * 8 * CELL_DOTS[0]
            case "ESC *":
                self._sketch(given)
            case "GS v0":
                self._raster(given)
            case "GS k":
                self._barcode(given)
            case "GS (k":
                self._two_dimensional(given[2:])
            case "GS (L" | "GS 8L":
                self._graphics(given[2 if name == "GS (L" else 4 :])
            case "GS V" | "ESC i" | "ESC m":
                self._cut(given, partial=name == "ESC m" or given[:1] in PARTIAL_CUTS)
            case "ESC p":
                self.sheet.pulses.append(5 if given[0] in (1, 0x31) else 2)
            case "DLE DC4" if given[0] == 1:
                self.sheet.pulses.append(5 if given[1] == 1 else 2)
            case _ if name not in WITHOUT_PRINT:
                self.sheet.not_drawn.append(name)

    # Text

    def _select_chinese(self, *, on: bool) -> None:
        if on and self._firmware.chinese_late:
            self._chinese_next = True
        else:
            self._settings.chinese = on and self._firmware.chinese

    def _print_run(self, data: bytes) -> None:
        for character in self._decoded(self._pending + data):
            self._put(character)

    def _decoded(self, data: bytes) -> str:
        """Characters of a run; a double byte cut by the stream's pieces waits for its half."""
        self._pending = b""
        text = ""
        at = 0
        while at < len(data):
            if not self._settings.chinese or data[at] < 0x81:
                text += decode_byte(data[at], self._settings.codec)
                at += 1
                continue
            length = gb_length(data[at : at + 2])
            if length == 0 or at + length > len(data):
                self._pending = data[at:]
                break
            text += gb_character(data[at : at + length])
            at += length
        return text

    def _put(self, character: str) -> None:
        look = self._settings.look
        cell, height = FONT_B_DOTS if look.font_b else CELL_DOTS
        double = self._settings.chinese and character >= "\x80"
        width = cell * (2 if double else 1) * look.wide
        if self._left + width > self.sheet.dots:
            self.sheet.overfull += 1
            self._end_line()
        self._glyphs.append(
            Glyph(
                character,
                self._left,
                width,
                height * look.high,
                look.strong,
                look.underlined,
                look.inverse,
            )
        )
        self._left += width

    def _end_lines(self, rows: int) -> None:
        if self._glyphs or self._sketches:
            self._end_line()
            rows -= 1
        if rows > 0:
            self.sheet.printed.append(Blank(rows * self._settings.line_spacing))

    def _end_line(self) -> None:
        shift = self._shift(self._left)
        heights = [glyph.height for glyph in self._glyphs]
        heights += [sketch.picture.height for sketch in self._sketches]
        height = max([self._settings.line_spacing, *(tall + 6 for tall in heights)])
        glyphs = tuple(self._glyphs)
        if shift:
            glyphs = tuple(replace(glyph, left=glyph.left + shift) for glyph in glyphs)
        sketches = tuple(replace(item, left=item.left + shift) for item in self._sketches)
        self.sheet.printed.append(PrintedLine(glyphs, sketches, height))
        self._glyphs.clear()
        self._sketches.clear()
        self._left = 0
        if self._chinese_next:
            self._settings.chinese, self._chinese_next = self._firmware.chinese, False

    def _feed(self, dots: int) -> None:
        if self._glyphs or self._sketches:
            self._end_line()
        if dots:
            self.sheet.printed.append(Blank(dots))

    def _shift(self, width: int) -> int:
        free = max(0, self.sheet.dots - width)
        return {1: free // 2, 2: free}.get(self._settings.align & 0x0F, 0)

    # Pictures and codes

    def _sketch(self, given: bytes) -> None:
        mode, columns = given[0], given[3:]
        deep = 3 if mode >= 32 else 1
        width = len(columns) // deep
        turned = _bitmap(columns, 8 * deep, width)
        picture = turned.transpose(Image.Transpose.TRANSPOSE)
        across = 1 if mode in (1, 33) else 2
        picture = picture.resize((width * across, picture.height * (1 if deep == 3 else 3)))
        self._sketches.append(Sketch(picture, self._left))
        self._left += picture.width

    def _raster(self, given: bytes) -> None:
        width, rows = 8 * int.from_bytes(given[1:3], "little"), len(given[5:])
        picture = _bitmap(given[5:], width, 8 * rows // width)
        scale = (1 + (given[0] & 1), 1 + (given[0] >> 1 & 1))
        self._place_picture(picture.resize((width * scale[0], picture.height * scale[1])))

    def _place_picture(self, picture: Image.Image) -> None:
        self._feed(0)
        if picture.width > self.sheet.dots:
            self.sheet.overfull += 1
            picture = picture.crop((0, 0, self.sheet.dots, picture.height))
        self.sheet.printed.append(PrintedPicture(picture, self._shift(picture.width)))

    def _graphics(self, given: bytes) -> None:
        """GS ( L functions 112 (store a raster) and 50 (print it)."""
        settings = self._settings
        if given[1] == 112:
            width, height = (int.from_bytes(given[at : at + 2], "little") for at in (6, 8))
            padded = (width + 7) // 8 * 8
            stored = _bitmap(given[10:], padded, height)
            across, down = (1 + (scale == 2) for scale in given[3:5])
            settings.graphics = stored.resize((padded * across, height * down))
        elif given[1] in (2, 50) and settings.graphics:
            self._place_picture(settings.graphics)
            settings.graphics = None
        else:
            self.sheet.not_drawn.append(f"GS ( L {given[1]}")

    def _barcode(self, given: bytes) -> None:
        self._feed(0)
        settings = self._settings
        data = given[1:-1] if given[0] <= 6 else given[2:]
        kind = codes.BARCODE_KINDS.get(given[0], f"barcode {given[0]}")
        picture = None
        if kind == "CODE128":
            picture = codes.code_128_picture(
                data, module_dots=settings.barcode_module, height=settings.barcode_height
            )
            data = codes.code_128_values(data)[1]
        elif kind.startswith("EAN"):
            picture = codes.ean_picture(
                data, module_dots=settings.barcode_module, height=settings.barcode_height
            )
        self._place_code(kind, data, picture)
        if settings.barcode_text & 2:
            for character in data.decode("ascii", "replace"):
                self._put(character)
            self._end_line()

    def _place_code(self, kind: str, data: bytes, picture: Image.Image | None) -> None:
        width = picture.width if picture else 0
        if width > self.sheet.dots:
            self.sheet.overfull += 1
        self.sheet.printed.append(PrintedCode(kind, data, picture, self._shift(width)))

    def _two_dimensional(self, given: bytes) -> None:
        settings = self._settings
        if given[:1] != b"1":
            self.sheet.not_drawn.append(f"GS ( k {given[0]}")
            return
        match given[1]:
            case 67:
                settings.qr_module = given[2]
            case 69:
                settings.qr_level = given[2]
            case 80:
                settings.qr_data = given[3:]
            case 81 if settings.qr_data:
                self._feed(0)
                picture = codes.qr_picture(
                    settings.qr_data, level=settings.qr_level, module_dots=settings.qr_module
                )
                self._place_code("QR", settings.qr_data, picture)

    def _cut(self, given: bytes, *, partial: bool) -> None:
        self._feed(given[1] if len(given) > 1 else 0)
        if ("partial" if partial else "full") in self._firmware.cuts:
            self.sheet.printed.append(CutMark(partial))


PLAIN_SETTINGS = {
    "ESC a": "align",
    "ESC 3": "line_spacing",
    "GS h": "barcode_height",
    "GS w": "barcode_module",
    "GS H": "barcode_text",
}
WITHOUT_PRINT = frozenset(
    ["CR", "CAN", "ESC R", "ESC  ", "ESC {", "ESC U", "ESC V", "ESC T", "ESC S", "ESC =", "ESC c",
     "ESC ?", "ESC %", "ESC r", "FS S", "FS -", "FS C", "FS W", "GS L", "GS W", "GS P", "GS f",
     "GS a", "GS r", "GS I", "GS T", "GS (H", "GS (K", "GS (E", "GS (D", "GS b", "GS z", "GS (A",
     "DLE EOT", "DLE ENQ", "DLE DC4", "ESC D", "ESC <", "ESC v", "GS (z", "FS ("]
)  # fmt: skip


def _bitmap(data: bytes, width: int, height: int) -> Image.Image:
    """Rows of bits as a grey picture; ValueError for sizes no printer has."""
    if not (0 < width <= PICTURE_DOTS_MAX and 0 < height <= PICTURE_DOTS_MAX):
        raise ValueError(f"a picture of {width} × {height} dots")
    return Image.frombytes("1", (width, height), data).convert("L")
