"""Status bytes: silence and noise mean that nothing is known."""

from hardware.escpos.status import (
    first_status_byte,
    has_echo,
    is_real_time_status,
    read_paper_answer,
    read_status,
)


def test_exactly_the_bytes_with_the_fixed_bits_right_are_status_bytes() -> None:
    valid = [byte for byte in range(256) if is_real_time_status(byte)]
    assert len(valid) == 16
    assert all(byte & 0x93 == 0x12 for byte in valid)


def test_noise_flow_control_and_echo_are_passed_over() -> None:
    assert first_status_byte(b"\x11\x13\xff\x00A\x1a") == 0x1A
    assert first_status_byte(b"\x11\x13\xff") is None
    assert first_status_byte(b"") is None


def test_silence_says_nothing_at_all() -> None:
    status = read_status({})
    assert status.can_print is None
    assert not status.is_known
    assert status.is_paper_out is None


def test_a_ready_printer_can_print() -> None:
    status = read_status({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12})
    assert status.can_print is True


def test_each_trouble_is_told_apart() -> None:
    assert read_status({1: 0x1A, 2: 0x16}).is_cover_open
    assert read_status({1: 0x1A, 4: 0x72}).is_paper_out
    assert read_status({1: 0x1A, 3: 0x1A}).has_error
    low = read_status({1: 0x12, 4: 0x1E})
    assert low.is_paper_low
    assert low.can_print


def test_the_answer_to_gs_r_tells_paper_from_its_end_and_noise_from_both() -> None:
    assert read_paper_answer(b"\x00") is False
    assert read_paper_answer(b"\x0c") is True
    assert read_paper_answer(b"\x12\xff") is None
    assert read_paper_answer(b"\x12\x00") is False


def test_only_the_jobs_own_number_confirms_it() -> None:
    assert has_echo(b"\x12\x37\x220042\x00", b"0042")
    assert not has_echo(b"\x37\x220041\x00", b"0042")
    assert not has_echo(b"\x37\x220042", b"0042")
