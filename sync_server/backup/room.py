"""Room for a restored server in a folder: what is there is moved aside, and back if it fails."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import EnvironmentFault
from sync_server.bootstrap import DATABASE_FILE, KEYS_FOLDER, URL_FILE
from sync_server.database.process_lock import ProcessLock

_NAMES: Final = (KEYS_FOLDER, URL_FILE, *(DATABASE_FILE + end for end in ("", "-wal", "-shm")))


@dataclass(slots=True)
class Room:
    """A folder that is free of any server."""

    moved_to: Path | None
    """Where the server is that was there; None where there was none."""
    is_taken: bool = False
    """The restored server is whole: it stays, whatever happens from now on."""


@contextmanager
def room_in(folder: Path, now: str, *, replace: bool) -> Iterator[Room]:
    """Move a server that lies in a folder aside; back if it is not taken in the end.

    Raises EnvironmentFault ``folder-has-server`` unless told to ``replace``, ``database-in-use``.
    """
    found = _found(folder)
    if found and not replace:
        raise EnvironmentFault("folder-has-server", folder=str(folder))
    room = Room(None)
    if found:
        room.moved_to = folder / f"replaced-{now.translate(str.maketrans('', '', '-:.'))[:18]}"
        with ProcessLock(folder / DATABASE_FILE):
            room.moved_to.mkdir(mode=0o700)
            _move(found, room.moved_to)
    try:
        yield room
    finally:
        if not room.is_taken:
            _put_back(folder, room.moved_to)


def _found(folder: Path) -> list[Path]:
    return [folder / name for name in _NAMES if (folder / name).exists()]


def _move(files: list[Path], to: Path) -> None:
    for path in files:
        path.rename(to / path.name)


def _put_back(folder: Path, moved_to: Path | None) -> None:
    for path in _found(folder):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if moved_to is not None:
        _move(_found(moved_to), folder)
        moved_to.rmdir()
