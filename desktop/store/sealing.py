"""Encrypting a till's files: new ones from the start, older ones on a copy.

A plain database is copied into an encrypted one, the copy is compared row by row, flushed, and put
in the place of the plain one in one step of the file system. Whatever ends the process before that
step leaves the plain file as it was; the key was stored before, so what ends it after that step
leaves a file that opens.
"""

from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from desktop.store.database import FILE_NAME, TillFolder
from desktop.store.driver import DriverError, sqlite_module
from desktop.store.file_key import (
    MARKER_NAME,
    Encryption,
    FileKey,
    find_key,
    flush_file,
    flush_folder,
    keep_new_key,
    read_encryption,
)
from desktop.store.identity import has_wrapped_keys, wrap_keys
from desktop.store.upgrading import drop_kept
from shared.errors import EnvironmentFault

PLAIN_HEAD: Final = b"SQLite format 3\0"
COPY_NAME: Final = f"{FILE_NAME}.sealing"

log = structlog.get_logger("sealing")


def is_plain(file: Path) -> bool:
    """Whether a file is a database that anybody can read."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(PLAIN_HEAD)) == PLAIN_HEAD
    except FileNotFoundError:
        return False


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _encryption(folder: TillFolder) -> Encryption | None:
    encryption = read_encryption(folder.path)
    # Keys are encrypted after the database is: a folder that has one was encrypted.
    if encryption is None and not is_plain(folder.database) and has_wrapped_keys(folder):
        raise EnvironmentFault("encryption-unreadable", file=str(folder.path / MARKER_NAME))
    return encryption


def unlock(folder: TillFolder) -> TillFolder:
    """The folder with the key of its files, where they are encrypted; changes nothing.

    Raises what ``file_key.find_key`` and ``file_key.read_encryption`` raise; the latter's
    ``encryption-unreadable`` also where the file is gone beside keys that are encrypted.
    """
    encryption = _encryption(folder)
    if encryption is None or is_plain(folder.database):
        return folder
    return replace(folder, key=find_key(folder.path, encryption))


def seal(folder: TillFolder) -> TillFolder:
    """The folder with its files encrypted; whoever calls it holds the till's lock.

    Where a key or the copy cannot be written (no room, a damaged page) the plain file stays in use,
    which is logged: a till that sells unencrypted is better than one that does not sell. Raises as
    ``unlock`` does.
    """
    (folder.path / COPY_NAME).unlink(missing_ok=True)
    encryption = _encryption(folder)
    was_plain = is_plain(folder.database)
    if encryption is not None:
        key = find_key(folder.path, encryption)
    elif was_plain or not _has_content(folder.database):
        try:
            key = keep_new_key(folder.path)
        except OSError as error:
            log.warning("not-encrypted", exc_info=error)
            return folder
    else:
        # Neither plain nor said to be encrypted: opening it will say that it is damaged.
        return folder
    if was_plain:
        try:
            _replace_by_copy(folder, key)
        except (OSError, DriverError) as error:
            (folder.path / COPY_NAME).unlink(missing_ok=True)
            log.warning("not-encrypted", exc_info=error)
            return folder
    sealed = replace(folder, key=key)
    try:
        wrap_keys(sealed)
    except OSError as error:
        # They are read as they lie, and encrypted with a later start.
        log.warning("keys-not-encrypted", exc_info=error)
    return sealed


def _replace_by_copy(folder: TillFolder, key: FileKey) -> None:
    copy = folder.path / COPY_NAME
    with closing(sqlite_module.connect(str(folder.database), isolation_level=None)) as plain:
        _empty_log(plain)
        plain.execute("ATTACH DATABASE ? AS sealed KEY ?", (str(copy), key.database))
        plain.execute("BEGIN IMMEDIATE")
        plain.execute("SELECT sqlcipher_export('sealed')")
        _compare(plain)
        plain.execute("COMMIT")
        plain.execute("DETACH DATABASE sealed")
    # Closing emptied and removed the log; one that is left belongs to nobody, and would be read as
    # the new file's.
    for log_file in ("-wal", "-shm"):
        folder.database.with_name(folder.database.name + log_file).unlink(missing_ok=True)
    # Members in clear: they are fetched again.
    folder.snapshot.unlink(missing_ok=True)
    folder.snapshot.with_suffix(".part").unlink(missing_ok=True)
    flush_file(copy)
    _put_in_place(copy, folder.database)
    # What an upgrade left beside it is in clear, too.
    drop_kept(folder.database)


def _empty_log(plain: Any) -> None:
    """Everything into the one file, so that nothing hangs on the log's name."""
    row = plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if row is not None and row[0]:
        raise OSError("somebody reads the till's file")


def _compare(plain: Any) -> None:
    """Every table of the copy has the same rows, and every index and trigger is there."""
    same = "SELECT type, name, tbl_name, sql FROM {0}.sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
    tables = ["(" + same.format("{0}") + ")"]
    tables += [
        '{0}."' + name + '"'
        for (name,) in plain.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    ]
    for table in tables:
        ours, theirs = table.format("main"), table.format("sealed")
        counts = plain.execute(
            f"SELECT (SELECT COUNT(*) FROM {ours}), (SELECT COUNT(*) FROM {theirs})"  # noqa: S608
        ).fetchone()
        differing = plain.execute(
            f"SELECT 1 FROM (SELECT * FROM {ours} EXCEPT SELECT * FROM {theirs}) LIMIT 1"  # noqa: S608
        ).fetchone()
        if counts[0] != counts[1] or differing is not None:
            raise OSError(f"the copy differs in {table}")
    if plain.execute("PRAGMA sealed.quick_check(1)").fetchone()[0] != "ok":
        raise OSError("the copy is damaged")


def _put_in_place(copy: Path, file: Path) -> None:
    with suppress(OSError):
        copy.chmod(0o600)
    copy.replace(file)
    flush_folder(file.parent)
