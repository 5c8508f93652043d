"""``journal.head``: what the till knows it has committed, outside the database."""

from pathlib import Path
from typing import IO

from shared.errors import EnvironmentFault
from shared.journal.head_record import SLOT_BYTES, SLOTS, HeadRecord, decode_slots, encode_slot


class HeadFile:
    """Two slots written in turn, so that a torn write never costs both.

    It is not flushed: it guards against a database that lost what was reported as committed, not
    against a power cut that also lost this file's newest slot (then the database is ahead, which is
    fine).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read(self) -> HeadRecord | None:
        """The newest valid record, or None for a missing or unreadable file."""
        try:
            return decode_slots(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = str(error.strerror)
            raise EnvironmentFault(
                "folder-unusable", folder=str(self._path), reason=reason
            ) from error

    def write(self, record: HeadRecord) -> None:
        """Record a commit that has returned."""
        if self._file is None:
            self._path.touch(mode=0o600)
            self._file = self._path.open("r+b", buffering=0)
        self._file.seek(record.seq % SLOTS * SLOT_BYTES)
        self._file.write(encode_slot(record))

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
