"""Devices by the names that people use."""

from desktop.presenters.text import Join, Text, say

KNOWN = frozenset(
    ["printer", "scanner", "scale", "display", "cards", "drawer", "terminal", "wallet", "fiscal"]
)


def device_name(name: str) -> Text:
    """A device of the settings: ``scanners[1]`` is a scanner, and which one."""
    kind, bracket, rest = name.partition("[")
    kind = kind.removesuffix("s") if bracket else kind
    if kind not in KNOWN:
        return name
    called = say(f"devices.name.{kind}")
    return Join((called, bracket + rest)) if bracket else called
