"""A file of members that comes harmed, or is harmed on the till's disk, is never taken."""

import shutil
from pathlib import Path
from unittest import mock

from desktop.bootstrap import Till
from desktop.sync.http import ServerConnection
from desktop.sync.runner import STREAMS
from shared.protocol.message import Stream
from tests.support.new_till import holdings, opened
from tests.support.scratch import scratch_folder
from tests.torture.damage.harm import harmed
from tests.torture.stage import Stage, pull_all


def play(stage: Stage, seed: object) -> str:
    """Harm the file on its way or after it has come; the till reads pages instead."""
    root = scratch_folder()
    try:
        here = stage.copy(stage.new, root / "till")
        till = opened(here)
        on_its_way = str(seed).endswith(("0", "2", "4", "6", "8"))
        original = ServerConnection.snapshot_part
        (file,) = (stage.chain.server.folder / "snapshots").glob("*.snapshot")
        content = file.read_bytes()
        changed = harmed(content, f"snapshot {seed}")

        def part(_connection: ServerConnection, _name: str, *, first: int, size: int) -> bytes:
            return changed[first : first + size]

        with mock.patch.object(ServerConnection, "snapshot_part", part if on_its_way else original):
            if on_its_way:
                pull_all(till)
            else:
                _pull_half(till, here.folder.snapshot, changed)
                till.close()
                till = opened(here)
                pull_all(till)
        refused = till.puller.refused_snapshot
        till.close()
        assert holdings(here.folder) == stage.pulled
        assert on_its_way is False or changed == content or refused is not None
        return "refused" if refused else "pages or the whole file"
    finally:
        shutil.rmtree(root)


def _pull_half(till: Till, snapshot: Path, changed: bytes) -> None:
    """Stop amid taking over, and let the disk do its harm."""
    server = till.connect()
    till.puller.gives_way = snapshot.exists
    try:
        for stream in STREAMS:
            till.puller.pull(server, stream)
            if stream is Stream.MEMBERS:
                assert till.puller.is_unfinished
    finally:
        server.close()
    snapshot.write_bytes(changed)
