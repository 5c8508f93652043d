"""A PN532 on a serial line behind the port ``CardReader``.

Source: NXP UM0701-02: SAMConfiguration 7.2.10, RFConfiguration 7.3.1, InListPassiveTarget 7.3.5,
InDataExchange 7.3.8, InRelease 7.3.11.
"""

from collections.abc import Callable
from threading import Event

import serial

from hardware.line_keeper import LineKeeper, read_some
from hardware.nfc.card import TappedCard, read_memory_card, read_smart_card
from hardware.nfc.frames import WAKE_UP, Acknowledged, Answer, FrameReader, encode
from hardware.nfc.tapping import TapReader
from hardware.ports import Condition, DeviceError, DeviceState, Health, Power
from hardware.serial_port import LineSettings
from hardware.worker import Backoff
from shared.clock import Clock

FIRMWARE, SAM, RF, LIST, EXCHANGE, RELEASE = 0x02, 0x14, 0x32, 0x4A, 0x40, 0x52
ANSWER_S = 1.0
POLL_S = 0.15
FIRST_TARGET = 1
ISO_14443_4 = 0x20
"""The bit of SEL_RES that says the card has applications."""
READ_PAGES = 0x30
STATUS_BITS = 0x3F


class CardGone(ConnectionError):
    """The card was taken away, or refuses."""


class Pn532Reader(TapReader):
    """Looks for cards on its own thread; comes back when it is plugged in again."""

    def __init__(
        self,
        name: str,
        line: LineSettings,
        *,
        clock: Clock,
        takes_uid: bool = False,
        answer_s: float = ANSWER_S,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        super().__init__(name, takes_uid=takes_uid)
        self._clock = clock
        self._answer_s = answer_s
        self._answers = Event()
        self._keeper = LineKeeper(name, line, self._serve, backoff=backoff)

    def open(self) -> None:
        """Start its thread; connects, and connects again, in the background."""
        self._keeper.open()

    def close(self) -> None:
        """End its thread and free the port."""
        self._keeper.close()

    def check_health(self, *, deadline_s: float) -> Health:
        """Whether it answers commands now; an open port proves nothing."""
        if self._keeper.is_open and self._answers.wait(deadline_s):
            return Health(self._name, DeviceState.IDLE, Power.ONLINE, "devices.card.ready")
        silent = Health(self._name, DeviceState.ERROR, Power.UNKNOWN, "devices.card.silent")
        return self._keeper.health() or silent

    # On the reader's own thread

    def _serve(self, line: serial.Serial) -> None:
        chip = _Chip(line, self._clock, self._answer_s)
        try:
            chip.wake_up()
            while not self._keeper.is_stopping:
                self._look(chip)
                self._answers.set()
                self._keeper.pause(POLL_S)
        finally:
            self._answers.clear()
            self._tapping.saw_none()

    def _look(self, chip: "_Chip") -> None:
        found = chip.list_target()
        if found is None:
            self._tapping.saw_none()
            return
        uid, has_applications = found
        try:
            self._tapping.saw(uid, lambda: self._read(chip, uid, has_applications))
        except CardGone:
            self._tapping.saw_none()  # half a tap is none: it is read again when it lies still
        chip.release()

    def _read(self, chip: "_Chip", uid: bytes, has_applications: bool) -> TappedCard:  # noqa: FBT001 - as listed
        if has_applications:
            return read_smart_card(chip.exchange, uid, takes_uid=self._takes_uid)
        return read_memory_card(chip.read_pages, uid, takes_uid=self._takes_uid)


class _Chip:
    """Commands and answers on an open line. DeviceError TIMEOUT where it is silent."""

    def __init__(self, line: serial.Serial, clock: Clock, answer_s: float) -> None:
        self._line = line
        self._clock = clock
        self._answer_s = answer_s

    def wake_up(self) -> None:
        """Out of its sleep, to normal mode, and not waiting for ever for a card."""
        self._line.write(WAKE_UP)
        self._command(SAM, b"\x01\x14\x01")
        self._command(RF, b"\x05\xff\x01\x02")
        self._command(FIRMWARE)

    def list_target(self) -> tuple[bytes, bool] | None:
        """Serial number and whether it has applications, of a card of type A that lies there."""
        data = self._command(LIST, b"\x01\x00")
        if len(data) < 6 or data[0] != 1:
            return None
        uid = data[6 : 6 + data[5]]
        return (uid, bool(data[4] & ISO_14443_4)) if len(uid) == data[5] > 0 else None

    def exchange(self, command: bytes) -> bytes:
        """A card's answer; CardGone where there is none."""
        data = self._command(EXCHANGE, bytes([FIRST_TARGET]) + command)
        if not data or data[0] & STATUS_BITS:
            raise CardGone
        return data[1:]

    def read_pages(self, page: int) -> bytes:
        """Sixteen bytes of a Type 2 tag."""
        return self.exchange(bytes([READ_PAGES, page]))

    def release(self) -> None:
        """Let the card go, so that it is found again as long as it lies there."""
        self._command(RELEASE, b"\x00")

    def _command(self, code: int, parameters: bytes = b"") -> bytes:
        self._line.reset_input_buffer()
        self._line.write(encode(code, parameters))
        frames, is_acknowledged = FrameReader(), False
        give_up = self._clock.monotonic() + self._answer_s
        while self._clock.monotonic() < give_up:
            for frame in frames.feed(read_some(self._line)):
                if isinstance(frame, Acknowledged):
                    is_acknowledged = True
                elif isinstance(frame, Answer) and is_acknowledged and frame.code == code + 1:
                    return frame.data
        raise DeviceError(Condition.TIMEOUT, device="pn532", reason=f"command {code:#04x}")
