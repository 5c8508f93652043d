"""A paper as it would come out: through the encoder and the virtual printer, as a picture."""

from pathlib import Path
from typing import Final

from desktop.printers import USUAL_PROFILE, with_logo
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import png
from shared.errors import EnvironmentFault
from shared.receipt.document import Document

PAPERS: Final = {32: "58mm", 42: "80mm-narrow", 48: "80mm"}


def paper_picture(document: Document, columns: int, folder: Path, logo: str) -> bytes:
    """PNG of a document on paper of so many columns; empty where no font draws it."""
    book = built_in_profiles()
    paper = book.paper(PAPERS[columns])
    encoder = with_logo(Encoder(book.profile(USUAL_PROFILE), paper), folder, logo)
    try:
        return png(Interpreter(dots=paper.dots).print_all(encoder.encode(document)))
    except EnvironmentFault:
        return b""
