"""Printers on USB: found wherever they are plugged in, read and written through one file."""

import os
import tty
from pathlib import Path

import pytest

from hardware.ports import Condition
from hardware.printer.transport import LinkError
from hardware.printer.usb import UsbTransport, find_usb_printer


def plug(root: Path, name: str, vendor: str, product: str, serial: str) -> None:
    """As the kernel's printer driver shows a device: the list, its interface, the device."""
    device = root / "devices" / f"usb-{name}"
    interface = device / "interface"
    interface.mkdir(parents=True)
    for file, text in (("idVendor", vendor), ("idProduct", product), ("serial", serial)):
        (device / file).write_text(text + "\n")
    entry = root / "class" / name
    entry.mkdir(parents=True)
    (entry / "device").symlink_to(interface)


@pytest.fixture
def plugged(tmp_path: Path) -> Path:
    plug(tmp_path, "lp0", "0416", "5011", "A1")
    plug(tmp_path, "lp2", "04b8", "0e15", "B7")
    plug(tmp_path, "lp3", "04b8", "0e15", "B8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("usb:0416:5011", "lp0"),
        ("usb:04B8:0E15", "lp2"),
        ("usb:04b8:0e15:B8", "lp3"),
        ("usb:04b8:0e15:B9", None),
        ("usb:ffff:0001", None),
    ],
)
def test_a_printer_is_found_by_what_it_is(plugged: Path, name: str, file: str | None) -> None:
    found = find_usb_printer(name, known=plugged / "class", devices=Path("/dev/usb"))
    assert found == (Path("/dev/usb") / file if file else None)


def test_a_printer_that_is_plugged_in_again_under_another_name_is_found(plugged: Path) -> None:
    os.rename(plugged / "class/lp3", plugged / "class/lp7")  # noqa: PTH104 - as the kernel does
    found = find_usb_printer("usb:04b8:0e15:B8", known=plugged / "class", devices=Path("/dev"))
    assert found == Path("/dev/lp7")


def test_answers_come_back_through_the_same_file() -> None:
    far, near = os.openpty()
    tty.setraw(near)
    try:
        with UsbTransport(os.ttyname(near)).connect(timeout_s=1) as link:
            assert link.send(b"\x10\x04\x01", timeout_s=1) == 3
            assert os.read(far, 10) == b"\x10\x04\x01"
            assert link.receive(timeout_s=0.01) == b""
            os.write(far, b"\x12")
            assert link.receive(timeout_s=1) == b"\x12"
    finally:
        os.close(far)
        os.close(near)


def test_a_printer_that_is_not_there_has_no_hardware(tmp_path: Path) -> None:
    for name in ("usb:ffff:0001", str(tmp_path / "lp0")):
        with pytest.raises(LinkError) as caught:
            UsbTransport(name).connect(timeout_s=1)
        assert caught.value.condition is Condition.NOHARDWARE
