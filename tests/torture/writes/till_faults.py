"""Transactions of a till on disks that fail."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from desktop.reckoning.file import read_till
from desktop.store.database import TillFolder
from shared.errors import EvertillError
from tests.simulation.randomness import RandomSource, seeded
from tests.support.scratch import scratch_folder
from tests.torture.stage import Stage
from tests.torture.writes.disk import Contents, Cut, Disk, Failure, lay_down
from tests.torture.writes.faults import Drive, Recording, WriteFaults
from tests.torture.writes.judging import (
    Expected,
    check_reopened,
    check_sells_on,
    check_told,
    hashes,
    kinds,
)
from tests.torture.writes.till_scenes import TILL_SCENES, Acting, Scene, acting

SCENES: Final = {scene.name: scene for scene in TILL_SCENES}
LATER_S: Final = 3600
"""Between a fault and the next start."""


class TillFaults(WriteFaults[Expected]):
    """Plays scenes of tills."""

    def __init__(self, stage: Stage, drive: Drive) -> None:
        super().__init__(drive)
        self._stage = stage

    def _record(self, name: str) -> Recording[Expected]:
        scene = SCENES[name]
        with self._played(scene) as (playing, disk):
            before = self._prepared(scene, playing, disk)
            scene.act(playing, disk.acknowledge)
            disk.rest()
            after = read_till(playing.here.folder.database)
            self._close(scene, playing)
            held = check_sells_on(playing, scene)
            return Recording(disk, Expected(before, kinds(after, len(before)), held))

    def _check_image(
        self, name: str, recording: Recording[Expected], files: Contents, least: int
    ) -> None:
        scene, folder = SCENES[name], scratch_folder() / "till"
        again = acting(scene, self._stage, folder)
        shutil.rmtree(folder)
        lay_down(files, folder)
        again.here.clock.advance(seconds=LATER_S)
        most = len(recording.expected.kinds)
        try:
            with seeded(RandomSource("after")):
                check_reopened(again, scene, recording.expected, at_least=least, at_most=most)
        finally:
            shutil.rmtree(folder.parent)

    def _fail(self, name: str, failure: Failure, at: int) -> None:
        scene, recording = SCENES[name], self.recording(name)
        whole = len(recording.expected.kinds)
        with self._played(scene, failure, at) as (playing, disk):
            before = self._prepared(scene, playing, disk)
            expected = replace(recording.expected, before=before)
            self._act(scene, playing, disk, whole)
            self._close(scene, playing)
            if failure is Failure.LOST:
                files = disk.after_cut(len(disk.ops), Cut.TORN, name)
                self._check_image(name, Recording(disk, expected), files, len(disk.done))
            playing.here.clock.advance(seconds=LATER_S)
            check_reopened(playing, scene, expected, at_least=whole, at_most=whole)

    @staticmethod
    def _act(scene: Scene, playing: Acting, disk: Disk, whole: int) -> None:
        try:
            scene.act(playing, disk.acknowledge)
        except EvertillError as error:
            if not disk.has_failed:
                raise
            check_told(error)
            disk.mend()
            if len(disk.done) < whole or not whole:
                scene.act(playing, disk.acknowledge)
        disk.mend()
        disk.rest()

    @contextmanager
    def _played(
        self, scene: Scene, failure: Failure | None = None, at: int = -1
    ) -> Iterator[tuple[Acting, Disk]]:
        root = scratch_folder()
        disk = Disk(root / "till", failure, at)
        self._drive.disk = disk
        try:
            with seeded(RandomSource(scene.name)):
                yield acting(scene, self._stage, disk.folder), disk
        finally:
            self._drive.disk = None
            shutil.rmtree(root)

    @staticmethod
    def _prepared(scene: Scene, playing: Acting, disk: Disk) -> tuple[bytes, ...]:
        if scene.opens:
            playing.here.open()
        scene.prepare(playing, lambda _what: None)
        disk.arm()
        return _hashes_in(playing.here.folder)

    @staticmethod
    def _close(scene: Scene, playing: Acting) -> None:
        if scene.name != "closing":
            playing.here.till.close()


def _hashes_in(folder: TillFolder) -> tuple[bytes, ...]:
    return hashes(read_till(folder.database))
