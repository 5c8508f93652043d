"""The log is lost before anything else is."""

import io
import sys

import pytest
import structlog

from shared.log_output import LOG_OUTPUT


class Full(io.StringIO):
    """A file on a disk that is full."""

    def write(self, text: str, /) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


FACTORIES = (
    structlog.PrintLoggerFactory(file=LOG_OUTPUT),
    structlog.WriteLoggerFactory(file=LOG_OUTPUT),
)


@pytest.mark.parametrize("factory", FACTORIES, ids=("till", "server"))
@pytest.mark.parametrize("stream", [Full(), closed(), None], ids=("full", "closed", "none"))
def test_a_log_that_cannot_be_written_stops_nothing(factory, stream, monkeypatch):
    log = structlog.wrap_logger(factory())
    monkeypatch.setattr(sys, "stderr", stream)
    log.error("bug")


@pytest.mark.parametrize("factory", FACTORIES, ids=("till", "server"))
def test_the_log_goes_to_stderr_as_it_is_now(factory, capsys):
    structlog.wrap_logger(factory()).error("bug")
    assert "bug" in capsys.readouterr().err
