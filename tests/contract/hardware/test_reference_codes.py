"""Bar codes against a reference, and read back at the printer's own resolution.

Judges: zint as the reference encoder, ZXing and zbar as readers.
"""

import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageOps

from hardware.escpos import code128, ean
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.sheet import PrintedCode, PrintedPicture
from shared.receipt.document import Barcode, Cut, Document, Qr, Symbology

BOOK = built_in_profiles()
EVEN = ("9900", "0000", "99", "00", "9999999999", "0099", "25000123456789", "9900123456789012")
ODD = ("990", "001", "12345", "250012345678901")
EANS = ("6901285991219", "0012345678905", "9900000000004", "96385074", "00123457")


def zint(kind: int, data: str) -> str:
    """The modules of a symbol, ``1`` for a bar, as zint draws them."""
    done = subprocess.run(
        ["zint", f"--barcode={kind}", "--dump", f"--data={data}"],
        capture_output=True,
        text=True,
        check=True,
    )
    row = done.stdout.split("\n")[0].replace(" ", "")
    return bin(int("1" + row, 16))[3:].rstrip("0")


@pytest.mark.parametrize("digits", EVEN)
def test_code_128_is_drawn_as_the_reference_draws_it(digits: str) -> None:
    assert code128.bars(digits) == zint(20, digits)


@pytest.mark.parametrize("digits", EANS)
def test_ean_is_drawn_as_the_reference_draws_it(digits: str) -> None:
    assert ean.bars(digits) == zint(13, digits[:-1])


def printed_at_203_dpi(document: Document, profile: str) -> Image.Image:
    """The code as it stands on 58 mm paper: one pixel for each of the printer's dots."""
    job = Encoder(BOOK.profile(profile), BOOK.paper("58mm")).encode(document)
    sheet = Interpreter(dots=384).print_all(job)
    found = [item for item in sheet.printed if isinstance(item, PrintedCode | PrintedPicture)]
    pictures = [item.picture for item in found if item.picture is not None]
    paper = Image.new("L", (384, sum(one.height for one in pictures) + 64))
    top = 32
    for item, picture in zip(found, pictures, strict=True):
        paper.paste(picture, (item.left, top))
        top += picture.height
    return ImageOps.invert(paper)


@pytest.mark.parametrize("profile", ["gb", "raster"])
def test_every_code_is_read_back_dot_for_dot(tmp_path: Path, profile: str) -> None:
    wanted: list[tuple[Barcode | Qr, str, str]] = [
        *((Barcode(digits), "CODE-128", digits) for digits in (*EVEN, *ODD)),
        *((Barcode(digits, Symbology.EAN), f"EAN-{len(digits)}", digits) for digits in EANS),
        (Qr("9900000000"), "QR-Code", "9900000000"),
        (Qr("https://shop.example/r/00990099"), "QR-Code", "https://shop.example/r/00990099"),
    ]
    for block, kind, data in wanted:
        picture = printed_at_203_dpi(Document((block, Cut())), profile)
        assert [found.text for found in zxingcpp.read_barcodes(picture)] == [data], data
        if len(data) <= 2:
            continue  # zbar reads no Code 128 of a single pair
        picture.save(tmp_path / "code.png")
        done = subprocess.run(
            ["zbarimg", "--nodbus", "--quiet", str(tmp_path / "code.png")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == [f"{kind}:{data}"]
