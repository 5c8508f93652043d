"""Notices when a device is gone, and when it is back, so that the screen can say so."""

from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import Final

from hardware.ports import Device, Health

EVERY_S: Final = 2.0
PATIENCE: Final = 2
"""Looks in a row before a device counts as gone: a plug that is put in again is no news."""
STOP_WAIT_S: Final = 5.0


class DeviceWatch:
    """Asks devices that know their health without waiting, over and over, on a thread of its own.

    Each change is told once. A device that was never there is told too: the settings name it.
    """

    def __init__(self, devices: Iterable[Device], tell: Callable[[Health], None]) -> None:
        self._devices = tuple(devices)
        self._tell = tell
        self._missed = dict.fromkeys((device.name for device in self._devices), 0)
        self._gone: set[str] = set()
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Look from now on; not at all where there is nothing to look at."""
        if self._devices and self._thread is None:
            self._stopping.clear()
            self._thread = Thread(target=self._run, name="device watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_WAIT_S)
            self._thread = None

    def look(self) -> None:
        """Ask all once. Of several changes the first device's is told last: it stays on the
        screen, and devices come in the order in which they are needed."""
        changes: list[Health] = []
        for device in self._devices:
            health = device.check_health(deadline_s=0)
            name = device.name
            self._missed[name] = 0 if health.is_ready else self._missed[name] + 1
            is_gone = self._missed[name] >= PATIENCE
            if is_gone == (name in self._gone):
                continue
            self._gone.symmetric_difference_update([name])
            if is_gone or health.is_ready:
                changes.append(health)
        for health in reversed(changes):
            self._tell(health)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self.look()
