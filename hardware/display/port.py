"""The port ``CustomerDisplay``: two lines that the customer reads."""

from dataclasses import dataclass
from typing import Protocol

from hardware.ports import Device


@dataclass(frozen=True, slots=True)
class DisplayLine:
    """A line: ``left`` is cut where ``right``, which stands at the right edge, needs the room."""

    left: str
    right: str = ""


class CustomerDisplay(Device, Protocol):
    """Shows the newest two lines. A display that fails shows nothing and harms nobody."""

    @property
    def shows_chinese(self) -> bool:
        """Whether its code page has Chinese; without, it is given English."""
        ...

    def show(self, upper: DisplayLine, lower: DisplayLine) -> None:
        """Show these instead of what it shows. Never waits and never raises: what could not be
        shown yet is replaced by what is newer."""
        ...
