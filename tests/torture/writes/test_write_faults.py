"""A fixed part of the faults at every write: some of each scene, and those that found something."""

import random
from collections.abc import Iterator

import pytest

from tests.torture.stage import Stage
from tests.torture.writes import server_faults, till_faults
from tests.torture.writes.disk import Cut, Disk, apply
from tests.torture.writes.faults import Drive, WriteFaults, on_a_drive

EACH = 3
"""Of a scene."""


@pytest.fixture(scope="module")
def drive() -> Iterator[Drive]:
    with on_a_drive() as drive:
        yield drive


@pytest.fixture(scope="module")
def at_till(stage: Stage, drive: Drive) -> till_faults.TillFaults:
    return till_faults.TillFaults(stage, drive)


@pytest.fixture(scope="module")
def at_server(drive: Drive) -> server_faults.ServerFaults:
    return server_faults.ServerFaults(server_faults.make_chain(), drive)


def play_some(faults: WriteFaults, scene: str) -> None:
    for case in random.Random(scene).sample(faults.cases(scene), EACH):
        faults.run(case)


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("scene", till_faults.SCENES)
def test_a_till_stands_a_fault_at_any_write(at_till, scene):
    play_some(at_till, scene)


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize(
    "case",
    [
        "migration/full/10",  # was told as damage
        "scrub/full/100",  # was never tried again
        "sale/error/48",  # the flush of the commit itself
        "sale/cut-nothing/49",
        "checkpoint/lost/134",
        "checkpoint/full/90",
    ],
)
def test_a_till_stands_what_was_found(at_till, case):
    at_till.run(case)


@pytest.mark.xdist_group("torture")
@pytest.mark.parametrize("scene", server_faults.SCENES)
def test_a_server_stands_a_fault_at_any_write(at_server, scene):
    play_some(at_server, scene)


@pytest.mark.xdist_group("torture")
def test_an_erasure_without_room_for_the_rewrite_says_so(at_server):
    at_server.run("erasure/full/300")


@pytest.mark.xdist_group("torture")
def test_the_changes_that_were_noted_make_the_files_that_are_there(at_till):
    """The disk is judged by the file system: all changes applied give the very files."""
    for scene in ("sale", "checkpoint", "scrub"):
        disk: Disk = at_till.recording(scene).disk
        files = {name: bytearray(content) for name, content in disk.base.items()}
        for op in disk.ops:
            apply(files, op)
        after = disk.after_cut(len(disk.ops), Cut.ALL, "all")
        assert {name: bytes(content) for name, content in files.items()}.items() >= {
            name: content for name, content in after.items() if name.startswith("till.sqlite")
        }.items()
        for name, content in disk.finally_there.items():
            assert bytes(files[name]) == content
