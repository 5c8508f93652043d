"""Cuts an ESC/POS stream into commands and text, also when it arrives in pieces.

Source: Epson ESC/POS command reference; parameter lengths of the commands printers share.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10
PREFIXES = (ESC, FS, GS, DLE)
COMMAND_NAME_BYTES_MAX = 3

Length = Callable[[bytes], int | None]
"""How many parameter bytes a command takes, told from those seen so far; None: more are needed."""


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes that print."""

    data: bytes

    @property
    def source(self) -> bytes:
        """The bytes it was read from."""
        return self.data


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its name in the guide (``GS k``, ``LF``) and its parameter bytes."""

    name: str
    parameters: bytes
    source: bytes
    """The bytes it was read from."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A prefix byte and its follower that form no command known here."""

    data: bytes

    @property
    def source(self) -> bytes:
        """The bytes it was read from."""
        return self.data


Token = Run | Command | Unknown


def _fixed(count: int) -> Length:
    return lambda _seen: count


def _until_nul(seen: bytes) -> int | None:
    at = seen.find(0)
    return at + 1 if at >= 0 else None


def _counted_word(seen: bytes) -> int | None:
    return 2 + int.from_bytes(seen[:2], "little") if len(seen) >= 2 else None


def _counted_long(seen: bytes) -> int | None:
    return 4 + int.from_bytes(seen[:4], "little") if len(seen) >= 4 else None


def _barcode(seen: bytes) -> int | None:
    if not seen:
        return None
    if seen[0] <= 6:
        rest = _until_nul(seen[1:])
        return 1 + rest if rest is not None else None
    return 2 + seen[1] if len(seen) >= 2 else None


def _cut(seen: bytes) -> int | None:
    if not seen:
        return None
    return 1 if seen[0] in (0, 1, 0x30, 0x31) else 2


def _raster(seen: bytes) -> int | None:
    if len(seen) < 5:
        return None
    return 5 + int.from_bytes(seen[1:3], "little") * int.from_bytes(seen[3:5], "little")


def _bit_image(seen: bytes) -> int | None:
    if len(seen) < 3:
        return None
    return 3 + int.from_bytes(seen[1:3], "little") * (3 if seen[0] >= 32 else 1)


def _downloaded_image(seen: bytes) -> int | None:
    return 2 + seen[0] * seen[1] * 8 if len(seen) >= 2 else None


def _user_characters(seen: bytes) -> int | None:
    if len(seen) < 3:
        return None
    length = 3
    for _ in range(seen[2] - seen[1] + 1):
        if len(seen) <= length:
            return None
        length += 1 + seen[0] * seen[length]
    return length


def _counted_after_name(seen: bytes) -> int | None:
    rest = _counted_word(seen[1:])
    return 1 + rest if rest is not None else None


def _real_time(seen: bytes) -> int | None:
    """DLE DC4: function 8 clears the buffers and has seven parameters, all others two more."""
    if not seen:
        return None
    return 8 if seen[0] == 8 else 3


def _named(prefix: str, lengths: dict[str, Length]) -> dict[bytes, tuple[str, Length]]:
    lead = bytes([{"ESC": ESC, "FS": FS, "GS": GS, "DLE": DLE}[prefix]])
    return {
        lead + name.encode("latin-1"): (f"{prefix} {name}", length)
        for name, length in lengths.items()
    }


COMMANDS: dict[bytes, tuple[str, Length]] = {
    **_named("ESC", {name: _fixed(0) for name in "@2<LSmi"}),
    **_named("ESC", {name: _fixed(1) for name in " !%-3=?EGJMRTUVadertv{"}),
    **_named("ESC", {name: _fixed(2) for name in "$\\c"}),
    **_named("ESC", {"p": _fixed(3), "W": _fixed(8), "*": _bit_image, "D": _until_nul}),
    **_named("ESC", {"&": _user_characters, "B": _fixed(2)}),
    **_named("FS", {"&": _fixed(0), ".": _fixed(0), "S": _fixed(2), "2": _fixed(74)}),
    **_named("FS", {name: _fixed(1) for name in "!-CW"}),
    **_named("FS", {"p": _fixed(2), "(": _counted_after_name}),
    **_named("GS", {name: _fixed(1) for name in "!/BEHITabfhrwz"}),
    **_named("GS", {name: _fixed(2) for name in "$LPW\\"}),
    **_named("GS", {":": _fixed(0), "k": _barcode, "V": _cut, "^": _fixed(3), "v0": _raster}),
    **_named("GS", {"*": _downloaded_image, "8L": _counted_long, "g0": _fixed(3)}),
    **_named("GS", {f"({kind}": _counted_word for kind in "ACDEHKLMNPQVkz"}),
    **_named("DLE", {"\x04": _fixed(1), "\x05": _fixed(1), "\x14": _real_time}),
}
SINGLE = {0x0A: "LF", 0x0D: "CR", 0x09: "HT", 0x0C: "FF", 0x18: "CAN"}
NAMES = {"DLE \x04": "DLE EOT", "DLE \x05": "DLE ENQ", "DLE \x14": "DLE DC4"}


@dataclass(slots=True)
class Tokeniser:
    """Gives tokens as soon as they are complete; what is not waits for more bytes."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> list[Token]:
        """All tokens that are complete with ``data``."""
        self._rest += data
        tokens: list[Token] = []
        while self._rest:
            token, used = _next(self._rest)
            if not used:
                break
            self._rest = self._rest[used:]
            if token:
                tokens.append(token)
        return tokens

    @property
    def pending(self) -> bytes:
        """Bytes of a command that is not complete yet."""
        return self._rest


def _next(data: bytes) -> tuple[Token | None, int]:
    """The first token and the bytes it took; none taken: incomplete; no token: nothing to see."""
    first = data[0]
    if first in PREFIXES:
        return _command(data)
    if first in SINGLE:
        return Command(SINGLE[first], b"", data[:1]), 1
    if first < 0x20:
        return (None, 1) if first == 0 else (Unknown(data[:1]), 1)
    length = next((at for at, byte in enumerate(data) if byte < 0x20), len(data))
    return Run(data[:length]), length


def _command(data: bytes) -> tuple[Token | None, int]:
    for size in range(COMMAND_NAME_BYTES_MAX, 1, -1):
        if data[:size] in COMMANDS and len(data) >= size:
            name, length_of = COMMANDS[data[:size]]
            length = length_of(data[size:])
            if length is None or len(data) < size + length:
                return None, 0
            end = size + length
            return Command(NAMES.get(name, name), data[size:end], data[:end]), end
    prefix_of_longer = any(name.startswith(data) for name in COMMANDS)
    if len(data) < COMMAND_NAME_BYTES_MAX and prefix_of_longer:
        return None, 0
    return Unknown(data[:2]), 2
