"""The serial scanner on a real line (a pty), with everything a line does to bytes."""

from collections.abc import Iterator
from queue import Queue

import pytest

from hardware.ports import DeviceState, Power, ScanData, ScanQuality
from hardware.scanner.framing import Framing
from hardware.scanner.serial import SerialScanner
from hardware.serial_port import resolve_port
from hardware.simulators.scanner import CallbackScannerSimulator, SerialScannerSimulator
from shared.clock import SystemClock

EAN = "6901234567892"
WAIT_S = 5


@pytest.fixture
def line() -> Iterator[SerialScannerSimulator]:
    simulator = SerialScannerSimulator()
    yield simulator
    simulator.unplug()


@pytest.fixture
def scans() -> Queue[ScanData]:
    return Queue()


@pytest.fixture
def scanner(line: SerialScannerSimulator) -> Iterator[SerialScanner]:
    driver = SerialScanner(
        "scanner", line.port, clock=SystemClock(), framing=Framing(fragment_s=0.1)
    )
    driver.open()
    assert driver.wait_until_connected(timeout_s=WAIT_S)
    yield driver
    driver.close()


def test_a_code_comes_through_with_its_symbology(
    line: SerialScannerSimulator, scanner: SerialScanner, scans: Queue[ScanData]
) -> None:
    scanner.deliver_to(scans.put)
    line.scan(EAN, identifier="]E0")
    assert scans.get(timeout=WAIT_S) == ScanData(EAN, "EAN-13", "scanner")


def test_fragments_and_two_codes_at_once_come_through(
    line: SerialScannerSimulator, scanner: SerialScanner, scans: Queue[ScanData]
) -> None:
    scanner.deliver_to(scans.put)
    for part in (b"69012", b"34567892\r\n111", b"\r111\r"):
        line.send(part)
    assert [scans.get(timeout=WAIT_S).text for _ in range(3)] == [EAN, "111", "111"]


def test_a_broken_off_code_is_reported_as_damaged(
    line: SerialScannerSimulator, scanner: SerialScanner, scans: Queue[ScanData]
) -> None:
    scanner.deliver_to(scans.put)
    line.send(b"69012")
    assert scans.get(timeout=WAIT_S).quality is ScanQuality.DAMAGED


def test_scans_wait_while_nobody_takes_them(
    line: SerialScannerSimulator, scanner: SerialScanner, scans: Queue[ScanData]
) -> None:
    heard: Queue[ScanData] = Queue()
    scanner.deliver_to(heard.put)
    line.scan("111")
    heard.get(timeout=WAIT_S)
    scanner.deliver_to(None)
    line.scan("222")
    scanner.deliver_to(scans.put)
    assert scans.get(timeout=WAIT_S).text == "222"


def test_the_scanner_knows_whether_it_is_plugged_in(
    line: SerialScannerSimulator, scanner: SerialScanner, scans: Queue[ScanData]
) -> None:
    scanner.deliver_to(scans.put)
    line.scan("111")
    scans.get(timeout=WAIT_S)
    health = scanner.check_health(deadline_s=1)
    assert (health.state, health.power) == (DeviceState.IDLE, Power.ONLINE)
    scanner.close()
    assert scanner.check_health(deadline_s=1).state is DeviceState.CLOSED


def test_a_scanner_that_is_not_there_is_waited_for() -> None:
    scanner = SerialScanner("scanner", "usb:1234:5678", clock=SystemClock())
    scanner.open()
    health = scanner.check_health(deadline_s=1)
    scanner.close()
    assert (health.power, health.message_key) == (Power.OFF, "devices.line.nohardware")


def test_a_path_is_taken_as_it_is_and_a_usb_name_is_looked_for() -> None:
    assert resolve_port("/dev/ttyUSB7") == "/dev/ttyUSB7"
    assert resolve_port("usb:dead:beef:0001") is None


def test_at_most_sixteen_scans_wait_the_oldest_kept() -> None:
    simulator = CallbackScannerSimulator()
    simulator.open()
    for number in range(20):
        simulator.scan(str(number))
    heard: list[str] = []
    simulator.deliver_to(lambda scan: heard.append(scan.text))
    assert heard == [str(number) for number in range(16)]
