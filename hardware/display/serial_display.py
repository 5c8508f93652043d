"""A customer display on a serial line behind the port ``CustomerDisplay``."""

from collections.abc import Callable
from threading import Event, Lock

import serial

from hardware.display.commands import CommandSet, clear, initialise, paint
from hardware.display.port import DisplayLine
from hardware.display.text import fit
from hardware.line_keeper import LineKeeper
from hardware.ports import DeviceState, Health, Power
from hardware.serial_port import LINE_ERRORS, LineSettings
from hardware.worker import Backoff

COLUMNS = 20
IDLE_S = 0.2
CHINESE_CODECS = frozenset(["gbk"])


class SerialDisplay:
    """Paints on its own thread; after it was plugged in again it shows the newest lines."""

    def __init__(
        self,
        name: str,
        line: LineSettings,
        commands: CommandSet,
        *,
        codec: str = "ascii",
        columns: int = COLUMNS,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._name = name
        self._commands = commands
        self._codec = codec
        self._columns = columns
        self._lock = Lock()
        self._lines: tuple[DisplayLine, DisplayLine] | None = None
        self._changed = Event()
        self._keeper = LineKeeper(name, line, self._serve, backoff=backoff)

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    @property
    def shows_chinese(self) -> bool:
        """See ``CustomerDisplay.shows_chinese``."""
        return self._codec in CHINESE_CODECS

    def open(self) -> None:
        """Start its thread; connects, and connects again, in the background."""
        self._keeper.open()

    def close(self) -> None:
        """End its thread, clear the display and free the port."""
        self._keeper.close()

    def wait_until_connected(self, *, timeout_s: float) -> bool:
        """Whether its port is open, waiting for that at most so long."""
        return self._keeper.wait_until_connected(timeout_s=timeout_s)

    def show(self, upper: DisplayLine, lower: DisplayLine) -> None:
        """See ``CustomerDisplay.show``."""
        with self._lock:
            self._lines = (upper, lower)
        self._changed.set()

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Whether its port takes what is written; such displays answer nothing."""
        mute = Health(self._name, DeviceState.IDLE, Power.UNKNOWN, "devices.display.mute")
        return self._keeper.health() or mute

    def _serve(self, line: serial.Serial) -> None:
        line.write(initialise(self._commands, self._codec))
        self._changed.set()
        while not self._keeper.is_stopping:
            if not self._changed.wait(IDLE_S):
                _ = line.in_waiting  # raises where it was unplugged
                continue
            self._changed.clear()
            with self._lock:
                lines = self._lines
            if lines is not None:
                line.write(self._painted(*lines))
        try:
            line.write(clear(self._commands))
        except LINE_ERRORS:
            return  # it is gone, and dark already

    def _painted(self, upper: DisplayLine, lower: DisplayLine) -> bytes:
        rows = (fit(one, columns=self._columns, codec=self._codec) for one in (upper, lower))
        return paint(self._commands, *rows)
