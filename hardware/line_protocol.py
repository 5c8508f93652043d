"""Questions and answers as lines of JSON over TCP: payment gateways and fiscal devices speak it.

A question is one JSON object on one line of UTF-8, ended by LF: ``v`` (1), ``id`` (made up for it),
``ask`` (what is wanted) and the fields of that. Its answer is one such line with the same ``id``;
``error`` in it names why there is none. Lines with another ``id`` answer nobody and are passed
over. One connection carries one question, so that a line cut off in the middle hurts nothing else.
"""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from typing import Any, Final

from hardware.ports import Condition, DeviceError, DeviceState, Health, Power

VERSION: Final = 1
LINE_BYTES_MAX: Final = 256 * 1024
READ_BYTES: Final = 64 * 1024
ID_BYTES: Final = 8

Message = dict[str, Any]


class NotReached(DeviceError):
    """No connection came about: not one byte of the question has left."""


class Refused(DeviceError):
    """The other side understood and refuses; ``why`` is its word for the reason."""

    def __init__(self, device: str, why: str) -> None:
        super().__init__(Condition.ILLEGAL, device=device, reason=why)
        self.why = why


class LineClient:
    """Asks one address; holds nothing between two questions and may be used by any thread."""

    def __init__(self, device: str, host: str, port: int) -> None:
        self._device = device
        self._address = (host, port)

    def ask(self, what: str, *, deadline_s: float, **fields: object) -> Message:
        """The answer to a question.

        Raises NotReached before anything was sent; DeviceError TIMEOUT, FAILURE (cut off) or
        EXTENDED (unreadable) after that, when it may have been heard; Refused.
        """
        give_up = time.monotonic() + deadline_s
        question = {"v": VERSION, "id": secrets.token_hex(ID_BYTES), "ask": what, **fields}
        with self._connected(give_up) as connection:
            try:
                connection.sendall(written(question))
                return self._answer(connection, str(question["id"]), give_up)
            except TimeoutError as error:
                raise DeviceError(Condition.TIMEOUT, device=self._device) from error
            except OSError as error:
                raise DeviceError(
                    Condition.FAILURE, device=self._device, reason=str(error)
                ) from error

    def _connected(self, give_up: float) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, timeout=_left(give_up))
        except TimeoutError as error:
            raise NotReached(Condition.TIMEOUT, device=self._device) from error
        except OSError as error:
            raise NotReached(
                Condition.NOHARDWARE, device=self._device, reason=str(error)
            ) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _answer(self, connection: socket.socket, question_id: str, give_up: float) -> Message:
        for line in _lines(connection, give_up):
            try:
                message = read(line)
            except ValueError as error:
                raise DeviceError(
                    Condition.EXTENDED, device=self._device, reason="unreadable"
                ) from error
            if message.get("id") != question_id:
                continue
            if why := message.get("error"):
                raise Refused(self._device, str(why))
            return message
        raise DeviceError(Condition.FAILURE, device=self._device, reason="cut off")


_POWER: Final = {Condition.NOHARDWARE: Power.OFF, Condition.TIMEOUT: Power.OFFLINE}


def line_health(device: str, line: LineClient, deadline_s: float) -> Health:
    """What a device behind a line answers when it is asked for its state; never raises."""

    def found(state: DeviceState, power: Power, said: str) -> Health:
        return Health(device, state, power, f"devices.asked.{said}")

    try:
        line.ask("status", deadline_s=deadline_s)
    except Refused:
        return found(DeviceState.ERROR, Power.OFFLINE, "refused")
    except DeviceError as error:
        power = _POWER.get(error.condition, Power.OFFLINE)
        return found(DeviceState.ERROR, power, error.condition.value)
    return found(DeviceState.IDLE, Power.ONLINE, "ready")


class LineDevice:
    """What every device behind this protocol shares: it holds no connection, so nothing is lost."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name = name
        self._line = LineClient(name, host, port)

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Nothing to do: each question connects by itself."""

    def close(self) -> None:
        """Nothing to do."""

    def check_health(self, *, deadline_s: float) -> Health:
        """Ask for its state; one that is busy with a customer is well."""
        return line_health(self._name, self._line, deadline_s)


def written(message: Message) -> bytes:
    """A message as its line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read(line: bytes) -> Message:
    """The message of a line. ValueError where it is none of this protocol."""
    message = json.loads(line)
    if not isinstance(message, dict) or message.get("v") != VERSION:
        raise ValueError("not a message of this version")
    return message


def _left(give_up: float) -> float:
    left = give_up - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _lines(connection: socket.socket, give_up: float) -> Iterator[bytes]:
    """Whole lines until the other side ends; TimeoutError at the deadline, OSError if too long."""
    kept = b""
    while True:
        connection.settimeout(_left(give_up))
        data = connection.recv(READ_BYTES)
        if not data:
            return
        *whole, kept = (kept + data).split(b"\n")
        yield from whole
        if len(kept) > LINE_BYTES_MAX:
            raise OSError("the line is too long")
