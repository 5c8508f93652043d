"""A fiscal device that speaks the line protocol (docs/hardware.md, Fiscal devices)."""

import base64
from collections.abc import Iterator
from typing import Any, Final

from hardware.fiscal.port import FiscalSignature, FiscalStart
from hardware.line_protocol import LineDevice, Message
from hardware.ports import Condition, DeviceError

TEXT_MAX: Final = 1024


class LineFiscalDevice(LineDevice):
    """Asks a device on the network."""

    def begin(self, *, deadline_s: float) -> FiscalStart:
        """See ``FiscalDevice.begin``."""
        answer = self._line.ask("begin", deadline_s=deadline_s)
        return FiscalStart(self._number(answer, "number"), self._text(answer, "started_at"))

    def finish(
        self, number: int, reference: str, data: bytes, *, deadline_s: float
    ) -> FiscalSignature:
        """See ``FiscalDevice.finish``."""
        return self._signed("finish", reference, data, deadline_s, number=number)

    def sign(self, reference: str, data: bytes, *, deadline_s: float) -> FiscalSignature:
        """See ``FiscalDevice.sign``."""
        return self._signed("sign", reference, data, deadline_s)

    def _signed(
        self, ask: str, reference: str, data: bytes, deadline_s: float, **more: int
    ) -> FiscalSignature:
        answer = self._line.ask(
            ask,
            deadline_s=deadline_s,
            reference=reference,
            data=base64.b64encode(data).decode(),
            **more,
        )
        return FiscalSignature(
            number=self._number(answer, "number"),
            counter=self._number(answer, "counter"),
            started_at=self._text(answer, "started_at"),
            finished_at=self._text(answer, "finished_at"),
            algorithm=self._text(answer, "algorithm"),
            signature=self._base64(answer, "signature"),
            public_key=self._base64(answer, "public_key"),
        )

    def export(self, *, deadline_s: float) -> Iterator[bytes]:
        """See ``FiscalDevice.export``; the deadline is for each part."""
        offset, total = 0, 1
        while offset < total:
            answer = self._line.ask("export", deadline_s=deadline_s, offset=offset)
            total = self._number(answer, "total")
            part = base64.b64decode(self._base64(answer, "data"))
            offset += len(part)
            if not part:
                raise self._unreadable("data")
            yield part

    def _number(self, answer: Message, field: str) -> int:
        told: Any = answer.get(field)
        if type(told) is not int or not 0 <= told < 2**53:
            raise self._unreadable(field)
        return told

    def _text(self, answer: Message, field: str) -> str:
        told: Any = answer.get(field)
        if not isinstance(told, str) or not 0 < len(told) <= TEXT_MAX or not told.isprintable():
            raise self._unreadable(field)
        return told

    def _base64(self, answer: Message, field: str) -> str:
        told: Any = answer.get(field)
        try:
            base64.b64decode(told, validate=True)
        except (TypeError, ValueError) as error:
            raise self._unreadable(field) from error
        return str(told)

    def _unreadable(self, field: str) -> DeviceError:
        return DeviceError(Condition.EXTENDED, device=self._name, reason=f"unreadable {field}")
