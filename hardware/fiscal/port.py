"""The port of a fiscal device: begin, finish, sign, export.

A transaction begins when a basket opens and is finished with what was sold, as German security
devices want it (BSI TR-03153: StartTransaction, FinishTransaction); what was never begun is signed
in one step. Nobody at the till waits for any of it (docs/adr/0059).
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hardware.ports import Device


@dataclass(frozen=True, slots=True)
class FiscalStart:
    """A transaction that the device has opened."""

    number: int
    started_at: str
    """RFC 3339, by the device's clock."""


@dataclass(frozen=True, slots=True)
class FiscalSignature:
    """A finished transaction: what the device numbered, and its signature over that and the data.

    ``signature`` and ``public_key`` (SubjectPublicKeyInfo) are base64.
    """

    number: int
    counter: int
    """Counts the device's signatures, without gaps."""
    started_at: str
    finished_at: str
    algorithm: str
    signature: str
    public_key: str

    @property
    def serial(self) -> str:
        """The SHA-256 of the public key, as German devices name themselves; hex."""
        return hashlib.sha256(base64.b64decode(self.public_key)).hexdigest()

    def signed_bytes(self, data: bytes) -> bytes:
        """What ``signature`` is over, for the data that were signed."""
        return signed_bytes(self.number, self.counter, self.started_at, self.finished_at, data)


class FiscalDevice(Device, Protocol):
    """Every call raises DeviceError by its deadline where it has no answer."""

    def begin(self, *, deadline_s: float) -> FiscalStart:
        """Open a transaction."""
        ...

    def finish(
        self, number: int, reference: str, data: bytes, *, deadline_s: float
    ) -> FiscalSignature:
        """Finish a transaction and sign it. A reference is signed once: a repeat gives the same
        signature, whatever the number. Refused where the number is not open."""
        ...

    def sign(self, reference: str, data: bytes, *, deadline_s: float) -> FiscalSignature:
        """Begin and finish in one; for what was never begun, and for what is late."""
        ...

    def export(self, *, deadline_s: float) -> Iterator[bytes]:
        """Everything it keeps, as a TAR archive in parts."""
        ...


def signed_bytes(
    number: int, counter: int, started_at: str, finished_at: str, data: bytes
) -> bytes:
    """A heading, the device's own numbers and times, a line each, then the data."""
    head = f"evertill/fiscal/1\n{number}\n{counter}\n{started_at}\n{finished_at}\n"
    return head.encode() + data
