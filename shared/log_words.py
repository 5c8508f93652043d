"""How log lines are made: one JSON object each, and nothing in them that somebody typed.

What an exception says may quote a name or a number, and a traceback with local variables holds all
of them. A log has the exception's type and the places it went through, which is what finds a bug.
"""

import logging
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final

import structlog

from shared.log_output import LOG_OUTPUT

PLACES_MAX: Final = 12
"""Of an exception's way, the innermost."""
_LIBRARIES: Final = ("uvicorn", "uvicorn.error", "asyncio")


def configure_logging(level: str) -> None:
    """Let everything in this process that logs or fails do so without anybody's data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=LOG_OUTPUT),
        cache_logger_on_first_use=True,
    )
    handler = _Bare(level.upper())
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def without_words(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: an exception becomes its type and its places."""
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event.update(told_of(error))
    return event


def told_of(error: BaseException) -> dict[str, Any]:
    """What may be said of an exception: its type, those of its causes, and where it went."""
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < PLACES_MAX:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return {"exception": kinds[0], "causes": kinds[1:], "places": _places(error.__traceback__)}


def _places(trace: TracebackType | None) -> list[str]:
    found: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-PLACES_MAX:]


class _Bare(logging.Handler):
    """Lines of libraries: their text is their own, what failed is told by its type."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        log = structlog.get_logger(record.name)
        error = record.exc_info[1] if record.exc_info else None
        # Of the text only the pattern: what is put into it may come from a client.
        log.log(record.levelno, str(record.msg).strip(), **({"exc_info": error} if error else {}))


def _uncaught(
    _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    structlog.get_logger("process").error("uncaught", **told_of(error))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        structlog.get_logger("process").error("uncaught", **told_of(told.exc_value))
