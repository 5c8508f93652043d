"""The whole examination of a till's folder, whatever is or is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desktop.devices import make_devices
from desktop.doctor.devices import examine_devices
from desktop.doctor.finding import Finding, Verdict
from desktop.doctor.machine import examine_disk, examine_store
from desktop.doctor.plugged import look_around
from desktop.presenters.text import error_text, say
from desktop.services.settings_file import TillSettings, read_settings
from desktop.store.database import LOCK_NAME, TillFolder, TillLock
from shared.clock import Clock
from shared.errors import EnvironmentFault, EvertillError


def examine(folder: TillFolder, clock: Clock) -> Iterator[Finding]:
    """Everything, one finding after the other; raises nothing that a till can get wrong."""
    settings = TillSettings()
    try:
        settings = read_settings(folder.path)
    except EvertillError as error:
        yield Finding(say("doctor.what.settings"), Verdict.BAD, error_text(error))
    yield from look_around(settings)
    with _held(folder) as is_running:
        if is_running:
            said = say("doctor.devices.till-runs")
            yield Finding(say("doctor.what.devices"), Verdict.ATTENTION, said)
        else:
            yield from _devices(settings, clock, folder.path)
    yield examine_disk(folder.path)
    yield from examine_store(folder, clock)


def _devices(settings: TillSettings, clock: Clock, folder: Path) -> Iterator[Finding]:
    try:
        devices = make_devices(settings, clock, folder)
    except EvertillError as error:
        yield Finding(say("doctor.what.settings"), Verdict.BAD, error_text(error))
        return
    yield from examine_devices(devices)


@contextmanager
def _held(folder: TillFolder) -> Iterator[bool]:
    """Whether a till runs here; if not, none starts while its devices are in our hands.

    A folder where none ever ran is left as it is, without even a lock.
    """
    if not (folder.path / LOCK_NAME).exists():
        yield False
        return
    try:
        lock = TillLock(folder)
    except EnvironmentFault:
        yield True
        return
    with lock:
        yield False
