"""A file beside the database that only grows: a line for each thing, flushed when it is told."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

Line = TypeVar("Line", bound=msgspec.Struct)


class LineFile(Generic[Line]):
    """Lines of JSON, readable by their owner alone."""

    def __init__(self, file: Path, kind: type[Line]) -> None:
        self._file = file
        self._decoder = msgspec.json.Decoder(kind)

    def append(self, new: Iterable[Line]) -> None:
        """Add lines and flush them to the device, also behind one that was cut off."""
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in new)
        if not lines:
            return
        cut_off = self._file.exists() and not self._file.read_bytes().endswith(b"\n")
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as opened:
            opened.write(b"\n" + lines if cut_off else lines)
            opened.flush()
            os.fsync(opened.fileno())

    def read(self) -> Iterator[Line]:
        """All lines in their order; one that a crash cut off is none."""
        if not self._file.exists():
            return
        for line in self._file.read_bytes().splitlines():
            try:
                yield self._decoder.decode(line)
            except msgspec.MsgspecError:
                continue
