"""The PN532 driver on a line (a pty): taps, bank cards, a reader that is silent or broken."""

import time
from collections.abc import Iterator
from queue import Empty, Queue

import pytest

from hardware.nfc.pn532_reader import Pn532Reader
from hardware.ports import CardData, DeviceState, Power
from hardware.serial_port import LineSettings
from hardware.simulators.nfc import (
    SELECT_PAYMENT,
    BankCard,
    MemoryCard,
    NfcSimulator,
    SmartCard,
    text_message,
)
from hardware.worker import Backoff
from shared.clock import SystemClock

WAIT_S = 10
UID = bytes.fromhex("04A2B3C4D5E680")
NUMBER = "8600123456781234"
PAN = "4111111111111111"


@pytest.fixture
def chip() -> Iterator[NfcSimulator]:
    simulator = NfcSimulator()
    yield simulator
    simulator.close()


@pytest.fixture
def taps() -> Queue[CardData]:
    return Queue()


@pytest.fixture
def reader(chip: NfcSimulator, taps: Queue[CardData]) -> Iterator[Pn532Reader]:
    driver = Pn532Reader(
        "cards",
        LineSettings(chip.port, 115_200),
        clock=SystemClock(),
        takes_uid=True,
        answer_s=1.0,
        backoff=lambda: Backoff(0.02),
    )
    driver.deliver_to(taps.put)
    driver.open()
    yield driver
    driver.close()


@pytest.mark.parametrize("piece", [0, 1])
def test_a_member_card_is_one_tap_and_the_next_one_another(
    chip: NfcSimulator, reader: Pn532Reader, taps: Queue[CardData], piece: int
) -> None:
    chip.faults.piece = piece
    chip.faults.noise = b"\x00\xff\x13\x37"
    chip.lay(MemoryCard(UID, text_message(NUMBER)))
    assert taps.get(timeout=WAIT_S) == CardData(NUMBER, "cards")
    chip.lay(SmartCard(b"\x04" + UID[1:-1] + b"\x01", text_message("8600000000000011")))
    assert taps.get(timeout=WAIT_S).token == "8600000000000011"
    assert taps.empty()


def test_of_a_bank_card_nothing_is_read_and_nothing_comes_through(
    chip: NfcSimulator, reader: Pn532Reader, taps: Queue[CardData], caplog: pytest.LogCaptureFixture
) -> None:
    card = BankCard(UID, PAN)
    chip.lay(card)
    member = MemoryCard(b"\x04" + UID[1:-1] + b"\x02", text_message(NUMBER))
    while reader.dropped == 0:
        time.sleep(0.01)
    chip.lay(member)
    assert taps.get(timeout=WAIT_S).token == NUMBER
    assert (reader.dropped, card.asked) == (1, [SELECT_PAYMENT])
    assert bytes.fromhex(PAN) not in bytes(chip.line.sent)
    assert PAN not in caplog.text


def test_a_card_that_is_taken_away_too_soon_is_read_when_it_comes_back(
    chip: NfcSimulator, reader: Pn532Reader, taps: Queue[CardData]
) -> None:
    chip.faults.loses_card_after = 2
    card = SmartCard(UID, text_message(NUMBER))
    chip.lay(card)
    while len(card.asked) < 2:
        time.sleep(0.01)
    with pytest.raises(Empty):
        taps.get(timeout=0.4)
    chip.faults.loses_card_after = None
    chip.lay(card)
    assert taps.get(timeout=WAIT_S).token == NUMBER


@pytest.mark.parametrize("fault", ["is_silent", "breaks_checksums"])
def test_a_reader_that_is_silent_or_talks_nonsense_is_not_ready_and_comes_back(
    chip: NfcSimulator, reader: Pn532Reader, taps: Queue[CardData], fault: str
) -> None:
    assert reader.check_health(deadline_s=WAIT_S).power is Power.ONLINE
    setattr(chip.faults, fault, True)
    while (health := reader.check_health(deadline_s=0.1)).state is DeviceState.IDLE:
        time.sleep(0.01)
    assert not health.is_ready
    setattr(chip.faults, fault, False)
    chip.lay(MemoryCard(UID, text_message(NUMBER)))
    assert taps.get(timeout=WAIT_S).token == NUMBER
    assert reader.check_health(deadline_s=WAIT_S).is_ready
