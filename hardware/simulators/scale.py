"""A scale on a pty: speaks each protocol from the scale's side, and fails on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from hardware.ports import DeviceState, Health, Power
from hardware.scale.port import OnReading, Reading, ScaleState
from hardware.scale.protocols import ScaleProtocol
from hardware.simulators.line import FarEnd
from shared.clock import Clock

STREAM_INTERVAL_S = 0.05
NOISE = b"\x00\xff\x7e?\x1b\x02"


@dataclass(slots=True)
class ScaleFaults:
    """What is wrong with the scale now; change it at any time.

    ``piece``: answers come in pieces of so many bytes. ``checksum_every``: Dialog 06 asks for the
    checksums that often.
    """

    is_moving: bool = False
    is_silent: bool = False
    is_noisy: bool = False
    breaks_checksums: bool = False
    breaks_off: bool = False
    """Stops in the middle of each answer."""
    piece: int = 0
    checksum_every: int = 50
    unit: str = "kg"


class ScaleSimulator:
    """Weighs what it is told to. ``put`` goods on it, in grams; negative is under zero."""

    def __init__(
        self,
        protocol: ScaleProtocol,
        *,
        capacity_grams: int = 15_000,
        approved: tuple[int, int] = (0x4711, 0x0815),
    ) -> None:
        self.protocol = protocol
        self.faults = ScaleFaults()
        self.grams = 0
        self.prices: list[int] = []
        """Unit prices that Dialog 06 was told."""
        self._capacity = capacity_grams
        self._approved = approved
        self._held = bytearray()
        self._weighings = 0
        self._is_weighed = False
        self._random = 0
        self._owes_verdict: bool | None = None
        self._is_proved = False
        self._stopping = Event()
        self._answers: dict[ScaleProtocol, Callable[[], bytes]] = {
            ScaleProtocol.TOLEDO_8217: self._toledo,
            ScaleProtocol.CAS: self._cas,
            ScaleProtocol.CAS_STREAM: self._nothing,
            ScaleProtocol.DIALOG_06: self._dialog,
        }
        self.line = FarEnd(on_bytes=self._take)
        self._stream: Thread | None = None
        if protocol is ScaleProtocol.CAS_STREAM:
            self._stream = Thread(target=self._run_stream, name="simulated scale", daemon=True)
            self._stream.start()

    @property
    def port(self) -> str:
        """What the driver opens."""
        return self.line.port

    def put(self, grams: int) -> None:
        """What lies on it from now on; putting it there moves the scale."""
        self.grams = grams
        self._is_weighed = False

    def close(self) -> None:
        """Switch it off and unplug it."""
        self._stopping.set()
        if self._stream is not None:
            self._stream.join(5)
        self.line.unplug()

    def _take(self, data: bytes) -> None:
        self._held += data
        answer = self._answers[self.protocol]()
        if answer and not self.faults.is_silent:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        faults = self.faults
        if faults.is_noisy:
            answer = NOISE
        elif faults.breaks_off:
            answer = answer[: max(1, len(answer) // 2)]
        self.line.send(answer, piece=faults.piece)

    def _nothing(self) -> bytes:
        self._held.clear()
        return b""

    @property
    def _kilograms(self) -> str:
        return f"{self.grams // 1000:02}.{self.grams % 1000:03}"

    # Toledo 8217

    def _toledo(self) -> bytes:
        asked = self._held.count(b"W")
        self._held.clear()
        if not asked:
            return b""
        bits = 0x01 * self.faults.is_moving
        bits |= 0x02 * (self.grams > self._capacity) | 0x04 * (self.grams < 0)
        if bits:
            return b"\x02?" + bytes([0x60 | bits]) + b"\r"
        if self.faults.breaks_checksums:
            return b"\x02" + self._kilograms.replace(".", ":").encode() + b"\r"
        return b"\x02" + self._kilograms.encode() + b"\r"

    # CAS

    def _cas(self) -> bytes:
        last = bytes(self._held[-1:])
        self._held.clear()
        if last == b"\x05":
            return b"\x06"
        return self._cas_block() if last == b"\x11" else b""

    def _cas_block(self) -> bytes:
        status = "U" if self.faults.is_moving else "S"
        sign = "F" if self.grams > self._capacity else "-" if self.grams < 0 else " "
        grams = abs(self.grams)
        unit = self.faults.unit.rjust(2)
        body = f"{status}{sign}{grams // 1000:2}.{grams % 1000:03}{unit}".encode()
        check = 0
        for byte in body:
            check ^= byte
        check ^= 0x20 * self.faults.breaks_checksums
        return b"\x01\x02" + body + bytes([check]) + b"\x03\x04"

    def _run_stream(self) -> None:
        while not self._stopping.wait(STREAM_INTERVAL_S):
            if not self.faults.is_silent:
                self._send(self._cas_stream())

    def _cas_stream(self) -> bytes:
        over = self.grams > self._capacity
        status = "OL" if over else "US" if self.faults.is_moving else "ST"
        sign = "-" if self.grams < 0 else "+"
        grams = abs(self.grams)
        data = f"{sign}{grams // 1000:03}.{grams % 1000:03}"
        if self.faults.breaks_checksums:
            data = data.replace(".", ";")
        lamps = bytes([0x80 | 0x40 * (status == "ST")])
        text = f",{data} {self.faults.unit.rjust(2)}\r\n"
        return f"{status},GS,1".encode() + lamps + text.encode()

    # Dialog 06

    def _dialog(self) -> bytes:
        waiting = bytes(self._held)
        if waiting.endswith(b"\x04\x05"):
            self._held.clear()
            return self._dialog_result()
        if not waiting.endswith(b"\x03"):
            return b""
        self._held.clear()
        number, *fields = waiting[waiting.rfind(b"\x02") + 1 : -1].decode().split("\x1b")
        if number == "08":
            return f"\x0209\x1b{self._dialog_trouble() or '00'}\x03".encode()
        if number == "10":
            self._owes_verdict = fields[0] == self._expected()
            return b"\x06"
        return self._dialog_price(int(fields[0]))

    def _dialog_price(self, price: int) -> bytes:
        due = self._weighings % max(1, self.faults.checksum_every) == 0
        if due and not self._is_proved:
            self._random = (self._random * 37 + 0x47) % 256
            return f"\x0211\x1b2{self._random:02X}\x03".encode()
        self.prices.append(price)
        return b"\x06"

    def _expected(self) -> str:
        """The checksum turned left, the correction value turned right, bit by bit."""
        checksum, correction = (f"{value:016b}" for value in self._approved)
        left, right = self._random >> 4, self._random & 15
        checksum = checksum[left:] + checksum[:left]
        correction = correction[16 - right :] + correction[: 16 - right]
        return f"{int(checksum, 2):04X}{int(correction, 2):04X}"

    def _dialog_trouble(self) -> str:
        if self.faults.is_moving:
            self._is_weighed = False
            return "20"
        if self.grams > self._capacity:
            return "32"
        if self.grams < 0:
            return "31"
        if self.grams == 0:
            return "30"
        return "21" if self._is_weighed else ""

    def _dialog_result(self) -> bytes:
        if self._owes_verdict is not None:
            verdict, self._owes_verdict = self._owes_verdict, None
            self._is_proved = verdict
            return f"\x0211\x1b{int(verdict)}\x03".encode()
        if self._dialog_trouble():
            return b"\x15"
        self._weighings += 1
        self._is_proved, self._is_weighed = False, True
        price = self.prices[-1] + 1 * self.faults.breaks_checksums
        amount = (self.grams * price + 500) // 1000
        return f"\x0202\x1b3\x1b{self.grams:05}\x1b{price:06}\x1b{amount:06}\x03".encode()


class CallbackScaleSimulator:
    """A ``Scale`` without a line: it reads what was put on it, at once."""

    def __init__(self, clock: Clock, name: str = "scale", *, capacity_grams: int = 15_000) -> None:
        self._clock = clock
        self._name = name
        self._capacity = capacity_grams
        self._on_change: OnReading | None = None
        self._grams = 0
        self._is_moving = False

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """It is always on."""

    def close(self) -> None:
        """Nobody is told any more."""
        self._on_change = None

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Always ready."""
        return Health(self._name, DeviceState.IDLE, Power.ONLINE, "devices.scale.ready")

    def watch(self, on_change: OnReading | None, *, unit_price_minor: int = 0) -> None:
        """See ``Scale.watch``."""
        del unit_price_minor
        self._on_change = on_change

    def reading(self) -> Reading:
        """See ``Scale.reading``."""
        state = ScaleState.STABLE
        if self._is_moving:
            state = ScaleState.MOTION
        elif self._grams > self._capacity:
            state = ScaleState.OVERLOAD
        elif self._grams <= 0:
            state = ScaleState.UNDER_ZERO if self._grams else ScaleState.EMPTY
        grams = self._grams if state is ScaleState.STABLE else 0
        return Reading(state, grams, self._clock.monotonic())

    def put(self, grams: int) -> None:
        """What lies on it from now on."""
        self._grams = grams
        self._tell()

    def shake(self, *, is_moving: bool) -> None:
        """Whether it is at rest."""
        self._is_moving = is_moving
        self._tell()

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.reading())
