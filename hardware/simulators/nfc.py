"""A PN532 on a pty with cards to lay on it: member cards, bank cards, strangers."""

from dataclasses import dataclass, field
from typing import Protocol

from hardware.nfc.frames import ACK, WAKE_UP
from hardware.simulators.line import FarEnd

SELECT_PAYMENT = bytes.fromhex("00A404000E325041592E5359532E444446303100")
PAGE_BYTES = 4
TAG_PAGES = 45
"""An NTAG213."""


class Card(Protocol):
    """A card in the field."""

    @property
    def uid(self) -> bytes: ...

    @property
    def has_applications(self) -> bool: ...

    def answer(self, command: bytes) -> bytes | None:
        """What it says; None where it says nothing."""
        ...


def text_message(text: str, *, language: bytes = b"en") -> bytes:
    """An NDEF message of one text record."""
    payload = bytes([len(language)]) + language + text.encode()
    if len(payload) < 256:
        return b"\xd1\x01" + bytes([len(payload)]) + b"T" + payload
    return b"\xc1\x01" + len(payload).to_bytes(4) + b"T" + payload


@dataclass
class MemoryCard:
    """A Type 2 tag with a message, or empty."""

    uid: bytes
    message: bytes = b""
    has_applications: bool = False
    asked: list[bytes] = field(default_factory=list)

    def answer(self, command: bytes) -> bytes | None:
        """READ gives four pages, beginning again behind the last one."""
        self.asked.append(command)
        if len(command) != 2 or command[0] != 0x30:
            return None
        length = len(self.message)
        head = bytes([3, length]) if length < 0xFF else b"\x03\xff" + length.to_bytes(2)
        data = b"\x01\x03\xa0\x0c\x34" + head + self.message + b"\xfe"
        memory = (bytes(16) + data).ljust(TAG_PAGES * PAGE_BYTES, b"\x00")
        start = command[1] * PAGE_BYTES
        return (memory + memory[:16])[start : start + 16] if start < len(memory) else None


@dataclass
class SmartCard:
    """A Type 4 tag with a message, or a card with no application that we know."""

    uid: bytes
    message: bytes | None = None
    has_applications: bool = True
    asked: list[bytes] = field(default_factory=list)
    _file: bytes = b""

    def answer(self, command: bytes) -> bytes | None:
        """SELECT and READ BINARY of the NDEF application."""
        self.asked.append(command)
        if command[:4] == b"\x00\xa4\x04\x00":
            is_ndef = command[5:12] == bytes.fromhex("D2760000850101")
            return b"\x90\x00" if is_ndef and self.message is not None else b"\x6a\x82"
        if command[:4] == b"\x00\xa4\x00\x0c" and self.message is not None:
            size = len(self.message) + 2
            capability = bytes.fromhex("000F20003B00340406E104") + size.to_bytes(2) + b"\x00\x00"
            files = {
                b"\xe1\x03": capability,
                b"\xe1\x04": len(self.message).to_bytes(2) + self.message,
            }
            self._file = files.get(command[5:7], b"")
            return b"\x90\x00" if self._file else b"\x6a\x82"
        if command[:2] == b"\x00\xb0":
            at, size = int.from_bytes(command[2:4]), command[4]
            return self._file[at : at + size] + b"\x90\x00"
        return b"\x6d\x00"


@dataclass
class BankCard:
    """An EMV card: it answers SELECT of the payment environment, and would give its number away."""

    uid: bytes
    number: str
    has_applications: bool = True
    asked: list[bytes] = field(default_factory=list)

    def answer(self, command: bytes) -> bytes | None:
        """The directory first; its number to whoever asks on."""
        self.asked.append(command)
        if command == SELECT_PAYMENT:
            return bytes.fromhex("6F238407A0000000031010A518") + b"\x90\x00"
        return b"\x57" + bytes.fromhex(self.number.ljust(20, "F")) + b"\x90\x00"


@dataclass(slots=True)
class NfcFaults:
    """What is wrong with the reader now; change it at any time."""

    is_silent: bool = False
    breaks_checksums: bool = False
    piece: int = 0
    noise: bytes = b""
    """Sent before every answer."""
    loses_card_after: int | None = None
    """The card is taken away after so many exchanges."""


class NfcSimulator:
    """Answers as a PN532 does once it was woken up. ``lay`` a card on it, ``lift`` it."""

    def __init__(self) -> None:
        self.faults = NfcFaults()
        self.commands: list[int] = []
        """The codes of all commands that arrived whole."""
        self._card: Card | None = None
        self._held = bytearray()
        self._is_awake = False
        self._exchanges = 0
        self.line = FarEnd(on_bytes=self._take)

    @property
    def port(self) -> str:
        """What the driver opens."""
        return self.line.port

    def lay(self, card: Card) -> None:
        """Put a card on it."""
        self._exchanges = 0
        self._card = card

    def lift(self) -> None:
        """Take the card away."""
        self._card = None

    def close(self) -> None:
        """Unplug it."""
        self.line.unplug()

    def _take(self, data: bytes) -> None:
        self._held += data
        if not self._is_awake and self._held.startswith(WAKE_UP):
            self._is_awake = True
            del self._held[: len(WAKE_UP)]
        while self._is_awake and (body := self._next_command()):
            self.commands.append(body[1])
            self._reply(body)

    def _next_command(self) -> bytes:
        start = self._held.find(b"\x00\x00\xff")
        if start < 0 or len(self._held) < start + 5:
            return b""
        length = self._held[start + 3]
        end = start + 5 + length + 2
        if len(self._held) < end:
            return b""
        frame = bytes(self._held[start:end])
        del self._held[:end]
        whole = (frame[3] + frame[4]) % 256 == 0 and sum(frame[5:-1]) % 256 == 0
        return frame[5:-2] if whole and frame[5] == 0xD4 else b""

    def _reply(self, body: bytes) -> None:
        if self.faults.is_silent:
            return
        data = bytes([0xD5, body[1] + 1]) + self._result(body[1], body[2:])
        check = (-sum(data) + self.faults.breaks_checksums) % 256
        frame = b"\x00\x00\xff" + bytes([len(data), -len(data) % 256]) + data
        frame += bytes([check, 0])
        self.line.send(ACK + self.faults.noise + frame, piece=self.faults.piece)

    def _result(self, code: int, parameters: bytes) -> bytes:
        match code:
            case 0x02:
                return b"\x32\x01\x06\x07"
            case 0x4A:
                return self._target()
            case 0x40:
                return self._exchange(parameters[1:])
            case 0x52:
                return b"\x00"
            case _:
                return b""

    def _target(self) -> bytes:
        card = self._card
        if card is None:
            return b"\x00"
        applications = 0x20 if card.has_applications else 0x00
        head = b"\x01\x01\x00\x44" + bytes([applications, len(card.uid)])
        return head + card.uid

    def _exchange(self, command: bytes) -> bytes:
        limit = self.faults.loses_card_after
        self._exchanges += 1
        if limit is not None and self._exchanges > limit:
            self._card = None
        answer = self._card.answer(command) if self._card is not None else None
        return b"\x01" if answer is None else b"\x00" + answer
