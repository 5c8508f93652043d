"""What a printer sends back, told apart byte by byte.

Four kinds of answers share one line and may come in pieces, late, or with flow control and noise
between them. Their fixed bits tell them apart. Source: Epson ESC/POS command reference,
``DLE EOT``, ``GS a``, ``GS r``, ``GS ( H``.
"""

from dataclasses import dataclass, field

ECHO_HEADER = b"\x37\x22"
ECHO_NUMBER_BYTES = 4
AUTOMATIC_BYTES = 4
FLOW_CONTROL = frozenset(b"\x11\x13")


def is_real_time_status(byte: int) -> bool:
    """Whether a byte can be an answer to ``DLE EOT``: fixed bits 0, 1, 4 and 7 are right."""
    return byte & 0x93 == 0x12


def is_automatic_start(byte: int) -> bool:
    """Whether a byte can begin an automatic status (``GS a``), four bytes."""
    return byte & 0x93 == 0x10


def is_plain_status(byte: int) -> bool:
    """Whether a byte can be an answer to ``GS r``, or one of the last three of ``GS a``."""
    return byte & 0x90 == 0


@dataclass(slots=True)
class AnswerReader:
    """Sorts what has come so far; what is not complete yet waits for its rest."""

    real_time: list[int] = field(default_factory=list)
    """Answers to ``DLE EOT``."""
    paper: list[int] = field(default_factory=list)
    """Answers to ``GS r 1``."""
    automatic: list[bytes] = field(default_factory=list)
    """Automatic status (``GS a``), four bytes each."""
    echoes: list[bytes] = field(default_factory=list)
    """Numbers that came back by ``GS ( H``."""
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Sort some more bytes."""
        self._rest += bytes(byte for byte in data if byte not in FLOW_CONTROL)
        while self._rest and (taken := self._take()):
            self._rest = self._rest[taken:]

    def _take(self) -> int:
        """Sort what stands at the front; how many bytes that were, 0 if it is not complete."""
        first = self._rest[0]
        if first == ECHO_HEADER[0]:
            return self._take_echo()
        if is_automatic_start(first):
            return self._take_automatic()
        if is_real_time_status(first):
            self.real_time.append(first)
        elif is_plain_status(first):
            self.paper.append(first)
        return 1

    def _take_echo(self) -> int:
        end = len(ECHO_HEADER) + ECHO_NUMBER_BYTES
        if not ECHO_HEADER.startswith(self._rest[: len(ECHO_HEADER)]):
            return 1
        if len(self._rest) <= end:
            return 0
        if self._rest[end] != 0:
            return 1
        self.echoes.append(self._rest[len(ECHO_HEADER) : end])
        return end + 1

    def _take_automatic(self) -> int:
        """A first byte that no proper second follows is noise, and hides nothing behind it."""
        block = self._rest[:AUTOMATIC_BYTES]
        if not all(map(is_plain_status, block[1:])):
            return 1
        if len(block) < AUTOMATIC_BYTES:
            return 0
        self.automatic.append(block)
        return AUTOMATIC_BYTES
