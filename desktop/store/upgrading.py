"""A till's file of an older release, brought up to date on a copy.

The copy is migrated, checked against the old file and flushed, and takes its place in one step of
the file system. Whatever ends the process before that step leaves the old file as it was, for this
release or the one before. After it the old file is kept beside the new one until members are erased
(it would still name them) or a week has passed.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, inspect, text

from desktop.store.file_key import flush_file, flush_folder, shred
from desktop.store.upgrade import HEAD_REVISION, current_revision, upgrade
from shared.errors import EnvironmentFault

COPY_SUFFIX: Final = ".upgrading"
KEPT_SUFFIX: Final = ".before-"
KEPT_FOR: Final = timedelta(days=7)
_LOGS: Final = ("-wal", "-shm")
_UNCHANGED: Final = ("entries", "postings", "attachments", "head_signatures")
"""What no migration may touch: it is what happened."""

log = structlog.get_logger("upgrading")

OpenEngine = Callable[[Path], Engine]


def upgrade_file(file: Path, open_engine: OpenEngine) -> None:
    """Bring a till's file up to date; one that is empty or current stays as it is.

    Nobody else may have it open. Raises what SQLAlchemy and ``current_revision`` raise, OSError of
    the disk, and EnvironmentFault ``upgrade-differs`` where the copy lost anything: the old file is
    in use until all has gone well.
    """
    _drop_copy(file)
    found = _revision(file, open_engine)
    if found in (None, HEAD_REVISION):
        return
    copy = file.with_name(file.name + COPY_SUFFIX)
    try:
        _copy(file, copy)
        _migrate(copy, file, open_engine)
        flush_file(copy)
        _keep(file, file.with_name(f"{file.name}{KEPT_SUFFIX}{HEAD_REVISION}"))
        flush_folder(file.parent)
        copy.replace(file)
        flush_folder(file.parent)
    except Exception:
        with suppress(OSError):
            _drop_copy(file)
        raise
    log.info("upgraded", before=found, now=HEAD_REVISION)


def drop_kept(file: Path, *, as_of: datetime | None = None) -> None:
    """Delete what is kept of the time before an upgrade: all of it, or what is old enough."""
    for kept in file.parent.glob(f"{file.name}{KEPT_SUFFIX}*"):
        kept_since = datetime.fromtimestamp(kept.stat().st_mtime, UTC)
        if as_of is None or as_of - kept_since >= KEPT_FOR:
            shred(kept)


def _revision(file: Path, open_engine: OpenEngine) -> str | None:
    """The file's revision, with everything of its log in it."""
    engine = open_engine(file)
    try:
        with engine.connect() as connection:
            found = current_revision(connection)
        if found not in (None, HEAD_REVISION):
            _empty_log(engine, file)
        return found
    finally:
        engine.dispose()


def _empty_log(engine: Engine, file: Path) -> None:
    raw = engine.raw_connection()
    try:
        row = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        raw.close()
    if row[0]:
        raise EnvironmentFault("till-already-running", folder=str(file.parent))


def _copy(file: Path, copy: Path) -> None:
    copy.touch(mode=0o600)
    shutil.copyfile(file, copy)


def _migrate(copy: Path, original: Path, open_engine: OpenEngine) -> None:
    engine = open_engine(copy)
    before = open_engine(original)
    try:
        upgrade(engine)
        with engine.connect() as new, before.connect() as old:
            _compare(old, new, original)
        _empty_log(engine, copy)
    finally:
        before.dispose()
        engine.dispose()


def _compare(old: Connection, new: Connection, file: Path) -> None:
    """What happened is there as it was, and SQLite finds nothing wrong with the rest."""
    here = [one for one in _UNCHANGED if inspect(old).has_table(one)]
    is_same = all(_is_same(old, new, table) for table in here)
    is_whole = new.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"
    is_current = current_revision(new) == HEAD_REVISION
    has_strays = new.exec_driver_sql("PRAGMA foreign_key_check").first() is not None
    if not (is_same and is_whole and is_current) or has_strays:
        raise EnvironmentFault("upgrade-differs", file=str(file), known=HEAD_REVISION)


def _is_same(old: Connection, new: Connection, table: str) -> bool:
    """Whether every row has what it had, in the columns that there were."""
    columns = ", ".join(f'"{one["name"]}"' for one in inspect(old).get_columns(table))
    keys = inspect(old).get_pk_constraint(table)["constrained_columns"]
    order = ", ".join(f'"{one}"' for one in keys) or "rowid"
    statement = text(f"SELECT {columns} FROM {table} ORDER BY {order}")  # noqa: S608 - our own names
    pairs = zip_longest(old.execute(statement), new.execute(statement))
    return all(before == after for before, after in pairs)


def _keep(file: Path, kept: Path) -> None:
    """A second name of the old file, or a copy where the file system has no such names."""
    kept.unlink(missing_ok=True)
    try:
        kept.hardlink_to(file)
    except OSError:
        _copy(file, kept)
        flush_file(kept)
    os.utime(kept)  # from now on


def _drop_copy(file: Path) -> None:
    for suffix in ("", *_LOGS):
        file.with_name(f"{file.name}{COPY_SUFFIX}{suffix}").unlink(missing_ok=True)
