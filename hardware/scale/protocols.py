"""The scale protocols by the names that the settings use."""

from collections.abc import Callable
from enum import StrEnum

from hardware.scale.cas import CasAsked, CasStream
from hardware.scale.dialog_06 import ApprovedPair, Dialog06
from hardware.scale.serial_scale import MakeTalk
from hardware.scale.talk import Talk
from hardware.scale.toledo_8217 import Toledo8217
from hardware.serial_port import LineSettings, Parity


class ScaleProtocol(StrEnum):
    """What a scale speaks."""

    TOLEDO_8217 = "toledo-8217"
    CAS = "cas"
    """Asked: AP, PD, ER."""
    CAS_STREAM = "cas-stream"
    """22 bytes unasked: CI, NT, PDS."""
    DIALOG_06 = "dialog-06"


LINES: dict[ScaleProtocol, tuple[int, int, Parity]] = {
    ScaleProtocol.TOLEDO_8217: (9600, 7, "even"),
    ScaleProtocol.CAS: (9600, 8, "none"),
    ScaleProtocol.CAS_STREAM: (9600, 8, "none"),
    ScaleProtocol.DIALOG_06: (9600, 7, "odd"),
}
"""Baud, bits and parity to begin with; settings replace all. That of Dialog 06 has no source."""


def line_of(
    protocol: ScaleProtocol,
    port: str,
    *,
    baud: int = 0,
    bits: int = 0,
    parity: Parity | None = None,
) -> LineSettings:
    """A scale's line: what is not set is as usual for the protocol."""
    usual_baud, usual_bits, usual_parity = LINES[protocol]
    return LineSettings(port, baud or usual_baud, bits or usual_bits, parity or usual_parity)


def maker_of(protocol: ScaleProtocol, *, pair: ApprovedPair | None = None) -> MakeTalk:
    """What makes a conversation in the protocol; ``pair`` is for Dialog 06 alone."""
    makers: dict[ScaleProtocol, Callable[[int], Talk]] = {
        ScaleProtocol.TOLEDO_8217: lambda _price: Toledo8217(),
        ScaleProtocol.CAS: lambda _price: CasAsked(),
        ScaleProtocol.CAS_STREAM: lambda _price: CasStream(),
        ScaleProtocol.DIALOG_06: lambda price: Dialog06(unit_price_minor=price, pair=pair),
    }
    return makers[protocol]
