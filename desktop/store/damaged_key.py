"""The key of a damaged till's files, also where what says where it is was damaged."""

from contextlib import suppress
from dataclasses import replace

from desktop.store.database import TillFolder
from desktop.store.file_key import KEY_BYTES, FileKey, OwnerFile
from desktop.store.pages import Pages
from desktop.store.sealing import is_plain, unlock
from shared.errors import EnvironmentFault


def unlock_damaged(folder: TillFolder, pages: Pages) -> TillFolder:
    """The folder with the key of its files; changes nothing.

    A key that lies beside the files and proves one of their pages is theirs, whatever
    ``encryption.json`` says by now. Raises what ``sealing.unlock`` raises.
    """
    fault: EnvironmentFault | None = None
    try:
        unlocked = unlock(folder)
    except EnvironmentFault as error:
        unlocked, fault = folder, error
    if unlocked.key is not None or is_plain(folder.database):
        return unlocked
    key = _beside(folder)
    if key is not None and pages.salt(key.pages) is not None:
        return replace(folder, key=key)
    if fault is not None:
        raise fault
    return unlocked


def _beside(folder: TillFolder) -> FileKey | None:
    raw = None
    with suppress(EnvironmentFault):
        raw = OwnerFile(folder.path).read("")
    return FileKey(raw) if raw is not None and len(raw) == KEY_BYTES else None
