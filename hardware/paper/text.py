"""A sheet as text: what stands on the paper, column by column."""

from typing import assert_never

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
    Sketch,
)
from shared.receipt.text import on_screen

SKETCH_SIGN = "▣"
"""Stands for a character that was sent as a picture inside a line."""


def sheet_text(sheet: Sheet) -> str:
    """Every line with its spaces; codes as ``[KIND data]``, pictures as ``[picture W×H]``."""
    return "".join(_shown(item, sheet) + "\n" for item in sheet.printed if not _is_gap(item))


def _is_gap(item: Printed) -> bool:
    return isinstance(item, Blank) and item.height < CELL_DOTS[1]


def _shown(item: Printed, sheet: Sheet) -> str:
    match item:
        case PrintedLine():
            return _line(item)
        case PrintedPicture(picture):
            return f"[picture {picture.width}×{picture.height}]"
        case PrintedCode(kind, data):
            return f"[{kind} {data.decode('utf-8', 'replace')}]"
        case Blank():
            return ""
        case CutMark():
            return "- " * (sheet.dots // CELL_DOTS[0] // 2)
        case never:
            assert_never(never)


def _line(line: PrintedLine) -> str:
    """Gaps between characters become spaces of normal width."""
    text = ""
    reached = 0
    marks: list[Glyph | Sketch] = sorted([*line.glyphs, *line.sketches], key=lambda mark: mark.left)
    for mark in marks:
        text += " " * ((mark.left - reached) // CELL_DOTS[0])
        if isinstance(mark, Glyph):
            double = mark.width >= 2 * CELL_DOTS[0] and mark.height < 2 * CELL_DOTS[1]
            text += on_screen(mark.character) if double else mark.character
            reached = mark.left + mark.width
        else:
            text += SKETCH_SIGN
            reached = mark.left + mark.picture.width
    return text.rstrip(" ")
