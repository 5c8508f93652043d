"""The part of the settings file that names devices. Typed; what makes no sense is refused."""

from typing import Annotated, Literal

import msgspec

Baud = Annotated[int, msgspec.Meta(ge=300, le=921_600)]
HexPair = Annotated[str, msgspec.Meta(pattern="^([0-9A-Fa-f]{4})?$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.1, le=10)]
Columns = Annotated[int, msgspec.Meta(ge=16, le=40)]


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all tables of the file share."""


class ScannerSettings(_Settings, frozen=True, kw_only=True):
    """A serial scanner's port; one that types like a keyboard needs none, but may have a prefix."""

    serial: str = ""
    baud: Baud = 9600
    prefix: str = ""


class FurtherScanner(_Settings, frozen=True, kw_only=True):
    """One more serial scanner: on the counter, in the hand."""

    serial: str
    baud: Baud = 9600


class ScaleSettings(_Settings, frozen=True, kw_only=True):
    """A scale. Line settings that are not given are as usual for the protocol.

    ``checksum`` and ``correction`` are four hexadecimal digits each, for Dialog 06 alone: whoever
    approves the till for the scale gives them out.
    """

    protocol: Literal["toledo-8217", "cas", "cas-stream", "dialog-06"]
    serial: str
    baud: Baud | None = None
    bits: Literal[7, 8] | None = None
    parity: Literal["none", "even", "odd"] | None = None
    checksum: HexPair = ""
    correction: HexPair = ""

    def __post_init__(self) -> None:
        if bool(self.checksum) != bool(self.correction):
            raise ValueError("checksum and correction come together")
        if self.checksum and self.protocol != "dialog-06":
            raise ValueError("only dialog-06 has a checksum and a correction value")


class DisplaySettings(_Settings, frozen=True, kw_only=True):
    """A customer display of two lines. ``codec`` is its code page; ``gbk`` shows Chinese."""

    protocol: Literal["cd5220", "epson"]
    serial: str
    baud: Baud = 9600
    codec: Literal["ascii", "cp437", "cp850", "cp858", "gbk"] = "ascii"
    columns: Columns = 20


class CardReaderSettings(_Settings, frozen=True, kw_only=True):
    """A reader for cards that are tapped: ``pn532`` on a serial line, or ``pcsc``.

    ``reader`` is part of a PC/SC reader's name; empty takes the first. ``number`` is what makes a
    card a member's: the text written on it, or also its serial number.
    """

    kind: Literal["pn532", "pcsc"]
    serial: str = ""
    baud: Baud = 115_200
    reader: str = ""
    number: Literal["text", "text-or-uid"] = "text"

    def __post_init__(self) -> None:
        if (self.kind == "pn532") != bool(self.serial):
            raise ValueError("pn532 needs a serial port, pcsc has none")


class AskedSettings(_Settings, frozen=True, kw_only=True):
    """A card terminal or a wallet's gateway that speaks the line protocol."""

    host: Annotated[str, msgspec.Meta(min_length=1)]
    port: Port


class FiscalSettings(_Settings, frozen=True, kw_only=True):
    """A fiscal device. ``paper_waits_s`` is how long a receipt waits for its signature."""

    host: Annotated[str, msgspec.Meta(min_length=1)]
    port: Port
    paper_waits_s: Seconds = 2.0


class DrawerSettings(_Settings, frozen=True, kw_only=True):
    """The drawer's switch: the level of the printer's drawer pin while the drawer is open."""

    open_when: Literal["high", "low"]
