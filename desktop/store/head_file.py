"""``journal.head``: what the till knows it has committed, outside the database."""

import os
from pathlib import Path

from shared.journal.head_record import SLOT_BYTES, SLOTS, HeadRecord, decode_slots, encode_slot


class HeadFile:
    """Two slots written in turn, so that a torn write never costs both.

    It is not flushed: it guards against a database that lost what was reported as committed, not
    against a power cut that also lost this file's newest slot (then the database is ahead, which is
    fine).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def read(self) -> HeadRecord | None:
        """The newest valid record, or None for a missing or unreadable file."""
        try:
            return decode_slots(self._path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, record: HeadRecord) -> None:
        """Record a commit that has returned."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        slot = record.seq % SLOTS
        os.pwrite(self._descriptor, encode_slot(record), slot * SLOT_BYTES)

    def close(self) -> None:
        """Release the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
