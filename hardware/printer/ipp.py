"""The part of IPP that a raw queue needs: requests as bytes, answers as attributes.

Sources: RFC 8010 (encoding), RFC 8011 (operations, states).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION: Final = b"\x01\x01"
OPERATION_GROUP: Final = b"\x01"
END: Final = 0x03
DELIMITERS: Final = range(0x10)
INTEGER, ENUM, NO_VALUE = 0x21, 0x23, 0x13
NAME, URI, CHARSET, LANGUAGE, MIME_TYPE = 0x42, 0x45, 0x47, 0x48, 0x49
HEADER_BYTES: Final = 8


class Operation(IntEnum):
    """What is asked."""

    PRINT_JOB = 0x0002
    """Put a document in."""
    CANCEL_JOB = 0x0008
    """Take a job back."""
    GET_JOB_ATTRIBUTES = 0x0009
    """How a job is."""
    GET_PRINTER_ATTRIBUTES = 0x000B
    """How a queue is."""


Value = int | str | None
"""Numbers and enumerations, text, or the answer "no value"; other kinds are passed over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    attributes: dict[str, tuple[Value, ...]]

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out (status below 0x0100)."""
        return self.status < 0x0100

    def number(self, name: str) -> int | None:
        """A number by name; None where there is none."""
        value = next(iter(self.attributes.get(name, ())), None)
        return value if isinstance(value, int) else None

    def words(self, name: str) -> tuple[str, ...]:
        """Keywords by name."""
        return tuple(value for value in self.attributes.get(name, ()) if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a request."""

    tag: int
    name: str
    value: str | int

    def encoded(self) -> bytes:
        """Tag, name and value, both with their lengths."""
        raw = self.value.to_bytes(4, "big") if isinstance(self.value, int) else self.value.encode()
        name = self.name.encode()
        head = bytes([self.tag]) + len(name).to_bytes(2, "big") + name
        return head + len(raw).to_bytes(2, "big") + raw


def request(operation: Operation, number: int, *attributes: Attribute) -> bytes:
    """A whole request; the document of a job follows it."""
    opening = (
        Attribute(CHARSET, "attributes-charset", "utf-8"),
        Attribute(LANGUAGE, "attributes-natural-language", "en"),
    )
    body = b"".join(attribute.encoded() for attribute in (*opening, *attributes))
    head = VERSION + operation.to_bytes(2, "big") + number.to_bytes(4, "big")
    return head + OPERATION_GROUP + body + bytes([END])


def read_answer(data: bytes) -> Answer:
    """All attributes of an answer, whatever their group; ValueError where it is cut off."""
    if len(data) < HEADER_BYTES:
        raise ValueError("an IPP answer begins with eight bytes")
    attributes: dict[str, tuple[Value, ...]] = {}
    at, name = HEADER_BYTES, ""
    while at < len(data) and data[at] != END:
        tag = data[at]
        at += 1
        if tag in DELIMITERS:
            continue
        named, at = _field(data, at)
        raw, at = _field(data, at)
        name = named.decode("utf-8", "replace") or name  # no name: one more value of the last
        attributes[name] = (*attributes.get(name, ()), _value(tag, raw))
    if at >= len(data):
        raise ValueError("an IPP answer ends with its end tag")
    return Answer(int.from_bytes(data[2:4], "big"), attributes)


def _field(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    if end > len(data):
        raise ValueError("an IPP answer is cut off")
    return data[at + 2 : end], end


def _value(tag: int, raw: bytes) -> Value:
    if tag in (INTEGER, ENUM):
        return int.from_bytes(raw, "big", signed=True)
    return None if tag == NO_VALUE else raw.decode("utf-8", "replace")
