"""A bad line between till and server, as parts of the torture."""

import random
from contextlib import ExitStack
from typing import Any
from unittest import mock

from tests.torture.line.proxy import Trouble, Way
from tests.torture.line.shop import KIB, PUSH_BYTES, LineShop, line_shop
from tests.torture.part import Part

PULLED_MEMBERS = 150
SNAPSHOT_BYTES = 256 * KIB
SNAPSHOT_MEMBERS = 1_500
LARGE_MEMBERS = 40_000
LARGE_PLACES = 200
SMALL_PART = 32 * KIB
"""So that a file of 256 KiB comes in several."""


class PushesAndPulls(Part):
    """At every KiB of a push and of a pull."""

    name = "line"
    about = "a line that cuts, resets, delays and slices at every KiB of a push and a pull"

    def _open(self, shared: ExitStack) -> None:
        self._shop = shared.enter_context(line_shop(PULLED_MEMBERS, has_snapshot=False))
        self._held: dict[str, list[Any]] = self._shop.pull(Trouble.DELAY, 0, None)
        self._pull_bytes = self._shop.line.counted[Way.DOWN]

    def cases(self) -> list[str]:
        found = []
        for trouble in Trouble:
            found += [f"push/{trouble}/up/{at}" for at in range(0, PUSH_BYTES, KIB)]
            found += [f"push/{trouble}/down/{at}" for at in range(0, 2 * KIB, 256)]
            found += [f"pull/{trouble}/down/{at}" for at in range(0, self._pull_bytes, KIB)]
        return found

    def run(self, case: str) -> None:
        what, trouble, way, at = case.split("/")
        if what == "push":
            self._shop.push(Trouble(trouble), Way(way), int(at))
        else:
            self._shop.pull(Trouble(trouble), int(at), self._held)


class _Fetching(Part):
    """A file of members on its way."""

    members = 0

    def _open(self, shared: ExitStack) -> None:
        self._shop: LineShop = shared.enter_context(line_shop(self.members, has_snapshot=True))
        (file,) = (self._shop.server / "snapshots").glob("*.snapshot")
        self._size = file.stat().st_size

    def told(self) -> str:
        return f"The file has {self._size:,} bytes."


class SmallSnapshots(_Fetching):
    """At every KiB of 256."""

    name = "small-snapshot"
    about = "the same at every KiB of a snapshot of 256 KiB, which comes in parts of 32 KiB"
    members = SNAPSHOT_MEMBERS

    def _open(self, shared: ExitStack) -> None:
        for name in ("PART_BYTES_MIN", "PART_BYTES_MAX"):
            shared.enter_context(mock.patch(f"desktop.sync.snapshot_fetch.{name}", SMALL_PART))
        super()._open(shared)
        assert self._size >= SNAPSHOT_BYTES

    def cases(self) -> list[str]:
        return [f"{trouble}/{at}" for trouble in Trouble for at in range(0, self._size, KIB)]

    def run(self, case: str) -> None:
        trouble, at = case.split("/")
        came = self._shop.fetch(Trouble(trouble), int(at))
        # What came before the trouble is not fetched again: one part at most, and answers' heads.
        assert came < self._size + 2 * SMALL_PART, (came, self._size)


class LargeSnapshots(_Fetching):
    """At random places of a large one."""

    name = "large-snapshot"
    about = f"the same at {LARGE_PLACES} random places of a large snapshot, in parts as they are"
    members = LARGE_MEMBERS

    def cases(self) -> list[str]:
        chance = random.Random("large")
        places = sorted(chance.randrange(self._size) for _ in range(LARGE_PLACES))
        troubles = list(Trouble)
        return [f"{troubles[n % len(troubles)]}/{at}" for n, at in enumerate(places)]

    def run(self, case: str) -> None:
        trouble, at = case.split("/")
        self._shop.fetch(Trouble(trouble), int(at))
