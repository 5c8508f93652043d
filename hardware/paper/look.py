"""How characters print, and the commands that change it."""

from dataclasses import dataclass, replace

STYLE_COMMANDS = frozenset(["ESC !", "GS !", "ESC E", "ESC G", "ESC -", "GS B", "ESC M", "FS !"])


@dataclass(frozen=True, slots=True)
class Look:
    """How the next character prints."""

    wide: int = 1
    high: int = 1
    strong: bool = False
    underlined: bool = False
    inverse: bool = False
    font_b: bool = False


def restyled(look: Look, name: str, value: int) -> Look:
    """The look after a style command; ``FS !`` sets sizes only, as for Chinese characters."""
    match name:
        case "ESC !":
            changed = _print_mode(value, inverse=look.inverse)
        case "FS !":
            high, wide = 2 if value & 8 else 1, 2 if value & 4 else 1
            changed = replace(look, wide=wide, high=high)
        case "GS !":
            changed = replace(look, wide=(value >> 4 & 7) + 1, high=(value & 7) + 1)
        case "ESC M":
            changed = replace(look, font_b=value in (1, 0x31))
        case "ESC -":
            changed = replace(look, underlined=value not in (0, 0x30))
        case "GS B":
            changed = replace(look, inverse=bool(value & 1))
        case _:
            changed = replace(look, strong=bool(value & 1))
    return changed


def _print_mode(value: int, *, inverse: bool) -> Look:
    return Look(
        wide=2 if value & 0x20 else 1,
        high=2 if value & 0x10 else 1,
        strong=bool(value & 0x08),
        underlined=bool(value & 0x80),
        font_b=bool(value & 0x01),
        inverse=inverse,
    )
