"""The till's settings file: devices, language, theme. Typed; an unreadable one is a clear error."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from desktop.services.device_settings import (
    AskedSettings,
    CardReaderSettings,
    DisplaySettings,
    DrawerSettings,
    FiscalSettings,
    FurtherScanner,
    ScaleSettings,
    ScannerSettings,
)
from shared.errors import EnvironmentFault

FILE_NAME = "till.toml"
FONT_SCALE_MIN, FONT_SCALE_MAX = 100, 150


class PrinterSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the receipt printer is, by exactly one of its addresses, and what it can do."""

    host: str = ""
    """On the network, at ``port``."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 9100
    serial: str = ""
    """On a serial line, at ``baud``."""
    baud: Annotated[int, msgspec.Meta(ge=300, le=921_600)] = 9600
    usb: str = ""
    """``usb:VID:PID``, ``usb:VID:PID:SERIAL`` or ``/dev/usb/lp0``."""
    cups: str = ""
    """A raw queue of CUPS: ``receipts``, ``receipts@host`` or ``receipts@host:631``."""
    windows: str = ""
    """A printer by the name Windows gives it."""
    file: str = ""
    """A file that collects the bytes; for trials."""
    profile: str = ""
    """Empty: the one that `evertill printer-test` wrote, else `gb`."""
    profiles: str = ""
    """A profile file of the shop's own, from the folder of the till's files."""
    paper: str = ""
    """Empty: what the profile is made for, else 80 mm."""
    has_drawer: bool = True
    """Whether a drawer hangs on the printer."""

    @property
    def addresses(self) -> int:
        """How many ways to the printer are named."""
        ways = (self.host, self.serial, self.usb, self.cups, self.windows, self.file)
        return sum(map(bool, ways))


class TillSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that differs from till to till and is not told by the server."""

    language: Literal["zh_CN", "en"] = "zh_CN"
    theme: Literal["light", "dark"] = "light"
    font_scale_percent: int = 100
    """100 to 150."""
    printer: PrinterSettings | None = None
    scanner: ScannerSettings = ScannerSettings()
    scanners: tuple[FurtherScanner, ...] = ()
    scale: ScaleSettings | None = None
    display: DisplaySettings | None = None
    has_customer_window: bool = False
    """A window for the customer, on the second screen."""
    cards: CardReaderSettings | None = None
    drawer: DrawerSettings | None = None
    terminal: AskedSettings | None = None
    wallet: AskedSettings | None = None
    fiscal: FiscalSettings | None = None

    def __post_init__(self) -> None:
        if not FONT_SCALE_MIN <= self.font_scale_percent <= FONT_SCALE_MAX:
            raise ValueError(f"font_scale_percent is {FONT_SCALE_MIN} to {FONT_SCALE_MAX}")
        if self.printer is not None and self.printer.addresses != 1:
            raise ValueError("printer needs one of host, serial, usb, cups, windows and file")
        if len(self.scanner.prefix) > 1:
            raise ValueError("scanner.prefix is one character")
        if self.drawer is not None and (self.printer is None or not self.printer.has_drawer):
            raise ValueError("drawer needs a printer that has one")


def read_settings(folder: Path) -> TillSettings:
    """The settings beside the till's data; the defaults where there is no file.

    Raises EnvironmentFault ``settings-unreadable``.
    """
    file = folder / FILE_NAME
    try:
        with file.open("rb") as opened:
            return msgspec.convert(tomllib.load(opened), TillSettings)
    except FileNotFoundError:
        return TillSettings()
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise EnvironmentFault("settings-unreadable", file=str(file), detail=str(error)) from error
