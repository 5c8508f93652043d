"""Others read our print jobs: npos and iconv-lite the bytes, zbar and ZXing the codes."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import png, save_picture
from hardware.paper.text import sheet_text
from shared.receipt.builder import receipt_of
from shared.receipt.document import Barcode, Cut, Document, Qr, Symbology, Text
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import Fact
from tests.unit.receipt.sample_facts import ALL_FACTS, SALE, issue

BOOK = built_in_profiles()
Judge = Callable[[bytes], "object"]
CODES = ["9900123456789012", "0000000000", "99", "001", "8600123456781234", "25000123456789"]


def encode(document: Document, profile: str = "gb", paper: str = "58mm") -> bytes:
    return Encoder(BOOK.profile(profile), BOOK.paper(paper)).encode(document)


def paper_of(fact: Fact, language: PaperLanguage = PaperLanguage.BOTH) -> Document:
    document = receipt_of(fact, issue(language, copy=1))
    assert document is not None
    return document


def test_npos_finds_one_reset_one_chinese_mode_and_one_cut(judge: Judge) -> None:
    names = [name for name, _ in judge(encode(paper_of(SALE))).commands]  # type: ignore[attr-defined]  # a Judged
    assert [names.count(name) for name in ("ESC @", "FS &", "GS V")] == [1, 1, 1]
    assert names[-1] == "GS V"


def test_npos_finds_nothing_of_a_hostile_name_but_text(judge: Judge) -> None:
    def commands(name: str) -> object:
        return judge(encode(Document((Text(name), Cut())))).commands  # type: ignore[attr-defined]  # a Judged

    assert commands("王\x1b@\x1dV\x00\x10\x04\x01\x1c.小\u202e明") == commands("王小明")


@pytest.mark.parametrize("digits", CODES)
def test_the_printers_own_barcode_gets_pairs_that_spell_the_digits(
    judge: Judge, digits: str
) -> None:
    found = judge(encode(Document((Barcode(digits), Cut()))))
    (sent,) = (bytes.fromhex(hexed) for name, hexed in found.commands if name == "GS k")  # type: ignore[attr-defined]  # a Judged
    assert sent[:2] == bytes([73, len(sent) - 2])
    pairs, _, last = sent[2:].removeprefix(b"{C").partition(b"{B")
    assert "".join(f"{pair:02d}" for pair in pairs) + last.decode() == digits


def zbar(path: Path) -> list[str]:
    done = subprocess.run(
        ["zbarimg", "--nodbus", "--quiet", str(path)], capture_output=True, text=True, check=False
    )
    return sorted(done.stdout.split())


def zxing(path: Path) -> list[str]:
    with Image.open(path) as picture:
        return sorted(found.text for found in zxingcpp.read_barcodes(picture))


@pytest.mark.parametrize("profile", ["gb", "raster"])
@pytest.mark.parametrize("digits", CODES)
def test_zbar_and_zxing_read_the_barcode_from_the_paper(
    tmp_path: Path, profile: str, digits: str
) -> None:
    picture = tmp_path / "paper.png"
    sheet = Interpreter(dots=384).print_all(encode(Document((Barcode(digits), Cut())), profile))
    save_picture(sheet, picture)
    assert zxing(picture) == [digits]
    if len(digits) > 2:  # zbar reads no Code 128 of a single pair
        assert zbar(picture) == [f"CODE-128:{digits}"]


@pytest.mark.parametrize("profile", ["gb", "raster"])
@pytest.mark.parametrize("digits", ["6901285991219", "0012345678905", "96385074", "00123457"])
def test_zbar_and_zxing_read_the_ean_from_the_paper(
    tmp_path: Path, profile: str, digits: str
) -> None:
    picture = tmp_path / "paper.png"
    document = Document((Barcode(digits, Symbology.EAN), Cut()))
    save_picture(Interpreter(dots=384).print_all(encode(document, profile)), picture)
    assert zxing(picture) == [digits]
    assert zbar(picture) == [f"EAN-{len(digits)}:{digits}"]


@pytest.mark.parametrize("profile", ["gb", "raster"])
@pytest.mark.parametrize("data", ["https://shop.example/r/0123456789", "会员 王**", "x" * 300])
def test_zbar_and_zxing_read_the_qr_code_from_the_paper(
    tmp_path: Path, profile: str, data: str
) -> None:
    picture = tmp_path / "paper.png"
    sheet = Interpreter(dots=384).print_all(encode(Document((Qr(data), Cut())), profile))
    assert sheet.overfull == 0
    save_picture(sheet, picture)
    assert zxing(picture) == [data]
    assert zbar(picture)[0].startswith("QR-Code:")


@pytest.mark.parametrize("paper", ["58mm", "80mm-narrow", "80mm"])
@pytest.mark.parametrize("profile", ["gb", "gb-epson", "latin", "raster"])
@pytest.mark.parametrize("fact", ALL_FACTS, ids=lambda fact: fact.kind)
def test_every_paper_fits_every_printer_and_is_cut_once(
    fact: Fact, profile: str, paper: str
) -> None:
    job = encode(paper_of(fact), profile, paper)
    sheet = Interpreter(dots=BOOK.paper(paper).dots).print_all(job)
    assert (sheet.overfull, sheet.unknown, sheet.malformed, sheet.not_drawn) == (0, [], [], [])
    assert (sheet.cuts, sheet.truncated, sheet.pulses) == (1, b"", [])


def test_all_codes_of_a_whole_receipt_are_read_back(tmp_path: Path) -> None:
    picture = tmp_path / "paper.png"
    save_picture(Interpreter(dots=384).print_all(encode(paper_of(SALE))), picture)
    assert zbar(picture) == [
        "CODE-128:250012345678901",
        "CODE-128:990001000123",
        "QR-Code:https://invoice.example/?n=990001000123&c=069764043391&t=68.90",
        "QR-Code:https://shop.example/r/990001000123/069764043391",
    ]


def foreign_job() -> bytes:
    """Made by python-escpos, with all its habits."""
    from escpos.printer import Dummy  # noqa: PLC0415 - slow to import, needed here alone

    printer = Dummy()
    printer.hw("INIT")
    printer.set(align="center", bold=True, double_height=True, double_width=True)
    printer.text("EVERGREEN\n")
    printer.set(align="left", bold=False, normal_textsize=True)
    printer.text("Café crème  3.50\n")
    printer._raw("可乐 3.00\n".encode("gb18030"))
    printer.barcode("{B12345678", "CODE128", function_type="B", check=False)
    printer.qr("https://shop.example/r/1", native=True)
    printer.image(Image.new("1", (64, 16)))
    printer.cut()
    return bytes(printer.output)


def test_a_job_of_python_escpos_is_understood(tmp_path: Path) -> None:
    sheet = Interpreter(dots=384, chinese_at_start=True).print_all(foreign_job())
    shown = sheet_text(sheet)
    assert "EVERGREEN" in shown
    assert "可乐 3.00" in shown
    assert "[CODE128 12345678]" in shown
    assert "[QR https://shop.example/r/1]" in shown
    assert re.search(r"\[picture 64×16\]", shown)
    assert sheet.unknown == []
    assert sheet.cuts == 1
    (tmp_path / "paper.png").write_bytes(png(sheet))
    assert "https://shop.example/r/1" in zxing(tmp_path / "paper.png")


def test_western_letters_of_python_escpos_are_read_in_their_code_page() -> None:
    sheet = Interpreter(dots=384).print_all(foreign_job())
    assert "Café crème  3.50" in sheet_text(sheet)
