"""What the message bar says of devices that go and come back."""

from desktop.presenters.intent import DeviceTold
from desktop.presenters.text import Join, Say, Tone
from hardware.ports import DeviceState, Health, Power


def gone(name: str) -> DeviceTold:
    return DeviceTold(Health(name, DeviceState.ERROR, Power.OFF, "devices.asked.nohardware"))


def back(name: str) -> DeviceTold:
    return DeviceTold(Health(name, DeviceState.IDLE, Power.ONLINE, "devices.asked.ready"))


def devices(till) -> list[tuple[str, str]]:
    message = till.view.message
    assert message is not None
    assert isinstance(message.text, Join)
    parts = [part for part in message.text.parts if isinstance(part, Say)]
    names = [dict(part.fields)["device"] for part in parts]
    return [(part.key, name.key) for part, name in zip(parts, names, strict=True)]


def test_one_bar_tells_of_every_device_that_is_gone(selling):
    selling.do(gone("scanner"))
    selling.do(gone("display"))
    assert {key for key, _ in devices(selling)} == {"devices.asked.nohardware"}
    assert len(devices(selling)) == 2
    selling.do(gone("scanner"))
    assert len(devices(selling)) == 2, "the same one again"
    selling.do(back("scanner"))
    assert [key for key, _ in devices(selling)] == [
        "devices.asked.ready",
        "devices.asked.nohardware",
    ]
    assert selling.view.message.tone is Tone.ATTENTION
    selling.do(back("display"))
    assert [key for key, _ in devices(selling)] == ["devices.asked.ready"]
    assert selling.view.message.tone is Tone.GOOD
