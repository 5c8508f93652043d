"""What is plugged in is found by names that hold wherever it is plugged in next."""

from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from hardware.discovery import FoundPort, FoundPrinter, serial_ports, usb_printers
from hardware.serial_port import resolve_port


@dataclass(order=True)
class Port:
    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    description: str = "n/a"
    hwid: str = "n/a"


def test_usb_ports_have_lasting_names_and_empty_sockets_none(monkeypatch):
    ports = [
        Port("/dev/ttyUSB1", 0x1A86, 0x7523, None, "CH340", "USB VID:PID=1A86:7523"),
        Port("/dev/ttyS0"),
        Port("/dev/ttyACM0", 0x0C2E, 0x0200, "A1", "Scanner", "USB"),
        Port("COM1", None, None, None, "Port", "ACPI\\PNP0501\\1"),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    found = serial_ports()
    assert found == [
        FoundPort("/dev/ttyACM0", "usb:0c2e:0200:A1", "Scanner"),
        FoundPort("/dev/ttyUSB1", "usb:1a86:7523", "CH340"),
        FoundPort("COM1", "COM1", "Port"),
    ]
    assert [resolve_port(one.name) for one in found] == [one.path for one in found]


def test_usb_printers_are_found_without_a_driver(tmp_path: Path):
    def make(name: str, **texts: str) -> None:
        (tmp_path / name).mkdir()
        for file, text in texts.items():
            (tmp_path / name / file).write_text(text + "\n", encoding="utf-8")

    make("1-2", idVendor="04b8", idProduct="0e15", serial="X1", manufacturer="EPSON", product="TM")
    make("1-2:1.0", bInterfaceClass="07")
    make("1-2:1.1", bInterfaceClass="07")
    make("1-3", idVendor="046d", idProduct="c31c")
    make("1-3:1.0", bInterfaceClass="03")
    make("1-4:1.0", bInterfaceClass="07")
    assert usb_printers(tmp_path) == [FoundPrinter("usb:04b8:0e15:X1", "EPSON TM")]
    assert usb_printers(tmp_path / "none") == []
