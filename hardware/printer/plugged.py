"""A printer on a serial line, found by what is plugged in."""

from dataclasses import dataclass

from hardware.ports import Condition
from hardware.printer.transport import Link, LinkError, SerialTransport
from hardware.serial_port import resolve_port


@dataclass(frozen=True, slots=True)
class PluggedSerialTransport(SerialTransport):
    """As ``SerialTransport``, and ``port`` may be ``usb:VID:PID[:SERIAL]``.

    It is looked for anew for each job: a printer that was plugged in again prints on, whatever its
    port is called now.
    """

    def connect(self, *, timeout_s: float) -> Link:
        """See ``SerialTransport.connect``; LinkError NOHARDWARE while nothing is plugged in."""
        port = resolve_port(self.port)
        if port is None:
            raise LinkError(Condition.NOHARDWARE, f"{self.port} is not plugged in")
        here = SerialTransport(port, self.baud, self.hardware_handshake)
        return here.connect(timeout_s=timeout_s)
