"""A sheet as a picture: black on white, one dot a pixel times ``SCALE``, with torn-off margins."""

from io import BytesIO
from pathlib import Path
from typing import assert_never

from PIL import Image, ImageDraw, ImageFont, ImageOps

from hardware.paper.interpreter import CELL_DOTS
from hardware.paper.sheet import (
    Blank,
    CutMark,
    Glyph,
    Printed,
    PrintedCode,
    PrintedLine,
    PrintedPicture,
    Sheet,
)
from hardware.typeface import Typeface, receipt_typeface

SCALE = 2
MARGIN_DOTS = 32
INK = 24
PAPER = 255
CUT_GREY = 150
CODE_GAP_DOTS = 6
CUT_HEIGHT_DOTS = 24
HEIGHT_DOTS_MAX = 30_000
"""A picture taller than this is cut off: a stream of garbage must not eat the memory."""


def sheet_picture(sheet: Sheet, typeface: Typeface | None = None) -> Image.Image:
    """The paper, in grey.

    EnvironmentFault ``no-receipt-font`` where the machine has no font with Han glyphs.
    """
    face = typeface or receipt_typeface()
    height = min(HEIGHT_DOTS_MAX, sum(map(_height, sheet.printed)))
    size = ((sheet.dots + 2 * MARGIN_DOTS) * SCALE, (height + 2 * MARGIN_DOTS) * SCALE)
    canvas = Image.new("L", size, PAPER)
    top = MARGIN_DOTS
    for item in sheet.printed:
        if top + _height(item) > HEIGHT_DOTS_MAX:
            break
        _draw(canvas, item, top, face)
        top += _height(item)
    return canvas


def save_picture(sheet: Sheet, path: Path, typeface: Typeface | None = None) -> None:
    """The paper as a PNG file."""
    path.write_bytes(png(sheet, typeface))


def png(sheet: Sheet, typeface: Typeface | None = None) -> bytes:
    """The paper as PNG bytes."""
    buffer = BytesIO()
    sheet_picture(sheet, typeface).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _height(item: Printed) -> int:
    match item:
        case PrintedLine(height=height) | Blank(height):
            return height
        case PrintedPicture(picture):
            return picture.height
        case PrintedCode(picture=picture):
            return (picture.height if picture else CELL_DOTS[1]) + CODE_GAP_DOTS
        case CutMark():
            return CUT_HEIGHT_DOTS
        case never:
            assert_never(never)


def _draw(canvas: Image.Image, item: Printed, top: int, face: Typeface) -> None:
    match item:
        case PrintedLine():
            for glyph in item.glyphs:
                _draw_glyph(canvas, glyph, top, face)
            for sketch in item.sketches:
                _paste(canvas, sketch.picture, sketch.left, top)
        case PrintedPicture(picture, left):
            _paste(canvas, picture, left, top)
        case PrintedCode(kind, data, picture, left):
            if picture:
                _paste(canvas, picture, left, top)
            else:
                label = f"[{kind} {data.decode('ascii', 'replace')}]"
                at = (MARGIN_DOTS * SCALE, top * SCALE)
                font = ImageFont.load_default(CELL_DOTS[1])
                ImageDraw.Draw(canvas).text(at, label, fill=INK, font=font)
        case CutMark():
            _draw_cut(canvas, top + CUT_HEIGHT_DOTS // 2)
        case Blank():
            pass


def _draw_glyph(canvas: Image.Image, glyph: Glyph, top: int, face: Typeface) -> None:
    if glyph.character == " " and not (glyph.underlined or glyph.inverse):
        return
    width, height = glyph.width * SCALE, glyph.height * SCALE
    mask = face.paint(glyph.character, width=width, height=height, strong=glyph.strong)
    if glyph.underlined:
        mask = mask.copy()
        ImageDraw.Draw(mask).rectangle((0, height - SCALE, width, height), fill=255)
    if glyph.inverse:
        mask = ImageOps.invert(mask.crop((0, 0, width, height)))
    canvas.paste(INK, ((MARGIN_DOTS + glyph.left) * SCALE, top * SCALE), mask)


def _paste(canvas: Image.Image, picture: Image.Image, left: int, top: int) -> None:
    size = (picture.width * SCALE, picture.height * SCALE)
    mask = picture.resize(size, Image.Resampling.NEAREST)
    canvas.paste(INK, ((MARGIN_DOTS + left) * SCALE, top * SCALE), mask)


def _draw_cut(canvas: Image.Image, middle: int) -> None:
    draw = ImageDraw.Draw(canvas)
    for left in range(0, canvas.width, 16 * SCALE):
        draw.line(
            (left, middle * SCALE, left + 8 * SCALE, middle * SCALE), fill=CUT_GREY, width=SCALE
        )
