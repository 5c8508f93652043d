"""A PC/SC reader behind the port ``CardReader``; needs the extra ``nfc`` (pyscard).

Contactless readers answer pseudo commands of class FF (PC/SC part 3): ``FF CA`` gives the serial
number, ``FF B0`` pages of a memory card. A card in a contact reader has no serial number.
"""

from threading import Event, Thread
from typing import Any, Final

from hardware.nfc.card import Exchange, TappedCard, read_memory_card, read_smart_card
from hardware.nfc.tapping import TapReader
from hardware.ports import DeviceState, Health, Power

POLL_S: Final = 0.2
STOP_WAIT_S: Final = 2.0
GET_UID: Final = bytes.fromhex("FFCA000000")
STORAGE_CARD: Final = bytes.fromhex("804F0CA000000306")
"""In the ATR of a card without applications (PC/SC part 3, 3.1.3.2.3)."""


class PcscReader(TapReader):
    """Looks for cards on its own thread; a reader that is plugged in again is found again."""

    def __init__(self, name: str, *, reader: str = "", takes_uid: bool = False) -> None:
        super().__init__(name, takes_uid=takes_uid)
        self._reader = reader
        self._stopping = Event()
        self._looked = Event()
        self._key = "closed"
        self._thread: Thread | None = None

    def open(self) -> None:
        """Start its thread; the reader is looked for in the background."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = Thread(target=self._serve, name=f"device {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End its thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_WAIT_S)
            self._thread = None
        self._key = "closed"

    def check_health(self, *, deadline_s: float) -> Health:
        """Whether a reader is there that the system's card service knows."""
        if self._thread is None:
            return Health(self._name, DeviceState.CLOSED, Power.UNKNOWN, "devices.card.closed")
        self._looked.wait(deadline_s)
        is_ready = self._key == "ready"
        state = DeviceState.IDLE if is_ready else DeviceState.ERROR
        power = Power.ONLINE if is_ready else Power.OFF
        return Health(self._name, state, power, f"devices.card.{self._key}")

    # On the reader's own thread

    def _serve(self) -> None:
        try:
            from smartcard import Exceptions, System  # noqa: PLC0415 - an optional extra
            from smartcard.pcsc import PCSCExceptions  # noqa: PLC0415 - as above
        except ImportError:
            self._found("noservice")
            return
        while not self._stopping.is_set():
            try:
                reader = self._choose(System.readers())
                if reader is not None:
                    self._look(reader, Exceptions)
            except (Exceptions.SmartcardException, PCSCExceptions.BaseSCardException):
                self._found("noservice")
            self._stopping.wait(POLL_S)

    def _choose(self, readers: list[Any]) -> Any | None:
        chosen = next((one for one in readers if self._reader in str(one)), None)
        self._found("ready" if chosen is not None else "nohardware")
        return chosen

    def _found(self, key: str) -> None:
        self._key = key
        self._looked.set()

    def _look(self, reader: Any, exceptions: Any) -> None:
        connection = reader.createConnection()
        try:
            connection.connect()
        except exceptions.NoCardException:
            self._tapping.saw_none()
            return
        try:
            self._tap(connection)
        except (ConnectionError, exceptions.SmartcardException):
            self._tapping.saw_none()
        finally:
            connection.disconnect()
            if hasattr(connection, "release"):  # since 2.2; before that it goes with its object
                connection.release()

    def _tap(self, connection: Any) -> None:
        def exchange(command: bytes) -> bytes:
            data, first, second = connection.transmit(list(command))
            return bytes(data) + bytes([first, second])

        answer = exchange(GET_UID)
        uid = answer[:-2] if answer[-2:] == b"\x90\x00" else b""
        pages = STORAGE_CARD in bytes(connection.getATR())
        # Without a serial number the card itself cannot be told from the next one: its ATR stands
        # for "something lies there".
        present = uid or bytes(connection.getATR())
        self._tapping.saw(present, lambda: self._read(exchange, uid, has_pages=pages))

    def _read(self, exchange: Exchange, uid: bytes, *, has_pages: bool) -> TappedCard:
        if not has_pages:
            return read_smart_card(exchange, uid, takes_uid=self._takes_uid)

        def read_pages(page: int) -> bytes:
            answer = exchange(bytes([0xFF, 0xB0, 0x00, page, 16]))
            return answer[:-2]

        return read_memory_card(read_pages, uid, takes_uid=self._takes_uid)
