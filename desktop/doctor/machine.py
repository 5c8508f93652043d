"""The till's files, its machine and its server. Reads only, also beside a till that runs."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from desktop.doctor.finding import Finding, Verdict
from desktop.presenters.text import error_text, say
from desktop.store.database import TillFolder, open_reading
from desktop.store.file_key import read_encryption
from desktop.store.identity import read_identity
from desktop.store.journal import last_hybrid_time
from desktop.store.sealing import unlock
from desktop.sync.http import ServerConnection
from hardware.ports import DeviceError
from hardware.worker import DeviceWorker
from shared.clock import Clock, hybrid_milliseconds
from shared.errors import EvertillError

ROOM_LEAST_BYTES = 200 * 1024 * 1024
ROOM_SOON_BYTES = 1024 * 1024 * 1024
CLOCK_OFF_S = 120
"""As far apart as two clocks may be before receipts tell wrong times."""
SERVER_DEADLINE_S = 8.0
MIB = 1024 * 1024


def examine_disk(folder: Path) -> Finding:
    """Room on the disk of the till's folder."""
    place = next(one for one in (folder.resolve(), *folder.resolve().parents) if one.exists())
    free = shutil.disk_usage(place).free
    verdict = Verdict.WELL if free >= ROOM_SOON_BYTES else Verdict.ATTENTION
    verdict = Verdict.BAD if free < ROOM_LEAST_BYTES else verdict
    said = say(f"doctor.disk.{verdict}", mebibytes=free // MIB)
    return Finding(say("doctor.what.disk"), verdict, said)


def examine_store(folder: TillFolder, clock: Clock) -> Iterator[Finding]:
    """Keys, database, clock and server of an enrolled till; one line for a folder without one."""
    what = say("doctor.what.database")
    if not folder.database.exists():
        yield Finding(what, Verdict.WELL, say("doctor.database.none"))
        return
    try:
        opened = unlock(folder)
        yield _keys(folder)
        engine = open_reading(opened)
    except EvertillError as error:
        yield Finding(what, Verdict.BAD, error_text(error))
        return
    try:
        yield from _opened(engine, clock)
    except EvertillError as error:
        yield Finding(what, Verdict.BAD, error_text(error))
    finally:
        engine.dispose()


def _keys(folder: TillFolder) -> Finding:
    encryption = read_encryption(folder.path)
    kept = encryption.kept.value if encryption is not None else "none"
    verdict = Verdict.ATTENTION if encryption is None else Verdict.WELL
    return Finding(say("doctor.what.keys"), verdict, say(f"doctor.keys.{kept}"))


def _opened(engine: Engine, clock: Clock) -> Iterator[Finding]:
    with engine.connect() as connection:
        answer = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        last = last_hybrid_time(connection)
        identity = read_identity(connection)
    what = say("doctor.what.database")
    if answer == "ok":
        yield Finding(what, Verdict.WELL, say("doctor.database.whole"))
    else:
        yield Finding(what, Verdict.BAD, say("doctor.database.damaged"))
    if last is not None:
        yield _clock_by_journal(hybrid_milliseconds(last) / 1000, clock)
    if identity is not None:
        yield from _server(identity.server_url, clock)


def _clock_by_journal(written_at: float, clock: Clock) -> Finding:
    what = say("doctor.what.clock")
    if clock.now().timestamp() < written_at - CLOCK_OFF_S:
        return Finding(what, Verdict.BAD, say("doctor.clock.behind-journal"))
    return Finding(what, Verdict.WELL, say("doctor.clock.after-journal"))


def _server(url: str, clock: Clock) -> Iterator[Finding]:
    """Whether it answers, and what time it thinks it is. A till sells without: no more than a
    hint."""
    what = say("doctor.what.server")
    worker = DeviceWorker("server")
    worker.start()
    try:
        told = worker.run(lambda: _server_time(url), deadline_s=SERVER_DEADLINE_S)
    except DeviceError:
        yield Finding(what, Verdict.ATTENTION, say("doctor.server.silent", url=url))
        return
    except EvertillError as error:
        yield Finding(what, Verdict.ATTENTION, error_text(error))
        return
    finally:
        worker.stop(wait_s=0.0)
    yield Finding(what, Verdict.WELL, say("doctor.server.answers", url=url))
    apart = abs(clock.now() - told)
    if apart > timedelta(seconds=CLOCK_OFF_S):
        said = say("doctor.clock.apart", seconds=int(apart.total_seconds()))
        yield Finding(say("doctor.what.clock"), Verdict.BAD, said)


def _server_time(url: str) -> datetime:
    server = ServerConnection(url)
    try:
        return datetime.fromisoformat(server.hello().server_time)
    finally:
        server.close()
