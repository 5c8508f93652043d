"""Pictures as rows of dots, for what the till draws itself."""

import segno
from PIL import Image

from hardware.escpos import code128, ean
from hardware.escpos.commands import BARCODE_HEIGHT_DOTS
from hardware.typeface import CELL_HEIGHT_DOTS, CELL_WIDTH_DOTS, Typeface
from shared.receipt.document import Barcode, Symbology

INK_THRESHOLD = 110
"""Grey from here on is a dot; a little below the middle, because thermal heads print thin."""
QR_QUIET_MODULES = 4
BARCODE_QUIET_MODULES = 10


def rows(grey: Image.Image) -> bytes:
    """A grey picture (255 is ink) as rows of bits, one dot a bit; the width comes in eights."""
    assert grey.width % 8 == 0
    ink = grey.point([255 if value >= INK_THRESHOLD else 0 for value in range(256)])
    return ink.convert("1", dither=Image.Dither.NONE).tobytes()


def glyph_columns(typeface: Typeface, character: str) -> bytes:
    """A character as 24 columns of 24 dots, top first, for ``ESC *`` 33."""
    side = 2 * CELL_WIDTH_DOTS
    glyph = typeface.paint(character, width=side, height=CELL_HEIGHT_DOTS, strong=False)
    body = glyph.crop((0, 0, side, CELL_HEIGHT_DOTS))
    return rows(body.transpose(Image.Transpose.TRANSPOSE))


def barcode_picture(barcode: Barcode, *, dots: int, module_dots: int) -> Image.Image:
    """Bars in the middle of the paper, one dot a pixel."""
    is_ean = barcode.symbology is Symbology.EAN
    modules = ean.bars(barcode.digits) if is_ean else code128.bars(barcode.digits)
    strip = Image.new("L", (len(modules), 1))
    strip.putdata([255 if module == "1" else 0 for module in modules])
    size = (len(modules) * module_dots, BARCODE_HEIGHT_DOTS)
    return _centred(strip.resize(size, Image.Resampling.NEAREST), dots)


def qr_picture(data: str, *, dots: int, module_dots_max: int) -> Image.Image:
    """A QR code with its quiet zone in the middle of the paper, modules as large as fit."""
    code = segno.make_qr(data.encode(), error="m", boost_error=False)
    matrix = [bytes(255 if dark else 0 for dark in row) for row in code.matrix]
    side = len(matrix)
    module_dots = min(module_dots_max, dots // (side + 2 * QR_QUIET_MODULES))
    picture = Image.frombytes("L", (side, side), b"".join(matrix))
    size = (side * module_dots, side * module_dots)
    quiet = QR_QUIET_MODULES * module_dots
    canvas = Image.new("L", (size[0], size[1] + 2 * quiet))
    canvas.paste(picture.resize(size, Image.Resampling.NEAREST), (0, quiet))
    return _centred(canvas, dots)


def qr_module_dots(data: bytes, *, dots: int, module_dots_max: int) -> int:
    """The largest module that keeps a code with quiet zones on the paper; at least one dot."""
    # Any mask will do: the best one is what takes the time, and it changes no size.
    side = len(segno.make_qr(data, error="m", boost_error=False, mask=0).matrix)
    return max(1, min(module_dots_max, dots // (side + 2 * QR_QUIET_MODULES)))


def _centred(picture: Image.Image, dots: int) -> Image.Image:
    canvas = Image.new("L", (dots, picture.height))
    canvas.paste(picture, ((dots - picture.width) // 2, 0))
    return canvas
