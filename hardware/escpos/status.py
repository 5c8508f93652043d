"""What a printer's answers mean. Silence and noise mean that nothing is known.

Source: Epson ESC/POS command reference, ``DLE EOT``, ``GS a``, ``GS r``.
"""

from dataclasses import dataclass


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


def read_status(bytes_by_kind: dict[int, int]) -> PrinterStatus:
    """The meaning of valid answers to ``DLE EOT`` 1 to 4."""

    def bit(kind: int, mask: int) -> bool | None:
        return bool(bytes_by_kind[kind] & mask) if kind in bytes_by_kind else None

    return PrinterStatus(
        is_offline=bit(1, 0x08),
        is_cover_open=bit(2, 0x04),
        is_paper_out=bit(4, 0x60),
        is_paper_low=bit(4, 0x0C),
        has_error=bit(3, 0x6C),
        drawer_pin_high=bit(1, 0x04),
    )


def read_automatic_status(block: bytes) -> PrinterStatus:
    """The meaning of the four bytes that ``GS a`` makes a printer send."""
    general, errors, paper, _ = block
    return PrinterStatus(
        is_offline=bool(general & 0x08),
        is_cover_open=bool(general & 0x20),
        is_paper_out=bool(paper & 0x0C),
        is_paper_low=bool(paper & 0x03),
        has_error=bool(errors & 0x6C),
        drawer_pin_high=bool(general & 0x04),
    )


def is_paper_out(byte: int) -> bool:
    """The meaning of a valid answer to ``GS r 1``."""
    return bool(byte & 0x0C)
