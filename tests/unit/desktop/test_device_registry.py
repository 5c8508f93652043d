"""The settings file becomes devices, or is refused in words; two never share a port."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.devices import make_devices
from desktop.services.settings_file import FILE_NAME, read_settings
from hardware.drawer.sensor import PrinterDrawerSensor, drawer_state
from hardware.escpos.status import PrinterStatus, read_status
from hardware.ports import Condition, DrawerState
from hardware.scale.port import ScaleState
from hardware.scale.protocols import LINES, ScaleProtocol, line_of
from shared.clock import SystemClock
from shared.errors import EnvironmentFault
from shared.language import Language, words

ALL = """
has_customer_window = true
[printer]
host = "127.0.0.1"
[drawer]
open_when = "high"
[scanner]
serial = "/dev/ttyUSB0"
[[scanners]]
serial = "usb:0c2e:0200:A1"
[scale]
protocol = "dialog-06"
serial = "usb:067b:2303"
checksum = "4711"
correction = "0815"
[display]
protocol = "cd5220"
serial = "/dev/ttyS0"
codec = "gbk"
[cards]
kind = "pn532"
serial = "usb:1a86:7523"
[terminal]
host = "192.168.1.60"
port = 7001
[wallet]
host = "127.0.0.1"
port = 7002
[fiscal]
host = "192.168.1.61"
port = 7003
paper_waits_s = 1.5
"""


def made(folder: Path, text: str):
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return make_devices(read_settings(folder), SystemClock(), folder)


def test_every_device_is_built_from_one_file(tmp_path):
    devices = made(tmp_path, ALL)
    assert sorted(one.name for one in devices.all()) == [
        "cards", "display", "fiscal", "printer", "scale", "scanner", "scanners[0]", "terminal",
        "wallet",
    ]  # fmt: skip
    assert devices.drawer_sensor is not None
    assert devices.display is not None
    assert devices.display.shows_chinese
    assert devices.fiscal_paper_waits_s == 1.5


def test_without_a_file_there_is_no_device_and_no_fault(tmp_path):
    devices = make_devices(read_settings(tmp_path), SystemClock(), tmp_path)
    assert list(devices.all()) == []


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('[scale]\nprotocol = "cas"', "serial"),
        ('[scale]\nprotocol = "casio"\nserial = "x"', "casio"),
        ('[scale]\nprotocol = "cas"\nserial = "x"\nchecksum = "4711"', "together"),
        (
            '[scale]\nprotocol = "cas"\nserial = "x"\nchecksum = "4711"\ncorrection = "0815"',
            "dialog-06",
        ),
        (
            '[scale]\nprotocol = "dialog-06"\nserial = "x"\nchecksum = "47"\ncorrection = "0815"',
            "checksum",
        ),
        ('[scale]\nprotocol = "cas"\nserial = "x"\nbits = 9', "bits"),
        ('[scale]\nprotocol = "cas"\nserial = "x"\nbauds = 9600', "bauds"),
        ('[terminal]\nhost = "x"', "port"),
        ('[wallet]\nhost = ""\nport = 1', "host"),
        ('[fiscal]\nhost = "x"\nport = 7003\npaper_waits_s = 60', "paper_waits_s"),
        ('[display]\nprotocol = "epson"\nserial = "x"\ncodec = "utf-8"', "codec"),
        ('[cards]\nkind = "pn532"', "serial"),
        ('[cards]\nkind = "pcsc"\nserial = "x"', "serial"),
        ('[drawer]\nopen_when = "high"', "printer"),
        ('[[scanners]]\nbaud = 9600', "serial"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_by_name(tmp_path, text, detail):
    with pytest.raises(EnvironmentFault) as caught:
        made(tmp_path, text)
    assert caught.value.code == "settings-unreadable"
    assert detail in str(caught.value.fields["detail"])


@pytest.mark.parametrize(
    ("first", "second"),
    [("/dev/ttyUSB0", "/dev/ttyUSB0"), ("usb:0C2E:0200:a", "usb:0c2e:0200:A")],
)
def test_two_devices_on_one_port_are_refused(tmp_path, first, second):
    text = f'[scanner]\nserial = "{first}"\n[scale]\nprotocol = "cas"\nserial = "{second}"'
    with pytest.raises(EnvironmentFault) as caught:
        made(tmp_path, text)
    assert (caught.value.code, caught.value.fields["other"]) == ("device-port-twice", "scanner")


@pytest.mark.parametrize("port", ["usb:1234", "usb:12:34", "USB:1234:5678"])
def test_a_port_that_is_none_is_refused(tmp_path, port):
    with pytest.raises(EnvironmentFault) as caught:
        made(tmp_path, f'[scanner]\nserial = "{port}"')
    assert caught.value.code == "device-port-unreadable"


def test_a_scale_has_the_usual_line_of_its_protocol_unless_told_otherwise():
    assert set(LINES) == set(ScaleProtocol)
    line = line_of(ScaleProtocol.TOLEDO_8217, "x")
    assert (line.baud, line.bits, line.parity) == (9600, 7, "even")
    line = line_of(ScaleProtocol.TOLEDO_8217, "x", baud=4800, bits=8, parity="none")
    assert (line.baud, line.bits, line.parity) == (4800, 8, "none")


@pytest.mark.parametrize("language", list(Language))
def test_every_condition_and_every_state_of_a_scale_has_words_with_a_next_step(language):
    say = words(language)
    keys = [f"error.device-{one}" for one in Condition]
    keys += [f"devices.scale.{one}" for one in ScaleState]
    told = [say(key, device="X", reason="Y") for key in keys]
    assert len(set(told)) == len(told)
    # What happened, then what to do: two clauses.
    clauses = "，；。：" if language is Language.CHINESE else ";,:"
    lacking = [text for text in told if not any(mark in text for mark in clauses)]
    assert lacking == []


# The drawer's switch


@pytest.mark.parametrize(
    ("byte", "opens_high", "state"),
    [
        (0x16, True, DrawerState.OPEN),
        (0x12, True, DrawerState.CLOSED),
        (0x16, False, DrawerState.CLOSED),
        (0x12, False, DrawerState.OPEN),
    ],
)
def test_which_level_means_open_is_a_setting(byte, opens_high, state):
    pin = read_status({1: byte}).drawer_pin_high
    assert drawer_state(pin, opens_high=opens_high) is state


@dataclass
class Says:
    status: PrinterStatus

    def read_status(self, *, deadline_s: float) -> PrinterStatus:
        return self.status


@pytest.mark.parametrize("opens_high", [True, False])
def test_silence_is_no_closed_drawer(opens_high):
    sensor = PrinterDrawerSensor("drawer", Says(PrinterStatus()), opens_high=opens_high)
    assert sensor.state(deadline_s=1) is DrawerState.UNKNOWN
