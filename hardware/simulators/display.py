"""A customer display on a pty: obeys both command sets and shows what a customer would see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition

from hardware.simulators.line import FarEnd

ROWS, COLUMNS = 2, 20
LENGTHS = {b"\x1b@": 2, b"\x1b_": 3, b"\x1b\x11": 2, b"\x1bt": 3, b"\x1b=": 3, b"\x1bR": 3,
           b"\x1f\x01": 2, b"\x1fC": 3, b"\x1f$": 4, b"\x1fX": 3}  # fmt: skip
"""How long commands of two bytes and more are; ``ESC Q A`` goes on to its CR."""


OnPicture = Callable[[tuple[str, str]], None]


@dataclass(slots=True)
class Glass:
    """The cells and the cursor."""

    rows: list[bytearray] = field(default_factory=lambda: [bytearray(b" " * COLUMNS)] * ROWS)
    row: int = 0
    column: int = 0

    def clear(self) -> None:
        self.rows = [bytearray(b" " * COLUMNS) for _ in range(ROWS)]
        self.row = self.column = 0

    def put(self, byte: int) -> None:
        """Overwrite mode: behind the last cell of a row comes the first of the next."""
        self.rows[self.row][self.column] = byte
        self.column += 1
        if self.column == COLUMNS:
            self.row, self.column = (self.row + 1) % ROWS, 0

    def write_row(self, row: int, text: bytes) -> None:
        """A whole line; what is too long is cut, what is too short leaves blanks."""
        self.rows[row] = bytearray(text[:COLUMNS].ljust(COLUMNS))


class DisplaySimulator:
    """Two rows of twenty cells. Every picture that was shown is kept."""

    def __init__(self, *, codec: str = "ascii", on_picture: OnPicture | None = None) -> None:
        self._codec = codec
        self._on_picture = on_picture
        self._glass = Glass()
        self._glass.clear()
        self._held = bytearray()
        self._shown = Condition()
        self.pictures: list[tuple[str, str]] = []
        self.unknown: list[bytes] = []
        """Control bytes that neither command set has."""
        self.line = FarEnd(on_bytes=self._take)

    @property
    def port(self) -> str:
        """What the driver opens."""
        return self.line.port

    @property
    def picture(self) -> tuple[str, str]:
        """What it shows now."""
        upper, lower = (bytes(row).decode(self._codec, "replace") for row in self._glass.rows)
        return upper, lower

    def wait_for(self, upper: str, lower: str, *, timeout_s: float = 10.0) -> bool:
        """Whether it shows this, waiting at most so long."""
        wanted = (self._filled(upper), self._filled(lower))
        with self._shown:
            return self._shown.wait_for(lambda: self.picture == wanted, timeout_s)

    def _filled(self, text: str) -> str:
        return text + " " * (COLUMNS - len(text.encode(self._codec)))

    def close(self) -> None:
        """Unplug it."""
        self.line.unplug()

    def _take(self, data: bytes) -> None:
        with self._shown:
            self._held += data
            while self._held and (used := self._obey(bytes(self._held))):
                del self._held[:used]
            if not self.pictures or self.pictures[-1] != self.picture:
                self.pictures.append(self.picture)
                if self._on_picture is not None:
                    self._on_picture(self.picture)
            self._shown.notify_all()

    def _obey(self, held: bytes) -> int:
        """Carry out what stands first; how many bytes that were, 0 while it is not whole."""
        if held[:1] == b"\x0c":
            self._glass.clear()
            return 1
        if held[:1] in (b"\x1b", b"\x1f"):
            return self._command(held)
        if held[0] < 0x20:
            self.unknown.append(held[:1])
        else:
            self._glass.put(held[0])
        return 1

    def _command(self, held: bytes) -> int:
        if len(held) < 3 and held[:2] not in (b"\x1b@", b"\x1b\x11", b"\x1f\x01"):
            return 0
        if held[:2] == b"\x1bQ":
            end = held.find(b"\r")
            if end >= 0:
                self._glass.write_row(held[2] - ord("A"), held[3:end])
            return end + 1
        length = LENGTHS.get(held[:2])
        if length is None:
            self.unknown.append(held[:2])
            return 2
        if len(held) < length:
            return 0
        if held[:2] == b"\x1b@":
            self._glass.clear()
        elif held[:2] == b"\x1f$":
            self._glass.column, self._glass.row = held[2] - 1, held[3] - 1
        return length
