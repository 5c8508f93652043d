"""Bytes from a serial line become codes: whole, in order, and never glued together."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.ports import ScanData, ScanQuality
from hardware.scanner.aim import split_identifier
from hardware.scanner.framing import CODE_BYTES_MAX, Ending, Framer, Framing

EAN = "6901234567892"


def framer(**changes: object) -> Framer:
    return Framer(Framing(**changes), "serial")  # type: ignore[arg-type]  # as named


def texts(scans: list[ScanData]) -> list[str]:
    return [scan.text for scan in scans]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_every_line_ending_ends_one_code(ending: bytes) -> None:
    assert texts(framer().feed(EAN.encode() + ending, 0.0)) == [EAN]


def test_fragments_are_put_together() -> None:
    frames = framer()
    assert frames.feed(b"69012", 0.0) == []
    assert frames.feed(b"34567", 0.1) == []
    assert texts(frames.feed(b"892\r", 0.2)) == [EAN]


def test_two_codes_in_one_read_are_two_codes() -> None:
    assert texts(framer().feed(b"111\r\n222\r\n", 0.0)) == ["111", "222"]


def test_the_same_code_twice_within_a_second_is_two_goods() -> None:
    frames = framer()
    assert texts(frames.feed(b"111\r", 0.0) + frames.feed(b"111\r", 0.3)) == ["111", "111"]


def test_repeats_are_dropped_only_where_that_is_set() -> None:
    frames = framer(repeat_s=0.5)
    scans = frames.feed(b"111\r", 0.0) + frames.feed(b"111\r", 0.3) + frames.feed(b"111\r", 0.9)
    assert texts(scans) == ["111", "111"]


def test_without_ending_a_pause_ends_the_code() -> None:
    frames = framer(ending=Ending.IDLE)
    assert frames.feed(b"690123", 0.0) == []
    assert frames.tick(0.04) == []
    assert texts(frames.tick(0.06)) == ["690123"]


def test_a_code_that_stops_in_the_middle_is_damaged_and_not_glued_to_the_next() -> None:
    frames = framer()
    frames.feed(b"69012", 0.0)
    scans = frames.feed(EAN.encode() + b"\r", 2.0)
    assert [scan.quality for scan in scans] == [ScanQuality.DAMAGED, ScanQuality.WHOLE]
    assert texts(scans) == ["", EAN]


def test_control_noise_is_dropped_and_gs1_separators_are_kept() -> None:
    assert texts(framer().feed(b"\x00\x02691\x03\x1d12\x7f\r", 0.0)) == ["691\x1d12"]


def test_bytes_in_no_encoding_are_a_damaged_scan() -> None:
    (scan,) = framer().feed(b"69\xff\xff01\r", 0.0)
    assert scan.quality is ScanQuality.DAMAGED


def test_chinese_in_a_qr_code_is_read_as_utf_8_or_gb18030() -> None:
    frames = framer()
    assert texts(frames.feed("会员卡\r".encode(), 0.0)) == ["会员卡"]
    assert texts(frames.feed("会员卡\r".encode("gb18030"), 1.0)) == ["会员卡"]


def test_endless_noise_costs_no_memory_and_is_one_damaged_scan() -> None:
    frames = framer()
    for _ in range(100):
        frames.feed(b"9" * 1000, 0.0)
    (scan,) = frames.feed(b"\r", 0.0)
    assert scan.quality is ScanQuality.DAMAGED
    assert texts(frames.feed(b"1" * CODE_BYTES_MAX + b"\r", 0.1)) == ["1" * CODE_BYTES_MAX]


@given(
    codes=st.lists(st.text("0123456789", min_size=1, max_size=30), max_size=6),
    cuts=st.lists(st.integers(0, 200), max_size=10),
)
@settings(max_examples=200, deadline=None)
def test_however_the_stream_is_cut_the_codes_are_the_same(
    codes: list[str], cuts: list[int]
) -> None:
    stream = "".join(code + "\r\n" for code in codes).encode()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames = framer()
    scans = []
    for start, end in pairwise(edges):
        scans += frames.feed(stream[start:end], 0.0)
    assert texts(scans) == codes


@pytest.mark.parametrize(
    ("raw", "text", "symbology"),
    [
        ("]E06901234567892", "6901234567892", "EAN-13"),
        ("]E412345670", "12345670", "EAN-8"),
        ("]C10100012345678905", "0100012345678905", "GS1-128"),
        ("]Q1https://e.example", "https://e.example", "QR"),
        ("]d2010001", "010001", "GS1 Data Matrix"),
        ("690123", "690123", None),
        ("]", "]", None),
        ("]?1abc", "]?1abc", None),
        ("]B1abc", "]B1abc", None),
    ],
)
def test_aim_identifiers_are_stripped_and_named(raw: str, text: str, symbology: object) -> None:
    assert split_identifier(raw) == (text, symbology)


def test_a_scan_keeps_its_text_out_of_logs() -> None:
    assert "134567890123456789" not in repr(ScanData("134567890123456789", None, "serial"))
