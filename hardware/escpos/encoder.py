"""A document as the bytes of one print job."""

from dataclasses import dataclass
from typing import assert_never

from hardware.escpos import code128, commands, raster
from hardware.escpos.charset import DrawCharacter, encode_text
from hardware.escpos.profile import CutKind, Drawing, Paper, Profile, TextMode
from hardware.typeface import Typeface, receipt_typeface
from shared.errors import EnvironmentFault
from shared.receipt.document import (
    Align,
    Barcode,
    Cut,
    Document,
    Feed,
    Logo,
    Qr,
    Style,
    Symbology,
)
from shared.receipt.layout import Line, Piece, lay_out

ALIGNMENTS = {Align.LEFT: 0, Align.CENTER: 1, Align.RIGHT: 2}
BARCODE_MODULE_DOTS_MAX = 3
FEED_ROWS_MAX = 255


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes for one kind of printer on one width of paper.

    ``typeface`` draws what the printer cannot; by default it is looked for when first needed.
    ``logo`` is the shop's picture as rows of dots, as wide as the paper (``read_logo``).
    Encoding is a function of the document alone: the same document gives the same bytes.
    """

    profile: Profile
    paper: Paper
    typeface: Typeface | None = None
    logo: bytes = b""

    def encode(self, document: Document) -> bytes:
        """One print job, from the reset of the printer to at most one cut.

        EnvironmentFault ``no-receipt-font`` only if the profile prints all text as pictures; in
        the others a missing character is marked where there is no font to draw it.
        """
        pieces = lay_out(document, self.profile.grid(self.paper))
        return self._opening() + b"".join(map(self._piece, pieces))

    def _opening(self) -> bytes:
        start = commands.INITIALISE
        if self.profile.text is TextMode.GB18030:
            start += commands.CHARACTER_SET_USA + commands.SELECT_CHINESE
        elif self.profile.text is TextMode.CODEPAGE:
            start += commands.CHARACTER_SET_USA + commands.CANCEL_CHINESE
            start += commands.select_code_page(self.profile.code_page)
        return start + (commands.LINE_FEED if self.profile.blank_first_line else b"")

    def _piece(self, piece: Piece) -> bytes:
        match piece:
            case Line():
                return self._line(piece)
            case Logo():
                return commands.picture(self.logo, row_bytes=self.paper.dots // 8)
            case Barcode():
                return self._barcode(piece)
            case Qr(data):
                return self._qr(data)
            case Feed(rows):
                return commands.feed(min(rows, FEED_ROWS_MAX))
            case Cut():
                return self._cut()
            case never:
                assert_never(never)

    def _line(self, line: Line) -> bytes:
        if self.profile.text is TextMode.RASTER:
            return self._line_picture(line)
        draw: DrawCharacter | None = self._draw_character
        if line.style is not Style.NORMAL:
            draw = None  # ESC * knows one height only
        text = encode_text(line.text, self.profile, draw)
        before, after = _style_commands(line)
        return before + text + commands.LINE_FEED + after

    def _line_picture(self, line: Line) -> bytes:
        if not line.text.strip():
            return commands.feed(1)
        typeface = self.typeface or receipt_typeface()
        picture = typeface.paint_line(line, columns=self.paper.columns)
        return commands.picture(raster.rows(picture), row_bytes=picture.width // 8)

    def _draw_character(self, character: str) -> bytes | None:
        try:
            typeface = self.typeface or receipt_typeface()
        except EnvironmentFault:
            return None
        return raster.glyph_columns(typeface, character)

    def _barcode(self, barcode: Barcode) -> bytes:
        quiet = 2 * raster.BARCODE_QUIET_MODULES
        fitting = self.paper.dots // (barcode.modules + quiet)
        module_dots = min(BARCODE_MODULE_DOTS_MAX, fitting)
        if self.profile.barcode is Drawing.NATIVE:
            code = _centred(_native(barcode, module_dots))
        else:
            dots = self.paper.dots
            picture = raster.barcode_picture(barcode, dots=dots, module_dots=module_dots)
            code = commands.picture(raster.rows(picture), row_bytes=self.paper.dots // 8)
        return code + self._line(Line(barcode.digits, align=Align.CENTER))

    def _qr(self, data: str) -> bytes:
        dots, largest = self.paper.dots, commands.QR_MODULE_DOTS
        if self.profile.qr is Drawing.NATIVE:
            raw = data.encode()
            module = raster.qr_module_dots(raw, dots=dots, module_dots_max=largest)
            return _centred(commands.qr_code(raw, module_dots=module))
        picture = raster.qr_picture(data, dots=dots, module_dots_max=largest)
        return commands.picture(raster.rows(picture), row_bytes=dots // 8)

    def _cut(self) -> bytes:
        if self.profile.cut is CutKind.NONE:
            return commands.FEED_TO_TEAR
        return commands.cut(partial=self.profile.cut is CutKind.PARTIAL)


def _native(barcode: Barcode, module_dots: int) -> bytes:
    if barcode.symbology is Symbology.EAN:
        return commands.ean(barcode.digits, module_dots=module_dots)
    return commands.code_128(code128.escpos_data(barcode.digits), module_dots=module_dots)


def _centred(code: bytes) -> bytes:
    return commands.align(1) + code + commands.align(0)


def _style_commands(line: Line) -> tuple[bytes, bytes]:
    """What comes before and after a line; the printer is left as it was found."""
    before = after = b""
    if line.align is not Align.LEFT:
        before += commands.align(ALIGNMENTS[line.align])
        after += commands.align(0)
    if line.style is not Style.NORMAL:
        before += commands.emphasise(on=True)
        after += commands.emphasise(on=False)
    if line.style.height_factor > 1:
        wide, high = line.style.width_factor, line.style.height_factor
        before += commands.size(width=wide, height=high)
        after += commands.size(width=1, height=1)
    return before, after
