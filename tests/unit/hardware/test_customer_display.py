"""Two lines in a display's own characters, each exactly as wide as the display."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.display.commands import CommandSet, initialise, paint
from hardware.display.port import DisplayLine
from hardware.display.text import fit, transliterate

CODECS = ["ascii", "cp437", "cp850", "cp858", "gbk"]


@pytest.mark.parametrize(
    ("text", "codec", "shown"),
    [
        ("Café crème", "ascii", "Cafe creme"),
        ("Café crème", "cp437", "Café crème"),
        ("¥12.50", "ascii", "Y12.50"),
        ("¥12.50", "cp437", "¥12.50"),
        ("€3", "cp437", "EUR3"),
        ("€3", "cp858", "€3"),
        ("2×A – B", "ascii", "2xA - B"),
        ("“x”…", "ascii", '"x"...'),
        ("Ａ１２", "ascii", "A12"),
        ("可乐 cola", "ascii", "** cola"),
        ("可乐", "gbk", "可乐"),
        ("𠮷", "gbk", "*"),
        ("☕ tea", "ascii", "* tea"),
        ("A\x1b@B\x0c", "ascii", "A*@B "),
        ("a\u202eb", "ascii", "ab"),
    ],
)
def test_what_a_code_page_has_not_is_written_plainly_or_marked(text, codec, shown):
    assert transliterate(text, codec) == shown


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("Total", "12.50", b"Total          12.50"),
        ("A very long name of goods", "12.50", b"A very long na 12.50"),
        ("exactly twenty chars", "", b"exactly twenty chars"),
        ("", "", b" " * 20),
        ("", "7.00", b"                7.00"),
        ("Total", "9" * 20, b"9" * 20),
        ("Total", "9" * 21, b"*" * 20),
    ],
)
def test_the_amount_is_whole_and_the_name_gives_way(left, right, shown):
    assert fit(DisplayLine(left, right), columns=20, codec="ascii") == shown


def test_a_han_character_takes_two_cells_and_is_never_halved():
    line = DisplayLine("农夫山泉水", "2.00")
    assert fit(line, columns=14, codec="gbk").decode("gbk") == "农夫山泉  2.00"
    assert fit(line, columns=15, codec="gbk").decode("gbk") == "农夫山泉水 2.00"


@pytest.mark.parametrize("codec", CODECS)
@given(left=st.text(max_size=30), right=st.text(max_size=24), columns=st.integers(16, 40))
def test_any_text_fills_exactly_its_cells_and_commands_nothing(codec, left, right, columns):
    cells = fit(DisplayLine(left, right), columns=columns, codec=codec)
    assert len(cells) == columns
    assert all(byte >= 0x20 for byte in cells)
    cells.decode(codec)


def test_both_command_sets():
    upper, lower = b"a" * 20, b"b" * 20
    whole_lines = b"\x1bQA" + upper + b"\r\x1bQB" + lower + b"\r"
    placed = b"\x1f$\x01\x01" + upper + b"\x1f$\x01\x02" + lower
    assert paint(CommandSet.CD5220, upper, lower) == whole_lines
    assert paint(CommandSet.EPSON, upper, lower) == placed
    assert initialise(CommandSet.EPSON, "cp858").endswith(b"\x1bt\x13")
