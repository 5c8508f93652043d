"""Receipts of every kind, language and width, read by others.

Judges: npos with iconv-lite for the bytes, the system's iconv for the widths.
"""

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from hardware.escpos.charset import GB_SUBSTITUTES
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.text import SKETCH_SIGN, sheet_text
from shared.receipt.builder import receipt_of
from shared.receipt.document import Barcode, Cut, Document, Pair, Qr, Text
from shared.receipt.layout import Grid, Line, lay_out, plain_text
from shared.receipt.voice import PaperLanguage
from tests.support.every_fact import all_facts
from tests.support.every_spending import spending_facts
from tests.support.taxed_cards import taxed_card_facts
from tests.unit.receipt.sample_facts import ALL_FACTS, MEMBER, SALE, issue, loose_papers

BOOK = built_in_profiles()
PAPERS = ("58mm", "80mm-narrow", "80mm")
SPECIAL = "¥£é“”×—€ß😀👨‍👩‍👧𠮷𠀀𪚥〓½①"
LONG_NAMES = (
    "超" * 40,
    "x" * 40,
    "维达Vinda超韧三层抽取式面巾纸家庭装二十四包整箱限量版新年礼盒装红",
    "é" * 40,
)
HOSTILE = (
    "\x1b@\x1dV\x00王", "\x10\x14\x01\x00\x01", "\u202e王明\u2066", "\x00\x07\x1b",
    "王\n\n\x1dk\x04123\x00",
    "\ud800王",
)  # fmt: skip


def documents(language: PaperLanguage) -> list[Document]:
    """Every kind of paper there is, with everything that samples know to show."""
    printing = issue(language, copy=1)
    facts = (*ALL_FACTS, *all_facts(), *spending_facts(), *taxed_card_facts())
    made = [receipt_of(fact, printing) for fact in facts]
    return [*(document for document in made if document is not None), *loose_papers(printing)]


def encoder(profile: str, paper: str) -> Encoder:
    return Encoder(BOOK.profile(profile), BOOK.paper(paper))


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("language", PaperLanguage)
def test_npos_reads_all_of_them_and_no_line_is_wider_than_the_paper(
    judge: Callable[[bytes], object], paper: str, language: PaperLanguage
) -> None:
    grid = BOOK.profile("gb").grid(BOOK.paper(paper))
    expected: list[str] = []
    lines: list[Line] = []
    job, codes = b"", []
    papers = documents(language)
    assert len(papers) >= 30
    for document in papers:
        job += encoder("gb", paper).encode(document)
        for piece in lay_out(document, grid):
            if isinstance(piece, Line):
                expected.append(piece.text.translate(GB_SUBSTITUTES))
                lines.append(piece)
            elif isinstance(piece, Barcode):
                expected.append(piece.digits)
            elif isinstance(piece, Qr):
                codes.append(piece.data)
    found = judge(job)
    assert found.error is None  # type: ignore[attr-defined]  # a Judged
    assert found.text.split("\n")[:-1] == expected  # type: ignore[attr-defined]  # a Judged
    names = [name for name, _ in found.commands]  # type: ignore[attr-defined]  # a Judged
    assert (names.count("GS V"), names.count("ESC p")) == (len(papers), 0)
    sent = [bytes.fromhex(hexed) for name, hexed in found.commands if name == "GS (k"]  # type: ignore[attr-defined]  # a Judged
    stored = [data[5:] for data in sent if data[2:5] == b"1P0"]
    assert [data.decode() for data in stored] == codes

    texts = "\n".join(line.text.translate(GB_SUBSTITUTES) for line in lines)
    told = subprocess.run(
        ["iconv", "-f", "utf-8", "-t", "gb18030"],
        input=texts.encode(),
        capture_output=True,
        check=True,
    )
    widths = [len(line) for line in told.stdout.split(b"\n")]
    assert len(widths) == len(lines)
    too_wide = [
        line.text
        for line, width in zip(lines, widths, strict=True)
        if width * line.style.width_factor > grid.columns
    ]
    assert too_wide == []


@pytest.mark.parametrize("profile", ["gb", "latin", "raster"])
def test_no_character_is_silently_a_question_mark(profile: str) -> None:
    kind = BOOK.profile(profile)
    substitutes = {"¥": "￥", "£": "￡"} if profile == "gb" else {"“": '"', "”": '"', "—": "-"}
    for character in SPECIAL:
        job = encoder(profile, "58mm").encode(Document((Text(f"a{character}b"), Cut())))
        shown = sheet_text(Interpreter(dots=384).print_all(job)).splitlines()[0].replace(" ", "")
        if profile == "raster":
            assert shown.startswith("[picture"), character
            continue
        middle = shown.removeprefix("a").removesuffix("b")
        if character == "\u200d":
            assert middle == "", "a joiner has no shape of its own"
            continue
        drawn = {SKETCH_SIGN} if kind.text == "gb18030" else {"■", "#"}
        assert middle in {character, substitutes.get(character, character)} | drawn, character
        assert "?" not in middle
        assert "\ufffd" not in middle


@pytest.mark.parametrize("name", LONG_NAMES)
def test_a_name_of_forty_characters_is_printed_to_its_end(name: str) -> None:
    for columns in (32, 42, 48):
        text = plain_text(Document((Pair(name, "1.00"), Text(name))), Grid(columns))
        flat = "".join(text.split())
        assert flat.replace("1.00", "").count(name) == 2, text


@pytest.mark.parametrize("profile", ["gb", "latin"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_member_name_changes_nothing_but_the_name(profile: str, name: str) -> None:
    def parts(member: str) -> tuple[list[str], list[int], int, list[str]]:
        face = replace(MEMBER, name=member)
        document = receipt_of(SALE, replace(issue(PaperLanguage.BOTH), member=face))
        assert document is not None
        job = encoder(profile, "58mm").encode(document)
        sheet = Interpreter(dots=384).print_all(job)
        odd = [*map(str, sheet.unknown), *map(str, sheet.malformed), *sheet.not_drawn]
        lines = [line for line in sheet_text(sheet).splitlines() if "Member " not in line]
        return lines, sheet.pulses, sheet.cuts, odd

    assert parts(name) == parts("王小明")
