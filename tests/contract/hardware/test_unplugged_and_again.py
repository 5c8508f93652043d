"""Thirty times unplugged and plugged in again, each time under another name: no scan is lost, no
thread and no descriptor is left behind."""

import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest
from hardware.printer.plugged import PluggedSerialTransport
from serial.tools import list_ports

from hardware.ports import Condition, ScanData
from hardware.printer.transport import LinkError
from hardware.scale.port import Reading, ScaleState
from hardware.scale.protocols import ScaleProtocol, line_of, maker_of
from hardware.scale.serial_scale import SerialScale
from hardware.scanner.serial import SerialScanner
from hardware.simulators.line import FarEnd
from hardware.simulators.scale import ScaleSimulator
from hardware.simulators.scanner import SerialScannerSimulator
from hardware.worker import Backoff
from shared.clock import SystemClock

CYCLES = 30
SCANS = 3
WAIT_S = 20


@dataclass(order=True)
class Plugged:
    """A USB serial port as pyserial lists it."""

    device: str
    vid: int
    pid: int
    serial_number: str


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[Plugged]:
    ports: list[Plugged] = []
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))
    return ports


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in /proc")
def test_a_scanner_loses_no_scan_no_thread_and_no_descriptor(plugged: list[Plugged]) -> None:
    threads, open_files = threading.active_count(), descriptors()
    scans: Queue[ScanData] = Queue()
    driver = SerialScanner(
        "scanner", "usb:0c2e:0200:A1", clock=SystemClock(), backoff=lambda: Backoff(0.01)
    )
    driver.deliver_to(scans.put)
    driver.open()
    heard, names = [], set()
    for cycle in range(CYCLES):
        simulator = SerialScannerSimulator()
        names.add(simulator.port)
        other = Plugged("/dev/null", 0x0C2E, 0x0200, "B2")
        plugged[:] = [other, Plugged(simulator.port, 0x0C2E, 0x0200, "A1")]
        assert driver.wait_until_connected(timeout_s=WAIT_S)
        for number in range(SCANS):
            simulator.scan(f"{cycle:03}{number}")
        heard += [scans.get(timeout=WAIT_S).text for _ in range(SCANS)]
        plugged[:] = [other]
        simulator.unplug()
        while driver.check_health(deadline_s=0).is_ready:
            threading.Event().wait(0.005)
    assert heard == [f"{cycle:03}{number}" for cycle in range(CYCLES) for number in range(SCANS)]
    assert threading.active_count() == threads + 1
    driver.close()
    assert scans.empty()
    assert (threading.active_count(), descriptors()) == (threads, open_files)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in /proc")
def test_a_scale_too(plugged: list[Plugged]) -> None:
    threads, open_files = threading.active_count(), descriptors()
    told: Queue[Reading] = Queue()
    scale = SerialScale(
        "scale",
        line_of(ScaleProtocol.TOLEDO_8217, "usb:067b:2303"),
        maker_of(ScaleProtocol.TOLEDO_8217),
        clock=SystemClock(),
        answer_s=0.6,
        backoff=lambda: Backoff(0.01),
    )
    scale.open()
    scale.watch(told.put)
    for cycle in range(5):
        simulator = ScaleSimulator(ScaleProtocol.TOLEDO_8217)
        simulator.put(100 + cycle)
        plugged[:] = [Plugged(simulator.port, 0x067B, 0x2303, "")]
        while (reading := told.get(timeout=WAIT_S)).state is not ScaleState.STABLE:
            pass
        assert reading.grams == 100 + cycle
        plugged.clear()
        simulator.close()
        while told.get(timeout=WAIT_S).state is not ScaleState.OFF:
            pass
    scale.close()
    assert (threading.active_count(), descriptors()) == (threads, open_files)


def test_a_port_that_another_program_holds_is_said_and_taken_once_it_is_free() -> None:
    simulator = SerialScannerSimulator()
    first = SerialScanner("first", simulator.port, clock=SystemClock())
    second = SerialScanner(
        "second", simulator.port, clock=SystemClock(), backoff=lambda: Backoff(0.02)
    )
    first.open()
    assert first.wait_until_connected(timeout_s=WAIT_S)
    second.open()
    while second.check_health(deadline_s=0).message_key != "devices.line.claimed":
        threading.Event().wait(0.005)
    first.close()
    assert second.wait_until_connected(timeout_s=WAIT_S)
    second.close()
    simulator.unplug()


def test_a_serial_printer_is_found_under_its_new_name_for_the_next_job(
    plugged: list[Plugged],
) -> None:
    transport = PluggedSerialTransport("usb:04b8:0202:P1")
    with pytest.raises(LinkError) as caught:
        transport.connect(timeout_s=1)
    assert caught.value.condition is Condition.NOHARDWARE
    for _ in range(2):
        line = FarEnd(on_bytes=lambda _data: None)
        plugged[:] = [Plugged(line.port, 0x04B8, 0x0202, "P1")]
        with transport.connect(timeout_s=1) as link:
            link.send(b"job", timeout_s=5)
        while bytes(line.received) != b"job":
            threading.Event().wait(0.005)
        line.unplug()
