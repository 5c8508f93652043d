"""Random corruptions as a part of the torture: 1,000 of them."""

from collections import Counter
from contextlib import ExitStack

from tests.support.scratch import scratch_folder
from tests.torture.damage import snapshots, till_files
from tests.torture.damage.batches import pushing
from tests.torture.part import Part
from tests.torture.stage import staged

CASES = {till_files.FILE: 400, till_files.LOG: 300, "snapshot": 150, "batch": 150}


class Damage(Part):
    """Of a till's file, its log, a snapshot and a push."""

    name = "damage"
    about = "bits flipped, pages gone, swapped or overwritten, files cut short"

    def _open(self, shared: ExitStack) -> None:
        self._stage = shared.enter_context(staged())
        self._sounds = [
            till_files.make_sound(scratch_folder(), seals=seals) for seals in (False, True)
        ]
        self._pushing = shared.enter_context(pushing(scratch_folder() / "server"))
        self._tally: Counter[str] = Counter()

    def cases(self) -> list[str]:
        return [f"{what}/{number}" for what, cases in CASES.items() for number in range(cases)]

    def run(self, case: str) -> None:
        what, number = case.split("/")
        if what == "snapshot":
            self._tally[f"snapshot: {snapshots.play(self._stage, number)}"] += 1
        elif what == "batch":
            self._tally[f"batch: {self._pushing.play(number)}"] += 1
        else:
            # Every other till is encrypted.
            kind = ("plain", "encrypted")[int(number) % 2]
            told = till_files.play(self._sounds[int(number) % 2], what, number)
            self._tally.update({f"{kind}: {name}": count for name, count in told.items()})

    def told(self) -> str:
        return ", ".join(f"{what} {count:,}" for what, count in sorted(self._tally.items()))
