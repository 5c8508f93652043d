"""The PC/SC driver through the system's card service, with virtual cards behind it.

Runs where pyscard, pcscd and vsmartcard's vpcd are installed. On Linux pyscard has to be compiled,
so Debian's own build of it is taken where it is for this very Python.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from hardware.nfc.pcsc import PcscReader
from hardware.ports import CardData, DeviceState
from hardware.simulators.nfc import SELECT_PAYMENT, BankCard, Card, SmartCard, text_message

VPCD_PORT = 35963
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SERVICE = shutil.which("pcscd") or "/usr/sbin/pcscd"
DEBIAN = Path("/usr/lib/python3/dist-packages")
WAIT_S = 20
NOTICED_S = 0.8
UID = bytes.fromhex("04A2B3C4D5E680")
NUMBER = "8600123456781234"
PAN = "4111111111111111"
ATR = bytes.fromhex("3B80800101")
OFF, ON, RESET, ASK_ATR = b"\x00", b"\x01", b"\x02", b"\x04"


def has_pyscard() -> bool:
    """Whether it can be imported; Debian's other packages must not stand behind ours."""
    if find_spec("smartcard") is not None:
        return True
    sys.path.append(str(DEBIAN))
    try:
        return bool(import_module("smartcard.scard"))
    except ImportError:
        return False
    finally:
        sys.path.remove(str(DEBIAN))


pytestmark = [
    pytest.mark.skipif(
        not has_pyscard() or not DRIVER.exists() or not Path(SERVICE).exists(),
        reason="needs pyscard, pcscd and vsmartcard-vpcd",
    ),
    pytest.mark.xdist_group("pcscd"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[None]:
    program = subprocess.Popen([SERVICE, "--foreground"], stderr=subprocess.DEVNULL)
    yield
    program.terminate()
    program.wait(WAIT_S)


class VirtualCard:
    """A card in vpcd's slot: two bytes of length, then a control byte or a command."""

    def __init__(self, card: Card) -> None:
        self.card = card
        give_up = time.monotonic() + WAIT_S
        while True:
            try:
                self._line = socket.create_connection(("127.0.0.1", VPCD_PORT))
                break
            except OSError:
                assert time.monotonic() < give_up
                time.sleep(0.05)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def lift(self) -> None:
        """Take it away, and let the service notice: it looks every 0.4 s."""
        if self._thread.is_alive():
            self._line.shutdown(socket.SHUT_RDWR)
            self._thread.join(WAIT_S)
            time.sleep(NOTICED_S)
        self._line.close()

    def _serve(self) -> None:
        with suppress(OSError), self._line.makefile("rb") as file:
            while len(head := file.read(2)) == 2:
                answer = self._answer(file.read(int.from_bytes(head)))
                if answer is not None:
                    self._line.sendall(len(answer).to_bytes(2) + answer)

    def _answer(self, asked: bytes) -> bytes | None:
        if asked in (OFF, ON, RESET):
            return None
        if asked == ASK_ATR:
            return ATR
        if asked == bytes.fromhex("FFCA000000"):
            return self.card.uid + b"\x90\x00"
        return self.card.answer(asked)


Lay = Callable[[Card], VirtualCard]


@pytest.fixture
def lay(service: None) -> Iterator[Lay]:
    laid: list[VirtualCard] = []

    def put(card: Card) -> VirtualCard:
        laid.append(VirtualCard(card))
        return laid[-1]

    yield put
    for one in laid:
        one.lift()


@pytest.fixture
def taps() -> Queue[CardData]:
    return Queue()


@pytest.fixture
def reader(service: None, taps: Queue[CardData]) -> Iterator[PcscReader]:
    driver = PcscReader("cards", reader="Virtual PCD 00 00", takes_uid=True)
    driver.deliver_to(taps.put)
    driver.open()
    yield driver
    driver.close()


def test_a_member_card_is_read_once_through_the_card_service(
    reader: PcscReader, taps: Queue[CardData], lay: Lay
) -> None:
    card = lay(SmartCard(UID, text_message(NUMBER)))
    assert taps.get(timeout=WAIT_S) == CardData(NUMBER, "cards")
    assert reader.check_health(deadline_s=WAIT_S).state is DeviceState.IDLE
    with pytest.raises(Empty):
        taps.get(timeout=0.6)
    card.lift()
    lay(SmartCard(UID, None))
    assert taps.get(timeout=WAIT_S).token == "NFC-04A2B3C4D5E680"


def test_of_a_bank_card_nothing_is_read(
    reader: PcscReader, taps: Queue[CardData], lay: Lay
) -> None:
    card = BankCard(UID, PAN)
    lay(card)
    while reader.dropped == 0:
        time.sleep(0.02)
    assert (reader.dropped, taps.qsize()) == (1, 0)
    assert card.asked == [SELECT_PAYMENT]


def test_a_reader_that_is_not_there_is_said(service: None) -> None:
    driver = PcscReader("cards", reader="no such reader")
    driver.open()
    health = driver.check_health(deadline_s=WAIT_S)
    driver.close()
    assert health.message_key in ("devices.card.nohardware", "devices.card.noservice")
    assert driver.check_health(deadline_s=1).state is DeviceState.CLOSED
