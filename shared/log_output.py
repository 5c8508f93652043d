"""Where log lines go: stderr as it is at the moment."""

import sys
from typing import Final, TextIO, cast


class _Stderr:
    """Loses a line that cannot be written: no sale and no push fails for the sake of its log.

    stderr is a pipe whose reader has gone, a file on a full disk, or nothing at all (a program
    without a console on Windows).
    """

    def write(self, text: str) -> int:
        stream = cast("TextIO | None", sys.stderr)
        if stream is not None:
            try:
                stream.write(text)
            except (OSError, ValueError):
                return 0
        return len(text)

    def flush(self) -> None:
        stream = cast("TextIO | None", sys.stderr)
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                return


LOG_OUTPUT: Final = cast("TextIO", _Stderr())
"""Given to the logger's factory in place of ``sys.stderr``."""
