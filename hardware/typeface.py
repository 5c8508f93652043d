"""A font with Han glyphs, found by name, and single characters painted into cells of the paper."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from shared.errors import EnvironmentFault
from shared.receipt.document import Style
from shared.receipt.layout import Line
from shared.receipt.text import gb18030_cells

CELL_WIDTH_DOTS = 12
CELL_HEIGHT_DOTS = 24
BASELINE_SHARE = 0.84
"""Where the line of writing stands in the cell; Han glyphs reach an eighth of the em below it."""
LEADING_SHARE = 4
"""Descenders may reach a quarter of the cell into the space between the lines."""

FONT_VARIABLE = "EVERTILL_RECEIPT_FONT"
"""Names a font file that is taken instead of those looked for."""


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font file by its name, and the family inside it where a collection holds several."""

    regular: str
    bold: str
    family: str


# Debian fonts-noto-cjk, Adobe's twin, Windows, macOS: best first.
FONT_FILES = (
    FontFile("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "Noto Sans Mono CJK SC"),
    FontFile("NotoSansMonoCJKsc-Regular.otf", "NotoSansMonoCJKsc-Bold.otf", ""),
    FontFile("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf", ""),
    FontFile("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf", ""),
    FontFile("msyh.ttc", "msyhbd.ttc", "Microsoft YaHei"),
    FontFile("PingFang.ttc", "PingFang.ttc", "PingFang SC"),
)
FACES_PER_COLLECTION_MAX = 64
GLYPHS_KEPT_MAX = 2048
"""Painted characters that are kept: some 6 MiB at the largest size in use."""


def font_folders() -> tuple[Path, ...]:
    """Where this operating system keeps fonts."""
    home = Path.home()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        return windows / "Fonts", home / "AppData/Local/Microsoft/Windows/Fonts"
    if sys.platform == "darwin":
        return Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"
    return (
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    )


class Typeface:
    """Paints characters into cells. Not for several threads at once."""

    def __init__(self, regular: Path, bold: Path, family: str = "") -> None:
        self._faces = {False: (regular, family), True: (bold, family)}
        self._fonts: dict[tuple[bool, int], ImageFont.FreeTypeFont] = {}
        self._font(strong=False, size=CELL_HEIGHT_DOTS)
        self._painted = lru_cache(maxsize=GLYPHS_KEPT_MAX)(self._paint)

    def paint(self, character: str, *, width: int, height: int, strong: bool) -> Image.Image:
        """One character of the given size, in grey: 0 is paper, 255 is ink. Not to be changed: a
        paper has most of its characters many times, and they are painted once.

        The picture is a quarter taller than ``height``: it includes the space below the line.
        """
        return self._painted(character, width, height, strong)

    def _paint(self, character: str, width: int, height: int, strong: bool) -> Image.Image:  # noqa: FBT001 - a key of the cache
        natural = CELL_WIDTH_DOTS * gb18030_cells(character) * height // CELL_HEIGHT_DOTS
        font = self._font(strong=strong, size=height)
        tall = height + height // LEADING_SHARE
        picture = Image.new("L", (natural, tall))
        across = (natural - font.getlength(character)) / 2
        at = (across, round(height * BASELINE_SHARE))
        ImageDraw.Draw(picture).text(at, character, fill=255, font=font, anchor="ls")
        if width == natural:
            return picture
        return picture.resize((width, tall), Image.Resampling.LANCZOS)

    def paint_line(self, line: Line, *, columns: int) -> Image.Image:
        """A whole line of a layout in its place, one dot a pixel."""
        wide, high = line.style.width_factor, line.style.height_factor
        height = CELL_HEIGHT_DOTS * high
        size = (columns * CELL_WIDTH_DOTS, height + height // LEADING_SHARE)
        picture = Image.new("L", size)
        cells = gb18030_cells(line.text) * wide
        free = picture.width - cells * CELL_WIDTH_DOTS
        across = {"left": 0, "center": free // 2, "right": free}[line.align]
        for character in line.text:
            width = CELL_WIDTH_DOTS * gb18030_cells(character) * wide
            strong = line.style is not Style.NORMAL
            glyph = self.paint(character, width=width, height=height, strong=strong)
            picture.paste(glyph, (across, 0))
            across += width
        return picture

    def _font(self, *, strong: bool, size: int) -> ImageFont.FreeTypeFont:
        key = (strong, size)
        if key not in self._fonts:
            path, family = self._faces[strong]
            self._fonts[key] = _open_face(path, family, size)
        return self._fonts[key]


def _open_face(path: Path, family: str, size: int) -> ImageFont.FreeTypeFont:
    """The named family inside a collection, or the only (else the first) face of the file."""
    faces = list(_faces(path, size, 1 if not family else FACES_PER_COLLECTION_MAX))
    if not faces:
        raise EnvironmentFault("bad-receipt-font", path=str(path))
    return next((face for face in faces if face.getname()[0] == family), faces[0])


def _faces(path: Path, size: int, most: int) -> Iterator[ImageFont.FreeTypeFont]:
    for index in range(most):
        try:
            yield ImageFont.truetype(path, size, index=index)
        except OSError:
            return


@cache
def receipt_typeface() -> Typeface:
    """The best font on this machine, or the one named by ``EVERTILL_RECEIPT_FONT``.

    EnvironmentFault ``no-receipt-font`` where none has Han glyphs: without one everything would be
    boxes, silently.
    """
    named = os.environ.get(FONT_VARIABLE)
    if named:
        return Typeface(Path(named), Path(named))
    return find_typeface(font_folders())


def find_typeface(folders: tuple[Path, ...]) -> Typeface:
    """The first of ``FONT_FILES`` that lies below one of the folders."""
    present: dict[str, Path] = {}
    for folder in folders:
        if folder.is_dir():
            for file in sorted(folder.rglob("*.[to]t[fc]")):
                present.setdefault(file.name, file)
    for wanted in FONT_FILES:
        regular = present.get(wanted.regular)
        if regular:
            return Typeface(regular, present.get(wanted.bold, regular), wanted.family)
    raise EnvironmentFault("no-receipt-font", folders=", ".join(map(str, folders)))
