"""The printer's answers. Silence and noise mean that nothing is known.

Source: Epson ESC/POS command reference, ``DLE EOT``, ``GS r``, ``GS ( H``.
"""

from dataclasses import dataclass

ECHO_HEADER = b"\x37\x22"


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the printer said about itself; None where it said nothing."""

    is_offline: bool | None = None
    is_cover_open: bool | None = None
    is_paper_out: bool | None = None
    is_paper_low: bool | None = None
    has_error: bool | None = None
    drawer_pin_high: bool | None = None

    @property
    def is_known(self) -> bool:
        """Whether it said anything at all."""
        return self.is_offline is not None

    @property
    def can_print(self) -> bool | None:
        """None where that is not known."""
        troubles = (self.is_offline, self.is_cover_open, self.is_paper_out, self.has_error)
        if any(troubles):
            return False
        return True if self.is_known else None


def is_real_time_status(byte: int) -> bool:
    """Whether a byte can be an answer to ``DLE EOT``: fixed bits 0, 1, 4 and 7 are right."""
    return byte & 0x93 == 0x12


def first_status_byte(answer: bytes) -> int | None:
    """The first byte that is a real-time status; flow control, echo and noise are passed over."""
    return next(filter(is_real_time_status, answer), None)


def read_status(bytes_by_kind: dict[int, int]) -> PrinterStatus:
    """The meaning of valid answers to ``DLE EOT`` 1 to 4."""

    def bit(kind: int, mask: int) -> bool | None:
        return bool(bytes_by_kind[kind] & mask) if kind in bytes_by_kind else None

    return PrinterStatus(
        is_offline=bit(1, 0x08),
        is_cover_open=bit(2, 0x04),
        is_paper_out=bit(4, 0x60),
        is_paper_low=bit(4, 0x0C),
        has_error=bit(3, 0x2C),
        drawer_pin_high=bit(1, 0x04),
    )


def read_paper_answer(answer: bytes) -> bool | None:
    """The answer to ``GS r 1``: whether the paper is out; None where there is no valid byte."""
    valid = next((byte for byte in answer if byte & 0x90 == 0), None)
    return bool(valid & 0x0C) if valid is not None else None


def has_echo(answer: bytes, number: bytes) -> bool:
    """Whether the answer to ``GS ( H`` with this job's number has come."""
    return ECHO_HEADER + number + b"\x00" in answer
