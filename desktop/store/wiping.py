"""A till that head office retired: keys and files go, and what is left says so.

``wiped.json`` is written first, so that whatever ends the process, the next start goes on. The keys
go next, with which an encrypted file is unreadable at once; the files when they are closed.
"""

import msgspec
import structlog

from desktop.store.database import TillFolder
from desktop.store.file_key import (
    MARKER_NAME,
    Kept,
    KeyStore,
    OwnerFile,
    flush_folder,
    read_encryption,
    shred,
    write_private,
)
from desktop.store.identity import key_files
from desktop.store.sealing import COPY_NAME
from shared.errors import EnvironmentFault

MARKER = "wiped.json"
WIPED = "till-wiped"
"""What ``wiped_fault`` says."""

log = structlog.get_logger("wiping")


class Wiped(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a till."""

    command_id: str
    store_name: str
    till_name: str
    at: str


UNPROVED = Wiped(command_id="", store_name="?", till_name="?", at="?")
"""What cannot be read: there is something that says so, and nobody knows who wrote it."""


def write_wiped(folder: TillFolder, wiped: Wiped) -> None:
    """Say that the till is no more; from here on there is no way back."""
    write_private(folder.path / MARKER, msgspec.json.encode(wiped))


def read_wiped(folder: TillFolder) -> Wiped | None:
    """What became of the till that was here; None for one that is."""
    try:
        return msgspec.json.decode((folder.path / MARKER).read_bytes(), type=Wiped)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        # It was written whole or not at all: a disk that fails, or somebody, says so, and not head
        # office. The till does not open, and nothing of it is destroyed.
        return UNPROVED


def wiped_fault(wiped: Wiped) -> EnvironmentFault:
    """What the screen says from now on."""
    return EnvironmentFault("till-wiped", store=wiped.store_name, till=wiped.till_name, at=wiped.at)


def destroy_rest(folder: TillFolder) -> Wiped | None:
    """Go on with a wipe that was begun; what became of the till, None for one that is."""
    wiped = read_wiped(folder)
    if wiped is not None and wiped != UNPROVED:
        destroy_files(folder)
    return wiped


def destroy_keys(folder: TillFolder) -> None:
    """The files' key and all signing keys; safe to repeat.

    Raises EnvironmentFault ``key-store-closed`` where the key store does not answer.
    """
    # A key that was being written when the power went lies under another name.
    for file in (*key_files(folder), *folder.path.glob("*.key.new")):
        shred(file)
    OwnerFile(folder.path).forget("")
    try:
        encryption = read_encryption(folder.path)
    except EnvironmentFault:
        # Altered, so nobody knows under which name the key is kept; the files go all the same.
        return
    if encryption is not None and encryption.kept is Kept.KEY_STORE:
        KeyStore().forget(encryption.name)


def destroy_files(folder: TillFolder) -> None:
    """All that is left, save ``wiped.json`` and the lock; nobody may have the database open.

    Where the key store does not answer, the files go all the same, and ``encryption.json`` stays:
    the next start asks the store again.
    """
    is_forgotten = True
    try:
        destroy_keys(folder)
    except EnvironmentFault as fault:
        is_forgotten = False
        log.warning("key-not-forgotten", code=fault.code)
    for name in (folder.database.name, COPY_NAME):
        for file in sorted(folder.path.glob(f"{name}*")):
            shred(file)
    for file in (folder.head, folder.snapshot, folder.snapshot.with_suffix(".part")):
        file.unlink(missing_ok=True)
    if is_forgotten:
        (folder.path / MARKER_NAME).unlink(missing_ok=True)
    flush_folder(folder.path)
