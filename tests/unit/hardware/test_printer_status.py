"""Status bytes: silence and noise mean that nothing is known.

Judge: the bit tables of the Epson ESC/POS command reference, written out below as they stand there.
"""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.escpos.answers import AnswerReader
from hardware.escpos.status import (
    PrinterStatus,
    is_paper_out,
    read_automatic_status,
    read_status,
)

# Bit 7 first; 0 and 1 are fixed, a letter is a bit that means something, x one that does not.
REAL_TIME = {
    1: ("0xx1od10", {"o": "is_offline", "d": "drawer_pin_high"}),
    2: ("0xx1xc10", {"c": "is_cover_open"}),
    3: ("0ee1ee10", {"e": "has_error"}),
    4: ("0oo1ll10", {"o": "is_paper_out", "l": "is_paper_low"}),
}
PLAIN = "0xx0ooll"
AUTOMATIC = (
    ("0xc1od00", {"c": "is_cover_open", "o": "is_offline", "d": "drawer_pin_high"}),
    ("0ee0eexx", {"e": "has_error"}),
    ("0xx0ooll", {"o": "is_paper_out", "l": "is_paper_low"}),
    ("0xx0xxxx", {}),
)


def bits(byte: int) -> str:
    return f"{byte:08b}"


def fits(byte: int, pattern: str) -> bool:
    return all(
        sign not in "01" or sign == bit for sign, bit in zip(pattern, bits(byte), strict=True)
    )


def is_set(byte: int, pattern: str, letter: str) -> bool:
    return any(sign == letter and bit == "1" for sign, bit in zip(pattern, bits(byte), strict=True))


@pytest.mark.parametrize("kind", REAL_TIME)
def test_all_256_values_of_each_real_time_status_mean_what_the_reference_says(kind: int) -> None:
    pattern, meanings = REAL_TIME[kind]
    known = 0
    for byte in range(256):
        heard = AnswerReader()
        heard.feed(bytes([byte]))
        assert bool(heard.real_time) is fits(byte, pattern), bits(byte)
        told = read_status(dict.fromkeys([kind] * len(heard.real_time), byte))
        for letter, name in meanings.items():
            expected = is_set(byte, pattern, letter) if fits(byte, pattern) else None
            assert getattr(told, name) is expected, (bits(byte), name)
        known += bool(heard.real_time)
    assert known == 16


def test_all_256_values_of_the_paper_answer_mean_what_the_reference_says() -> None:
    for byte in range(256):
        heard = AnswerReader()
        heard.feed(bytes([byte]))
        assert bool(heard.paper) is fits(byte, PLAIN), bits(byte)
        if heard.paper:
            assert is_paper_out(byte) is is_set(byte, PLAIN, "o"), bits(byte)


@pytest.mark.parametrize("place", range(4))
def test_all_256_values_of_each_automatic_status_byte_mean_what_the_reference_says(
    place: int,
) -> None:
    pattern, meanings = AUTOMATIC[place]
    for byte in range(256):
        block = bytearray(b"\x10\x00\x00\x00")
        block[place] = byte
        heard = AnswerReader()
        heard.feed(bytes(block))
        is_flow_control = byte in (0x11, 0x13)
        assert (heard.automatic == [bytes(block)]) is fits(byte, pattern), bits(byte)
        if is_flow_control or not heard.automatic:
            continue
        told = read_automatic_status(heard.automatic[0])
        for letter, name in meanings.items():
            assert getattr(told, name) is is_set(byte, pattern, letter), (bits(byte), name)


def test_silence_says_nothing_at_all() -> None:
    assert read_status({}) == PrinterStatus()
    assert PrinterStatus().can_print is None
    assert not PrinterStatus().is_known


def test_a_ready_printer_can_print_and_each_trouble_keeps_it_from_printing() -> None:
    ready = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
    assert read_status(ready).can_print is True
    for kind, byte in ((1, 0x1A), (2, 0x16), (3, 0x1A), (4, 0x72)):
        assert read_status({**ready, kind: byte}).can_print is False
    low = read_status({**ready, 4: 0x1E})
    assert (low.is_paper_low, low.can_print) == (True, True)


ANSWERS = {
    b"\x12": "real_time",
    b"\x1a": "real_time",
    b"\x00": "paper",
    b"\x0c": "paper",
    b"\x14\x00\x0f\x00": "automatic",
    b"\x37\x220042\x00": "echoes",
}
NOISE = st.sampled_from([b"\x11", b"\x13", b"\xff", b"\x80", b"\x93"])


@given(
    st.lists(st.one_of(st.sampled_from(sorted(ANSWERS)), NOISE), max_size=12),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_answers_are_told_apart_however_they_are_cut_and_whatever_noise_is_between(
    sent: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(sent)
    heard = AnswerReader()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        heard.feed(stream[start:end])
    kinds = [ANSWERS[item] for item in sent if item in ANSWERS]
    for kind in ("real_time", "paper", "automatic", "echoes"):
        assert len(getattr(heard, kind)) == kinds.count(kind)


def test_the_last_bytes_of_an_automatic_status_are_not_taken_for_the_paper_answer() -> None:
    heard = AnswerReader()
    heard.feed(b"\x10\x00\x00\x00")
    assert (heard.paper, len(heard.automatic)) == ([], 1)


def test_an_echo_counts_only_when_it_is_complete() -> None:
    heard = AnswerReader()
    heard.feed(b"\x37\x22004")
    assert heard.echoes == []
    heard.feed(b"2\x00")
    assert heard.echoes == [b"0042"]
