"""A paper as it would come out: through the encoder and the virtual printer, as a picture."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from desktop.printers import USUAL_PROFILE, with_logo
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import ProfileBook, built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import SCALE, sheet_picture
from shared.errors import EnvironmentFault
from shared.receipt.document import Document

PAPERS: Final = {32: "58mm", 42: "80mm-narrow", 48: "80mm"}


@cache
def _book() -> ProfileBook:
    return built_in_profiles()


def paper_picture(document: Document, columns: int, folder: Path, logo: str) -> bytes:
    """PNG of a document on paper of so many columns; empty where no font draws it."""
    book = _book()
    paper = book.paper(PAPERS[columns])
    encoder = with_logo(Encoder(book.profile(USUAL_PROFILE), paper), folder, logo)
    try:
        sheet = Interpreter(dots=paper.dots).print_all(encoder.encode(document))
        picture = sheet_picture(sheet).reduce(SCALE)
    except EnvironmentFault:
        return b""
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=1)  # somebody types, and waits for it
    return buffer.getvalue()
