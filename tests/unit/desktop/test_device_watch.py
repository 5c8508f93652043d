"""A device that goes and comes back is told once each, and a wobbling plug not at all."""

from dataclasses import dataclass

from desktop.device_watch import PATIENCE, DeviceWatch
from hardware.ports import DeviceState, Health, Power


@dataclass
class Pluggable:
    is_in: bool = True
    name: str = "scanner"

    def open(self) -> None: ...

    def close(self) -> None: ...

    def check_health(self, *, deadline_s: float) -> Health:
        assert deadline_s == 0
        if self.is_in:
            return Health(self.name, DeviceState.IDLE, Power.ONLINE, "devices.scanner.ready")
        return Health(self.name, DeviceState.ERROR, Power.OFF, "devices.line.nohardware")


def looked(watch: DeviceWatch, times: int) -> None:
    for _ in range(times):
        watch.look()


def test_going_and_coming_back_are_told_once():
    device, told = Pluggable(), []
    watch = DeviceWatch([device], told.append)
    looked(watch, 3)
    assert told == []
    device.is_in = False
    looked(watch, 5)
    assert [one.message_key for one in told] == ["devices.line.nohardware"]
    device.is_in = True
    looked(watch, 5)
    assert [one.is_ready for one in told] == [False, True]


def test_a_plug_that_is_put_in_again_at_once_is_no_news():
    device, told = Pluggable(), []
    watch = DeviceWatch([device], told.append)
    for _ in range(4):
        device.is_in = False
        looked(watch, PATIENCE - 1)
        device.is_in = True
        looked(watch, 1)
    assert told == []


def test_one_that_was_never_there_is_told_and_hides_no_other():
    here, away = Pluggable(name="cards"), Pluggable(is_in=False)
    told: list[Health] = []
    looked(DeviceWatch([away, here], told.append), 4)
    assert [one.device for one in told] == ["scanner"]
