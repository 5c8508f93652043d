"""The display driver in both command sets, against a display that obeys them (a pty)."""

from collections.abc import Callable, Iterator

import pytest

from hardware.display.commands import CommandSet
from hardware.display.port import DisplayLine
from hardware.display.serial_display import SerialDisplay
from hardware.ports import DeviceState, Power
from hardware.serial_port import LineSettings
from hardware.simulators.display import DisplaySimulator
from hardware.simulators.line import FarEnd
from hardware.worker import Backoff

WAIT_S = 10
TOTAL = DisplayLine("Total", "12.50")
Connect = Callable[[str, CommandSet, str], SerialDisplay]


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[SerialDisplay] = []

    def make(port: str, commands: CommandSet, codec: str = "ascii") -> SerialDisplay:
        display = SerialDisplay(
            "display", LineSettings(port), commands, codec=codec, backoff=lambda: Backoff(0.02)
        )
        display.open()
        opened.append(display)
        return display

    yield make
    for display in opened:
        display.close()


@pytest.fixture
def glass() -> Iterator[DisplaySimulator]:
    simulator = DisplaySimulator(codec="gbk")
    yield simulator
    simulator.close()


@pytest.mark.parametrize("commands", list(CommandSet))
def test_the_newest_lines_are_shown_whole(
    glass: DisplaySimulator, connect: Connect, commands: CommandSet
) -> None:
    display = connect(glass.port, commands, "gbk")
    for minor in range(50):
        display.show(DisplayLine("农夫山泉", f"{minor}.00"), TOTAL)
    display.show(DisplayLine("2×可乐", "7.00"), TOTAL)
    assert glass.wait_for(picture("2×可乐", "7.00"), picture("Total", "12.50"))
    assert glass.unknown == []


def picture(left: str, right: str) -> str:
    """Twenty cells as text, Han characters counting two."""
    cells = len(left.encode("gbk")) + len(right)
    return left + " " * (20 - cells) + right


def test_a_display_that_is_not_there_harms_nobody_and_says_so(connect: Connect) -> None:
    display = connect("usb:1234:5678", CommandSet.CD5220, "ascii")
    display.show(TOTAL, TOTAL)
    health = display.check_health(deadline_s=1)
    assert (health.state, health.message_key) == (DeviceState.ERROR, "devices.line.nohardware")


def test_a_display_that_takes_nothing_lets_the_caller_go(connect: Connect) -> None:
    line = FarEnd()  # nobody reads: the system's buffer fills up
    display = connect(line.port, CommandSet.CD5220, "ascii")
    assert display.wait_until_connected(timeout_s=WAIT_S)
    for minor in range(2000):
        display.show(DisplayLine("Total", str(minor)), TOTAL)
    display.close()
    line.unplug()
    assert display.check_health(deadline_s=1).state is DeviceState.CLOSED


def test_after_it_was_plugged_in_again_it_shows_the_newest(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = DisplaySimulator(), DisplaySimulator()
    ports = iter([first.port, second.port])
    monkeypatch.setattr("hardware.serial_port.resolve_port", lambda _name: next(ports, second.port))
    display = connect("usb:1234:5678", CommandSet.EPSON, "ascii")
    display.show(TOTAL, TOTAL)
    assert first.wait_for(picture("Total", "12.50"), picture("Total", "12.50"))
    first.close()
    display.show(DisplayLine("Change", "7.50"), TOTAL)
    assert second.wait_for(picture("Change", "7.50"), picture("Total", "12.50"))
    assert display.check_health(deadline_s=1).power is Power.UNKNOWN
    display.close()
    assert second.wait_for("", "")
    second.close()
