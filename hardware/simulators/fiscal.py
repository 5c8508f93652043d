"""A fiscal device: numbers, signs with a real key, fails, loses replies, keeps its books."""

import base64
import io
import json
import tarfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hardware.fiscal.port import FiscalSignature, FiscalStart, signed_bytes
from hardware.line_protocol import Message, Refused
from hardware.ports import Condition, DeviceError, DeviceState, Health, Power
from hardware.simulators.line_server import LineServer

ALGORITHM: Final = "ecdsa-p256-sha256"
PART_BYTES: Final = 96 * 1024

Now = Callable[[], datetime]


class FiscalBehaviour(StrEnum):
    """What the next signature meets."""

    SIGN = "sign"
    """Signed and said so."""
    FAIL = "fail"
    """It cannot sign now, and says so."""
    LOSE_ANSWER = "lose-answer"
    """Signed, but the answer is lost."""
    LOSE_REQUEST = "lose-request"
    """Nothing arrived."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What the device itself keeps of a signature."""

    reference: str
    data: bytes
    signature: FiscalSignature


class FiscalBooks:
    """The device's inside. The script is followed once, then everything is signed."""

    def __init__(self, now: Now = lambda: datetime.now(UTC)) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = now
        self._script: deque[FiscalBehaviour] = deque()
        self._open: dict[int, str] = {}
        self._signed: dict[str, SignedTransaction] = {}
        self._numbers = 0
        self._lock = Lock()

    def script(self, *behaviours: FiscalBehaviour) -> None:
        """What the next signatures meet, in order."""
        self._script.extend(behaviours)

    @property
    def signed(self) -> dict[str, SignedTransaction]:
        """Everything it signed, by reference."""
        with self._lock:
            return dict(self._signed)

    @property
    def unfinished(self) -> list[int]:
        """Numbers of transactions that were begun and not finished."""
        with self._lock:
            return sorted(self._open)

    def begin(self) -> FiscalStart:
        """See ``FiscalDevice.begin``."""
        with self._lock:
            self._numbers += 1
            self._open[self._numbers] = self._time()
            return FiscalStart(self._numbers, self._open[self._numbers])

    def finish(self, number: int | None, reference: str, data: bytes) -> FiscalSignature | None:
        """See ``FiscalDevice``; without a number it is begun now. None where there is silence.

        Raises Refused ``cannot-sign`` and ``not-open``.
        """
        behaviour = self._script.popleft() if self._script else FiscalBehaviour.SIGN
        if behaviour is FiscalBehaviour.FAIL:
            raise Refused("fiscal", "cannot-sign")
        if behaviour is FiscalBehaviour.LOSE_REQUEST:
            return None
        with self._lock:
            if reference not in self._signed:
                self._signed[reference] = self._sign(number, reference, data)
            found = self._signed[reference].signature
        return None if behaviour is FiscalBehaviour.LOSE_ANSWER else found

    def _sign(self, number: int | None, reference: str, data: bytes) -> SignedTransaction:
        if number is not None and number not in self._open:
            raise Refused("fiscal", "not-open")
        finished_at = self._time()
        if number is None:
            self._numbers += 1
            number, started_at = self._numbers, finished_at
        else:
            started_at = self._open.pop(number)
        counter = len(self._signed) + 1
        told = signed_bytes(number, counter, started_at, finished_at, data)
        signature = FiscalSignature(
            number=number,
            counter=counter,
            started_at=started_at,
            finished_at=finished_at,
            algorithm=ALGORITHM,
            signature=_text(self._key.sign(told, ec.ECDSA(hashes.SHA256()))),
            public_key=_text(self._public(Encoding.DER)),
        )
        return SignedTransaction(reference, data, signature)

    def _public(self, encoding: Encoding) -> bytes:
        return self._key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")

    def archive(self) -> bytes:
        """Everything it keeps: the public key, and a line of JSON for each signature, in a TAR."""
        lines = [
            json.dumps(
                {"reference": one.reference, "data": _text(one.data), **asdict(one.signature)}
            )
            for one in self.signed.values()
        ]
        parts = {
            "public_key.pem": self._public(Encoding.PEM),
            "signatures.jsonl": "".join(f"{line}\n" for line in lines).encode(),
        }
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in parts.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return packed.getvalue()


class FiscalSimulator(LineServer):
    """The device on TCP. ``inside`` has the books and the script; ``faults`` are the line's."""

    def __init__(
        self, *, port: int = 0, host: str = "127.0.0.1", record: Path | None = None
    ) -> None:
        super().__init__(port=port, host=host, record=record)
        self.inside = FiscalBooks()
        self._archive = b""

    def answer(self, ask: str, question: Message) -> Mapping[str, object] | None:
        """See ``LineServer.answer``."""
        try:
            match ask:
                case "status":
                    return {"state": "ready"}
                case "begin":
                    return asdict(self.inside.begin())
                case "finish":
                    return self._finish(int(question["number"]), question)
                case "sign":
                    return self._finish(None, question)
                case "export":
                    return self._export(int(question["offset"]))
                case _:
                    return {"error": "unknown-question"}
        except Refused as refused:
            return {"error": refused.why}
        except (KeyError, TypeError, ValueError):
            return {"error": "bad-question"}

    def _finish(self, number: int | None, question: Message) -> Mapping[str, object] | None:
        data = base64.b64decode(question["data"], validate=True)
        signature = self.inside.finish(number, str(question["reference"]), data)
        return asdict(signature) if signature is not None else None

    def _export(self, offset: int) -> Mapping[str, object]:
        if offset == 0:
            self._archive = self.inside.archive()
        part = self._archive[offset : offset + PART_BYTES]
        return {"data": _text(part), "total": len(self._archive)}


class LocalFiscalDevice:
    """A ``FiscalDevice`` in this process, without a line; silence is a time-out at once.

    ``is_missing`` pulls its plug.
    """

    name = "fiscal"

    def __init__(self, now: Now = lambda: datetime.now(UTC)) -> None:
        self.inside = FiscalBooks(now)
        self.is_missing = False

    def open(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Whether its plug is in."""
        if self.is_missing:
            return Health(self.name, DeviceState.ERROR, Power.OFF, "devices.asked.nohardware")
        return Health(self.name, DeviceState.IDLE, Power.ONLINE, "devices.asked.ready")

    def begin(self, *, deadline_s: float) -> FiscalStart:  # noqa: ARG002 - it is here or not
        """See ``FiscalDevice.begin``."""
        self._reach()
        return self.inside.begin()

    def finish(
        self,
        number: int,
        reference: str,
        data: bytes,
        *,
        deadline_s: float,  # noqa: ARG002 - silence is known at once
    ) -> FiscalSignature:
        """See ``FiscalDevice.finish``."""
        self._reach()
        return self._heard(self.inside.finish(number, reference, data))

    def sign(
        self,
        reference: str,
        data: bytes,
        *,
        deadline_s: float,  # noqa: ARG002 - silence is known at once
    ) -> FiscalSignature:
        """See ``FiscalDevice.sign``."""
        self._reach()
        return self._heard(self.inside.finish(None, reference, data))

    def export(self, *, deadline_s: float) -> Iterator[bytes]:  # noqa: ARG002 - it is here or not
        """See ``FiscalDevice.export``."""
        self._reach()
        yield self.inside.archive()

    def _reach(self) -> None:
        if self.is_missing:
            raise DeviceError(Condition.NOHARDWARE, device=self.name)

    def _heard(self, signature: FiscalSignature | None) -> FiscalSignature:
        if signature is None:
            raise DeviceError(Condition.TIMEOUT, device=self.name)
        return signature


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
