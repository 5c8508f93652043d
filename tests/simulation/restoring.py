"""The server's own backup and restore, in releases that have them."""

import dataclasses
import importlib.util
import shutil
from pathlib import Path

from tests.simulation.coverage import Fault
from tests.simulation.server import SimulatedServer

PASSPHRASE = "a passphrase of the simulation"


def faults() -> tuple[Fault, ...]:
    """What this release can stand beyond the faults of every release."""
    has_restore = importlib.util.find_spec("sync_server.backup") is not None
    return (Fault.RESTORE_SERVER,) if has_restore else ()


def back_up(server: SimulatedServer, folder: Path) -> Path | None:
    """A copy of the running server, as ``evertill-server backup`` makes it; None without one."""
    if not faults():
        return None
    bootstrap = importlib.import_module("sync_server.bootstrap")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with bootstrap.open_copier(server.folder, clock=server.clock) as copier:
        # Keys that are quick to derive: what they are worth is not what is played here.
        quick = dataclasses.replace(copier, log2_n=4)
        file: Path = quick.make(folder, PASSPHRASE, off_machine=False).file
    return file


def restore(server: SimulatedServer, backup: Path) -> None:
    """Go on from a copy; the server that lies there is moved aside, and may not be asked."""
    restoring = importlib.import_module("sync_server.backup.restoring")
    server.stop()
    source = restoring.Source(backup=backup, passphrase=PASSPHRASE)
    restored = restoring.restore(server.folder, source, clock=server.clock, replace=True)
    shutil.rmtree(restored.moved_to)
    server.start()
