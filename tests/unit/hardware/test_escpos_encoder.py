"""What leaves for the printer, byte by byte where bytes matter."""

import re
from dataclasses import replace

import pytest

from hardware.escpos import code128, commands
from hardware.escpos.charset import double_byte, encode_text
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import CutKind, Profile, built_in_profiles
from hardware.typeface import find_typeface
from shared.errors import EnvironmentFault
from shared.receipt.document import (
    Align,
    Barcode,
    Cut,
    Document,
    Feed,
    Pair,
    Qr,
    Style,
    Text,
)

BOOK = built_in_profiles()
WIDE = BOOK.paper("80mm")
NARROW = BOOK.paper("58mm")


def encode(*blocks: object, profile: str = "gb") -> bytes:
    document = Document(blocks)  # type: ignore[arg-type]  # blocks of any kind
    return Encoder(BOOK.profile(profile), NARROW).encode(document)


def draws_nothing(character: str) -> None:
    return None


def test_chinese_mode_is_selected_once_per_job_before_any_text() -> None:
    job = encode(Text("农夫山泉"), Text("可乐"), Text("cola"), Cut())
    assert job.count(commands.SELECT_CHINESE) == 1
    assert job.index(commands.SELECT_CHINESE) < job.index("农夫山泉".encode("gb18030"))


def test_chinese_leaves_as_gb18030_double_bytes() -> None:
    assert "维达，抽取式（24包）".encode("gb18030") in encode(Text("维达，抽取式（24包）"))


def test_a_job_starts_with_a_reset_and_ends_with_one_cut() -> None:
    job = encode(Text("a"), Cut())
    assert job.startswith(commands.INITIALISE)
    assert job.endswith(commands.cut(partial=True))
    assert job.count(b"\x1dV") == 1


def test_a_printer_without_cutter_feeds_to_the_tear_bar() -> None:
    torn = Encoder(replace(BOOK.profile("gb"), cut=CutKind.NONE), NARROW)
    assert torn.encode(Document((Cut(),))).endswith(commands.FEED_TO_TEAR)


def test_the_yuan_sign_is_the_one_a_chinese_printer_has() -> None:
    assert "￥12.50".encode("gb18030") in encode(Text("¥12.50"))


def test_the_yuan_sign_stays_narrow_on_a_western_printer() -> None:
    assert "¥12.50".encode("cp858") in encode(Text("¥12.50"), profile="latin")


@pytest.mark.parametrize("character", ["𠮷", "🖨", "₩", "\ue000", "ß", "א"])
def test_what_the_printer_does_not_have_is_drawn_inside_the_line(character: str) -> None:
    job = encode(Text(f"a{character}b"))
    assert re.search(rb"a\x1b\*\x21\x18\x00.{72}b\n", job, re.DOTALL)


@pytest.mark.parametrize("character", ["𠮷", "🖨", "\ue000"])
def test_without_a_font_it_is_marked_visibly(character: str) -> None:
    sent = encode_text(f"a{character}b", BOOK.profile("gb"), draws_nothing)
    assert sent == "a〓b".encode("gb18030")


def test_in_large_text_it_is_marked_because_pictures_know_one_height() -> None:
    assert "〓".encode("gb18030") in encode(Text("𠮷野家", style=Style.LARGE))


def test_a_code_page_marks_what_it_lacks() -> None:
    assert encode_text("é中", BOOK.profile("latin"), None) == "é■".encode("cp858")


def test_private_use_characters_are_missing_although_gb18030_has_codes_for_them() -> None:
    assert double_byte("\ue5e5") is None
    assert double_byte("农") == "农".encode("gb18030")


@pytest.mark.parametrize("name", ["\x1b@", "\x1dV\x00", "\x10\x04\x01", "\x1cq", "\x00\x07"])
def test_control_codes_in_text_never_reach_the_printer(name: str) -> None:
    harmless = encode(Text("王王"), Pair("王王", "1"))
    job = encode(Text(f"王{name}王"), Pair(f"王{name}王", "1"))
    assert commands_in(job) == commands_in(harmless)


def commands_in(job: bytes) -> list[bytes]:
    return re.findall(rb"[\x00-\x09\x0b-\x1f].", job)


@pytest.mark.parametrize(
    ("digits", "data"),
    [
        ("9900", b"{C\x63\x00"),
        ("0000", b"{C\x00\x00"),
        ("123", b"{C\x0c{B3"),
        ("7", b"{B7"),
        ("9999999999", b"{C\x63\x63\x63\x63\x63"),
    ],
)
def test_code_128_keeps_every_pair_and_an_odd_last_digit(digits: str, data: bytes) -> None:
    assert code128.escpos_data(digits) == data


def test_native_codes_are_sent_as_data_and_raster_codes_as_pictures() -> None:
    native = encode(Barcode("9900123456"), Qr("https://e.example/1"))
    drawn = encode(Barcode("9900123456"), Qr("https://e.example/1"), profile="raster")
    assert b"\x1dk\x49" in native
    assert b"1P0https://e.example/1" in native
    assert b"\x1dk" not in drawn
    assert b"\x1d(k" not in drawn
    assert b"\x1dv0\x00" in drawn


def test_pictures_go_in_strips_of_at_most_64_rows() -> None:
    strips = commands.picture(b"\xff" * 48 * 150, row_bytes=48)
    heights = [
        int.from_bytes(part[:2], "little") for part in strips.split(b"\x1dv0\x00\x30\x00")[1:]
    ]
    assert heights == [64, 64, 22]


def test_styles_are_switched_off_again_after_their_line() -> None:
    job = encode(Text("A", Align.RIGHT, Style.LARGE), Text("B"))
    on, off = b"\x1ba\x02\x1bE\x01\x1d!\x11A\n", b"\x1ba\x00\x1bE\x00\x1d!\x00B\n"
    assert on + off in job


def test_a_drawer_pulse_names_pin_and_time() -> None:
    assert commands.pulse(pin=2, on_ms=120, off_ms=240) == b"\x1bp\x00\x3c\x78"
    assert commands.pulse(pin=5, on_ms=510, off_ms=510) == b"\x1bp\x01\xff\xff"


def test_the_same_document_gives_the_same_bytes() -> None:
    assert encode(Text("农𠮷"), Feed(2)) == encode(Text("农𠮷"), Feed(2))


def test_printing_text_as_pictures_without_a_font_says_what_to_install(tmp_path: object) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        find_typeface(())
    assert caught.value.code == "no-receipt-font"


def test_every_profile_and_paper_encodes() -> None:
    document = Document((Text("农夫 ¥1"), Barcode("123456"), Qr("x"), Feed(1), Cut()))
    for profile in BOOK.profiles.values():
        for paper in BOOK.papers.values():
            assert Encoder(profile, paper).encode(document)


def test_profiles_are_values() -> None:
    assert isinstance(BOOK.profile("gb"), Profile)
    assert BOOK.profile("gb") == built_in_profiles().profile("gb")


def test_a_line_encoded_as_a_whole_is_the_same_as_character_by_character() -> None:
    """GBK, by which whole lines go, gives every character the double byte that it has alone."""
    for code in (*range(0x20, 0xD800), *range(0xE000, 0x1_0000)):
        character = chr(code)
        try:
            whole = character.encode("gbk")
        except UnicodeEncodeError:
            continue
        assert double_byte(character) == whole, hex(code)
