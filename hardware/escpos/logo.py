"""The shop's own picture as dots for the head of a receipt."""

import warnings
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image

from hardware.escpos.profile import Paper
from shared.errors import EnvironmentFault

ROWS_MAX: Final = 400
"""Five centimetres of paper on every receipt are enough."""
MARGIN_ROWS: Final = 8


def read_logo(path: Path, paper: Paper) -> bytes:
    """Rows of dots as wide as the paper, the picture in the middle, made smaller where it is too
    large and never larger; what is transparent stays white.

    EnvironmentFault ``bad-receipt-logo`` where the file is no picture.
    """
    try:
        changed_ns = path.stat().st_mtime_ns
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _read(path, changed_ns, paper.dots)


@lru_cache(maxsize=8)
def _read(path: Path, changed_ns: int, paper_dots: int) -> bytes:
    """A file that was not changed is read once: it stands on every receipt."""
    del changed_ns
    try:
        with warnings.catch_warnings():
            # A picture that would unpack to more than Pillow allows is refused, not warned of.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                picture = opened.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise _unreadable(path, error) from error
    white = Image.new("RGBA", picture.size, "white")
    grey = Image.alpha_composite(white, picture).convert("L")
    grey.thumbnail((paper_dots, ROWS_MAX), Image.Resampling.LANCZOS)
    canvas = Image.new("L", (paper_dots, grey.height + MARGIN_ROWS), "white")
    canvas.paste(grey, ((paper_dots - grey.width) // 2, 0))
    dots = canvas.convert("1", dither=Image.Dither.FLOYDSTEINBERG)
    return bytes(byte ^ 0xFF for byte in dots.tobytes())  # in Pillow 1 is white, on paper 1 is ink


def _unreadable(path: Path, error: Exception | Warning) -> EnvironmentFault:
    return EnvironmentFault("bad-receipt-logo", path=str(path), reason=str(error))
