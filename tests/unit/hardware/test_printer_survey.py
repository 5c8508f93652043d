"""The guided test ends with the right profile, whatever printer it meets."""

from dataclasses import dataclass, field, replace

import pytest

from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import Profile, built_in_profiles, read_profiles
from hardware.paper.firmware import ANSWERED, COMPLETE, Firmware
from hardware.paper.interpreter import Interpreter
from hardware.paper.sheet import PrintedPicture
from hardware.paper.text import sheet_text
from hardware.printer.transport import TcpTransport
from hardware.simulators.printer import PrinterSimulator
from hardware.survey.abilities import StatusAbilities, ask_printer
from hardware.survey.course import Survey
from hardware.survey.findings import PROFILE_NAME, profile_text
from shared.receipt.document import Barcode, Cut, Document, Qr, Text
from tests.support.paper_eye import look

BOOK = built_in_profiles()
SPEAKS = StatusAbilities(real_time=True, automatic=True, paper=True, echo=True)
WESTERN = replace(COMPLETE, chinese=False)


@dataclass(frozen=True)
class Met:
    """A printer, and what the test must find."""

    name: str
    firmware: Firmware
    dots: int
    abilities: StatusAbilities = SPEAKS
    expected: dict[str, object] = field(default_factory=dict)


PRINTERS = (
    Met("gb on 80 mm", COMPLETE, 576, expected={
        "text": "gb18030", "paper": "80mm", "cut": "partial", "barcode": "native", "qr": "native",
        "missing": "picture", "answers": "always", "confirm": "gs-h", "ask_by": "dle-eot",
        "blank_first_line": False}),
    Met("gb on 58 mm without knife, codes and pictures in lines", replace(
        COMPLETE, cuts=frozenset(), ignores=frozenset({"GS k", "GS (k", "ESC *"})), 384,
        abilities=replace(SPEAKS, echo=False), expected={
        "text": "gb18030", "paper": "58mm", "cut": "none", "barcode": "raster", "qr": "raster",
        "missing": "mark", "confirm": "gs-r"}),
    Met("gb that obeys from the next line on", replace(COMPLETE, chinese_late=True), 512, expected={
        "text": "gb18030", "paper": "80mm-narrow", "blank_first_line": True}),
    Met("latin with Epson's code pages and a knife that cuts through", replace(
        WESTERN, cuts=frozenset({"full"})), 576, expected={
        "text": "codepage", "codec": "cp858", "code_page": 19, "cut": "full"}),
    Met("latin with code pages of its own, without QR", replace(
        WESTERN, code_pages={0: "cp437", 14: "cp858"}, ignores=frozenset({"GS (k"})),
        384, expected={
        "text": "codepage", "codec": "cp858", "code_page": 14, "paper": "58mm", "qr": "raster",
        "barcode": "native"}),
    Met("latin of Windows alone", replace(WESTERN, code_pages={16: "cp1252"}), 576, expected={
        "text": "codepage", "codec": "cp1252", "code_page": 16}),
    Met("pictures alone on 58 mm", replace(WESTERN, code_pages={}), 384, expected={
        "text": "raster", "paper": "58mm"}),
    Met("pictures alone on 80 mm", replace(WESTERN, code_pages={}), 576, expected={
        "text": "raster", "paper": "80mm"}),
    Met("one way", COMPLETE, 576, StatusAbilities(), {
        "answers": "never", "confirm": "none", "text": "gb18030"}),
    Met("automatic status alone", COMPLETE, 576, StatusAbilities(automatic=True), {
        "answers": "always", "ask_by": "asb", "confirm": "none"}),
)  # fmt: skip


def surveyed(met: Met) -> Profile:
    """The profile as the till reads it back from the file."""
    survey = Survey(met.abilities)
    while (question := survey.question()) is not None:
        paper = Interpreter(dots=met.dots, firmware=met.firmware)
        survey.answer(look(question, paper.print_all(question.page)))
    text = profile_text(survey.findings, tested_at="2026-11-27")
    return read_profiles(text, source="tested", base=BOOK).profile(PROFILE_NAME)


@pytest.mark.parametrize("met", PRINTERS, ids=lambda met: met.name)
def test_the_right_profile_is_found_and_prints_right_on_that_printer(met: Met) -> None:
    profile = surveyed(met)
    assert {name: getattr(profile, name) for name in met.expected} == met.expected

    document = Document((Text("农夫山泉 ￥3 €"), Barcode("9900123456"), Qr("e.example"), Cut()))
    job = Encoder(profile, BOOK.paper(profile.paper)).encode(document)
    sheet = Interpreter(dots=met.dots, firmware=met.firmware).print_all(job)
    assert (sheet.overfull, sheet.unknown, sheet.malformed) == (0, [], [])
    assert sheet.cuts == (profile.cut != "none")
    shown = sheet_text(sheet)
    if profile.text == "gb18030":
        assert "农夫山泉 ￥3" in shown
    elif profile.text == "codepage":
        assert "■■■■ ¥3 €" in shown or "#### ¥3 €" in shown
    else:
        assert any(isinstance(item, PrintedPicture) for item in sheet.printed)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (ANSWERED, SPEAKS),
        (frozenset(), StatusAbilities()),
        (frozenset({"GS a"}), StatusAbilities(automatic=True)),
        (frozenset({"DLE EOT", "GS r"}), StatusAbilities(real_time=True, paper=True)),
    ],
)
def test_the_printer_itself_is_asked_what_it_answers(
    answers: frozenset[str], expected: StatusAbilities
) -> None:
    with PrinterSimulator(firmware=replace(COMPLETE, answers=answers)) as printer:
        found = ask_printer(TcpTransport(printer.host, printer.port), wait_s=0.2)
        assert (found, printer.jobs, printer.pulses) == (expected, (), [])
