"""A printer of the Windows spooler, data type RAW.

Source: Microsoft, Print Spooler API (StartDocPrinter, GetJob, SetJob, GetPrinter). Reached through
pywin32's ``win32print``, which exists on Windows only.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from hardware.ports import Condition
from hardware.printer.queue import QueuedJob, QueueError, QueueHealth

JOB_LEVEL: Final = 1
PRINTER_LEVEL: Final = 2
CANCEL: Final = 3
"""JOB_CONTROL_CANCEL."""
JOB_ENDED: Final = 0x80 | 0x1000
"""JOB_STATUS_PRINTED, JOB_STATUS_COMPLETE."""
JOB_DELETED: Final = 0x04 | 0x100
"""JOB_STATUS_DELETING, JOB_STATUS_DELETED."""
ERROR_ACCESS_DENIED: Final = 5
ERROR_INVALID_PARAMETER: Final = 87
"""What GetJob says of a job that has left the queue."""
TROUBLES: Final = (
    (0x0040_0000, "devices.printer.cover-open"),  # PRINTER_STATUS_DOOR_OPEN
    (0x0000_0010, "devices.printer.paper-out"),  # PRINTER_STATUS_PAPER_OUT
    (0x0000_0080, "devices.printer.offline"),  # PRINTER_STATUS_OFFLINE
    (0x0000_1000, "devices.printer.offline"),  # PRINTER_STATUS_NOT_AVAILABLE
    (0x0000_000A, "devices.printer.error"),  # PRINTER_STATUS_ERROR, _PAPER_JAM
    (0x0000_0001, "devices.printer.queue-stands"),  # PRINTER_STATUS_PAUSED
)
WORK_OFFLINE: Final = 0x400
"""PRINTER_ATTRIBUTE_WORK_OFFLINE."""


@dataclass(slots=True)
class WindowsQueue:
    """A printer by the name Windows gives it. ``spooler`` is ``win32print`` or what stands in."""

    printer: str
    spooler: Any = field(default=None)
    _withdrawn: set[int] = field(default_factory=set)

    def health(self, *, timeout_s: float) -> QueueHealth:  # noqa: ARG002 - the spooler is local
        """See ``PrintQueue.health``."""
        with self._opened() as (spooler, handle):
            found = spooler.GetPrinter(handle, PRINTER_LEVEL)
        status, attributes = found["Status"], found["Attributes"]
        if attributes & WORK_OFFLINE:
            status |= 0x80
        for mask, key in TROUBLES:
            if status & mask:
                return QueueHealth(can_print=False, condition=Condition.OFFLINE, message_key=key)
        return QueueHealth(can_print=True)

    def submit(self, data: bytes, *, title: str, timeout_s: float) -> int:  # noqa: ARG002 - as above
        """See ``PrintQueue.submit``. In doubt from the first byte written on: a spooler may print
        while it is being written to."""
        begun = False
        with self._opened() as (spooler, handle):
            try:
                job: int = spooler.StartDocPrinter(handle, 1, (title, None, "RAW"))
                spooler.StartPagePrinter(handle)
                begun = True
                written = spooler.WritePrinter(handle, data)
                spooler.EndPagePrinter(handle)
                spooler.EndDocPrinter(handle)
            except Exception as error:
                # pywintypes.error exists on Windows only, and cannot be named here.
                raise QueueError(Condition.FAILURE, str(error), in_doubt=begun) from error
        if written != len(data):
            raise QueueError(Condition.FAILURE, f"{written} of {len(data)} bytes", in_doubt=True)
        return job

    def look_at(self, job: int, *, timeout_s: float) -> QueuedJob:  # noqa: ARG002 - as above
        """See ``PrintQueue.look_at``. Windows does not say whether a first byte has left: a job
        that was withdrawn is in doubt, and one that is in the queue may be on its way."""
        with self._opened() as (spooler, handle):
            try:
                status = spooler.GetJob(handle, job, JOB_LEVEL)["Status"]
            except Exception as error:
                if _number(error) != ERROR_INVALID_PARAMETER:
                    raise QueueError(Condition.FAILURE, str(error)) from error
                return QueuedJob.BROKEN_OFF if job in self._withdrawn else QueuedJob.DONE
        if status & JOB_DELETED:
            return QueuedJob.BROKEN_OFF
        return QueuedJob.DONE if status & JOB_ENDED else QueuedJob.SENDING

    def withdraw(self, job: int, *, timeout_s: float) -> None:  # noqa: ARG002 - as above
        """See ``PrintQueue.withdraw``."""
        self._withdrawn.add(job)
        with self._opened() as (spooler, handle):
            try:
                spooler.SetJob(handle, job, 0, None, CANCEL)
            except Exception as error:
                raise QueueError(Condition.FAILURE, str(error)) from error

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        spooler = self.spooler or _win32print()
        try:
            handle = spooler.OpenPrinter(self.printer)
        except Exception as error:
            denied = _number(error) == ERROR_ACCESS_DENIED
            condition = Condition.NOSERVICE if denied else Condition.NOHARDWARE
            raise QueueError(condition, str(error)) from error
        try:
            yield spooler, handle
        finally:
            spooler.ClosePrinter(handle)


def _win32print() -> Any:
    try:
        return importlib.import_module("win32print")
    except ImportError as error:
        raise QueueError(Condition.NOSERVICE, "not on Windows, or without pywin32") from error


def _number(error: Exception) -> int:
    """The Windows error number of a ``pywintypes.error``; 0 for other exceptions."""
    return getattr(error, "winerror", 0)
