"""The virtual printer prints what the bytes say, also where they are wrong."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import png, save_picture, sheet_picture
from hardware.paper.sheet import Sheet
from hardware.paper.text import sheet_text
from hardware.paper.tokens import Command, Tokeniser, Unknown

CHINESE = b"\x1c&"


def paper(data: bytes, *, dots: int = 384, chinese_at_start: bool = False) -> Sheet:
    return Interpreter(dots=dots, chinese_at_start=chinese_at_start).print_all(data)


def test_chinese_shows_only_if_chinese_mode_was_selected() -> None:
    text = "农夫山泉\n".encode("gb18030")
    assert sheet_text(paper(CHINESE + text)) == "农夫山泉\n"
    assert "农" not in sheet_text(paper(text))
    assert sheet_text(paper(text, chinese_at_start=True)) == "农夫山泉\n"


def test_a_reset_leaves_chinese_mode() -> None:
    assert "农" not in sheet_text(paper(CHINESE + b"\x1b@" + "农\n".encode("gb18030")))


def test_a_line_wider_than_the_paper_goes_on_in_the_next_row_and_is_counted() -> None:
    sheet = paper(b"x" * 33 + b"\n")
    assert sheet.overfull == 1
    assert sheet_text(sheet) == "x" * 32 + "\nx\n"


def test_alignment_is_shown_as_spaces() -> None:
    assert sheet_text(paper(b"\x1ba\x02ab\n\x1ba\x01ab\n")) == " " * 30 + "ab\n" + " " * 15 + "ab\n"


def test_double_width_takes_twice_the_cells() -> None:
    assert paper(b"\x1d!\x10" + b"x" * 17 + b"\n").overfull == 1


def test_unknown_bytes_are_reported_and_do_not_stop_the_print() -> None:
    sheet = paper(b"a\x1b\xfe\x1f\nb\n")
    assert sheet.unknown == [b"\x1b\xfe", b"\x1f"]
    assert sheet_text(sheet) == "a\nb\n"


def test_a_stream_that_ends_inside_a_command_says_so() -> None:
    assert paper(b"a\n\x1dv0\x00\x30").truncated == b"\x1dv0\x00\x30"


def test_drawer_pulses_are_kept_apart_from_paper() -> None:
    sheet = paper(b"\x1bp\x00\x3c\x78\x1bp\x01\x3c\x78")
    assert sheet.pulses == [2, 5]
    assert sheet_text(sheet) == ""


def test_a_picture_is_as_large_as_its_paper(tmp_path: Path) -> None:
    sheet = paper(CHINESE + "农夫山泉\n".encode("gb18030"))
    save_picture(sheet, tmp_path / "paper.png")
    with Image.open(tmp_path / "paper.png") as picture:
        assert picture.width == (384 + 64) * 2
        assert picture.getextrema()[0] < 64


def test_an_empty_sheet_is_blank_paper() -> None:
    assert sheet_picture(paper(b"")).getextrema() == (255, 255)


@given(data=st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_no_stream_of_bytes_breaks_the_printer(data: bytes) -> None:
    sheet = paper(data)
    assert isinstance(sheet_text(sheet), str)


@given(st.lists(st.sampled_from([b"\x1d", b"\x1b", b"(L", b"(k", b"v0", b"*", b"k", b"V", b"\x00",
    b"\x01", b"\x02\x00", b"1", b"0", b"p", b"P0", b"Q0", b"I", b"{C", b"{", b"a", b"\xff", b"\n",
    b"8L", b"$", b"!", b"\x1c&", b"\x10\x04", b"\x10\x14"]), max_size=40))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_no_mutilated_command_breaks_the_printer_or_its_picture(parts: list[bytes]) -> None:
    sheet = paper(b"".join(parts))
    assert sheet_text(sheet) is not None
    assert png(sheet).startswith(b"\x89PNG")


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=300, deadline=None)
def test_tokens_are_the_same_however_the_stream_arrives(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Tokeniser(), Tokeniser()
    at_once = b"".join(token.source for token in whole.feed(data))
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    in_parts = b"".join(
        token.source for start, end in pairwise(edges) for token in pieces.feed(data[start:end])
    )
    assert in_parts == at_once
    assert pieces.pending == whole.pending


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x1b@", "ESC @"),
        (b"\x1dV\x42\x00", "GS V"),
        (b"\x1dV\x00", "GS V"),
        (b"\x10\x04\x01", "DLE EOT"),
        (b"\x1d(k\x03\x001Q0", "GS (k"),
        (b"\x1dk\x04AB\x00", "GS k"),
        (b"\x1dk\x49\x04{C\x01\x02", "GS k"),
    ],
)
def test_commands_are_cut_at_their_length(data: bytes, name: str) -> None:
    tokens = Tokeniser().feed(data + b"after")
    assert isinstance(tokens[0], Command)
    assert (tokens[0].name, tokens[0].source) == (name, data)


def test_an_unknown_pair_is_not_waited_for() -> None:
    assert Tokeniser().feed(b"\x1b\xfe") == [Unknown(b"\x1b\xfe")]


@pytest.mark.parametrize(
    "command",
    [
        b"\x1dv0\x00\x00\x00\x05\x00",
        b"\x1dv0\x00\x05\x00\x00\x00",
        b"\x1d(L\x00\x00",
        b"\x1d(L\x0c\x000p01112\xff\xff\xff\xff\x00\x00",
        b"\x1d(k\x02\x001C",
        b"\x1b*\x21\x00\x00",
        b"\x1d(k" + (4003).to_bytes(2, "little") + b"1P0" + b"\xff" * 4000 + b"\x1d(k\x03\x001Q0",
    ],
)
def test_a_command_with_senseless_parameters_is_kept_and_prints_nothing(command: bytes) -> None:
    sheet = paper(b"a\n" + command + b"b\n")
    assert len(sheet.malformed) == 1
    assert sheet_text(sheet) == "a\nb\n"
    assert png(sheet)
