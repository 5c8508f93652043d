"""A raw queue of CUPS, spoken to by IPP over HTTP.

By IPP and not by ``lp``: the answer to "was its first byte sent?" (``time-at-processing``) is what
tells a job that may be tried again from one that may not.
"""

import getpass
import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from hardware.ports import Condition
from hardware.printer import ipp
from hardware.printer.ipp import Answer, Attribute, Operation
from hardware.printer.queue import QueuedJob, QueueError, QueueHealth

PORT: Final = 631
STOPPED: Final = 5
"""RFC 8011, printer-state."""
PENDING, HELD, PROCESSING, PROCESSING_STOPPED = 3, 4, 5, 6
"""RFC 8011, job-state."""
CANCELED, ABORTED, COMPLETED = 7, 8, 9
RAW: Final = "application/vnd.cups-raw"
NOT_FOUND: Final = 0x0406
REASONS: Final = {
    "media-empty": "devices.printer.paper-out",
    "media-needed": "devices.printer.paper-out",
    "cover-open": "devices.printer.cover-open",
    "door-open": "devices.printer.cover-open",
    "offline": "devices.printer.offline",
    "connecting-to-device": "devices.printer.silent",
    "paused": "devices.printer.queue-stands",
}
"""Beginnings of printer-state-reasons (RFC 8011 5.4.12; each may end in -report, -error …)."""


@dataclass(slots=True)
class CupsQueue:
    """A queue by name, on this machine or another."""

    queue: str
    host: str = "localhost"
    port: int = PORT
    _numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def health(self, *, timeout_s: float) -> QueueHealth:
        """See ``PrintQueue.health``."""
        answer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, timeout_s=timeout_s)
        if answer.status == NOT_FOUND:
            raise QueueError(Condition.NOHARDWARE, f"no queue {self.queue}")
        _check(answer)
        told = next(filter(None, map(_told, answer.words("printer-state-reasons"))), "")
        if answer.number("printer-state") == STOPPED:
            key = told or "devices.printer.queue-stands"
            return QueueHealth(can_print=False, condition=Condition.OFFLINE, message_key=key)
        if told and told != "devices.printer.silent":
            return QueueHealth(can_print=False, condition=Condition.OFFLINE, message_key=told)
        return QueueHealth(can_print=True)

    def submit(self, data: bytes, *, title: str, timeout_s: float) -> int:
        """See ``PrintQueue.submit``."""
        answer = self._ask(
            Operation.PRINT_JOB,
            Attribute(ipp.NAME, "job-name", title),
            Attribute(ipp.MIME_TYPE, "document-format", RAW),
            document=data,
            timeout_s=timeout_s,
        )
        _check(answer)
        job = answer.number("job-id")
        if job is None:
            raise QueueError(Condition.FAILURE, "an answer without a job", in_doubt=True)
        return job

    def look_at(self, job: int, *, timeout_s: float) -> QueuedJob:
        """See ``PrintQueue.look_at``."""
        answer = self._ask(
            Operation.GET_JOB_ATTRIBUTES,
            Attribute(ipp.INTEGER, "job-id", job),
            timeout_s=timeout_s,
        )
        _check(answer)
        return _job_state(answer)

    def withdraw(self, job: int, *, timeout_s: float) -> None:
        """See ``PrintQueue.withdraw``; a job that has ended cannot be, and that is no error."""
        self._ask(Operation.CANCEL_JOB, Attribute(ipp.INTEGER, "job-id", job), timeout_s=timeout_s)

    def _ask(
        self,
        operation: Operation,
        *attributes: Attribute,
        timeout_s: float,
        document: bytes = b"",
    ) -> Answer:
        """One request; QueueError is in doubt from the first byte of a document on."""
        path = f"/printers/{self.queue}"
        body = ipp.request(
            operation,
            self._numbers(),
            Attribute(ipp.URI, "printer-uri", f"ipp://{self.host}:{self.port}{path}"),
            *_with_user(attributes),
        )
        line = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        in_doubt = False
        try:
            line.connect()
            in_doubt = bool(document)
            line.request("POST", path, body + document, {"Content-Type": "application/ipp"})
            got = line.getresponse()
            if got.status != http.HTTPStatus.OK:
                raise QueueError(Condition.NOSERVICE, f"HTTP {got.status}")
            return ipp.read_answer(got.read())
        except TimeoutError as error:
            raise QueueError(Condition.TIMEOUT, str(error), in_doubt=in_doubt) from error
        except ConnectionRefusedError as error:
            raise QueueError(Condition.NOSERVICE, str(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise QueueError(Condition.FAILURE, str(error), in_doubt=in_doubt) from error
        finally:
            line.close()


def _with_user(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    """The user stands after the target of an operation (RFC 8011 4.1.5), which may be a job."""
    target = tuple(item for item in attributes if item.name == "job-id")
    rest = tuple(item for item in attributes if item.name != "job-id")
    return (*target, Attribute(ipp.NAME, "requesting-user-name", getpass.getuser()), *rest)


def _check(answer: Answer) -> None:
    if not answer.is_good:
        reason = " ".join(answer.words("status-message")) or f"status {answer.status:#06x}"
        raise QueueError(Condition.NOSERVICE, reason)


def _told(reason: str) -> str:
    return next((key for start, key in REASONS.items() if reason.startswith(start)), "")


def _job_state(answer: Answer) -> QueuedJob:
    """A job counts as begun as soon as CUPS has ever given it to its backend."""
    state = answer.number("job-state")
    has_begun = answer.number("time-at-processing") is not None
    if state == COMPLETED:
        return QueuedJob.DONE
    if state in (CANCELED, ABORTED):
        return QueuedJob.BROKEN_OFF if has_begun else QueuedJob.WITHDRAWN
    if state in (PENDING, HELD) and not has_begun:
        return QueuedJob.WAITING
    return QueuedJob.SENDING
