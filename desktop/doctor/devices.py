"""The devices of the settings, each asked in its own protocol, all at once, with a deadline."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from desktop.devices import Devices
from desktop.doctor.finding import Finding, Verdict
from desktop.presenters.device_names import device_name
from desktop.presenters.text import error_text, say
from hardware.ports import (
    Device,
    DeviceError,
    DeviceState,
    DrawerSensor,
    DrawerState,
    Health,
    Power,
)

DEADLINE_S = 4.0
AGAIN_S = 0.1
DRAWER_VERDICTS = {
    DrawerState.CLOSED: Verdict.WELL,
    DrawerState.OPEN: Verdict.ATTENTION,
    DrawerState.UNKNOWN: Verdict.ATTENTION,
}


def examine_devices(devices: Devices, *, deadline_s: float = DEADLINE_S) -> Iterator[Finding]:
    """Open all, ask each, close all; one line where the settings name none."""
    found = list(devices.all())
    if not found:
        yield Finding(say("doctor.what.devices"), Verdict.WELL, say("doctor.devices.none"))
        return
    devices.open()
    try:
        with ThreadPoolExecutor(len(found)) as pool:
            asked = [pool.submit(_settled, device, deadline_s) for device in found]
            for device, health in zip(found, asked, strict=True):
                yield _judged(device.name, health.result())
        if devices.drawer_sensor is not None:
            yield _drawer(devices.drawer_sensor, deadline_s)
    finally:
        devices.close()


def _settled(
    device: Device, deadline_s: float, now: Callable[[], float] = time.monotonic
) -> Health:
    """Its health once it is ready, or as it is at the deadline: devices connect in their time."""
    give_up = now() + deadline_s
    while True:
        health = device.check_health(deadline_s=max(AGAIN_S, give_up - now()))
        if health.is_ready or now() >= give_up:
            return health
        time.sleep(AGAIN_S)


def _judged(name: str, health: Health) -> Finding:
    verdict = Verdict.BAD
    if health.is_ready and health.state is not DeviceState.CLOSED:
        is_plain = health.power is Power.ONLINE and health.message_key.endswith(".ready")
        verdict = Verdict.WELL if is_plain else Verdict.ATTENTION
    called = device_name(name)
    return Finding(called, verdict, say(health.message_key, device=called))


def _drawer(sensor: DrawerSensor, deadline_s: float) -> Finding:
    called = device_name(sensor.name)
    try:
        state = sensor.state(deadline_s=deadline_s)
    except DeviceError as error:
        return Finding(called, Verdict.BAD, error_text(error))
    return Finding(called, DRAWER_VERDICTS[state], say(f"devices.drawer.{state}", device=called))
