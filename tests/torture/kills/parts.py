"""Kills by SIGKILL as parts of the torture: 3,600 cycles in runs of 50."""

from collections import Counter
from contextlib import ExitStack

from tests.torture.kills.life import AT_A_TIME, Lives
from tests.torture.kills.paying import pay_and_die
from tests.torture.kills.printing import PaperTally, print_and_die
from tests.torture.kills.runs import Tally, join_and_die, sell_and_die, serve_and_die
from tests.torture.part import Part
from tests.torture.stage import staged

CYCLES = 50
RUNS = {"selling": 36, "joining": 12, "serving": 12, "paying": 12}


class Kills(Part):
    """Of tills that sell, pay and join, and of servers."""

    name = "kills"
    about = f"SIGKILL at random points and times, {CYCLES} in each case"

    def _open(self, shared: ExitStack) -> None:
        self._stage = shared.enter_context(staged())
        self._lives = {kind: shared.enter_context(Lives(f"{kind}_child.py")) for kind in RUNS}
        self._kills: Counter[str] = Counter()

    def cases(self) -> list[str]:
        return [f"{kind}/{number}" for kind, runs in RUNS.items() for number in range(runs)]

    def run(self, case: str) -> None:
        kind, number = case.split("/")
        tally = self._tally(kind, number)
        self._kills[kind] += tally.kills
        self._kills["at any time"] += tally.by[AT_A_TIME]

    def _tally(self, kind: str, number: str) -> Tally:
        lives = self._lives[kind]
        if kind == "selling":
            return sell_and_die(lives, number, CYCLES)
        if kind == "joining":
            return join_and_die(lives, self._stage, number, CYCLES)
        if kind == "paying":
            return pay_and_die(lives, number, CYCLES)
        return serve_and_die(lives, number, CYCLES)

    def told(self) -> str:
        return ", ".join(f"{count} kills {kind}" for kind, count in self._kills.items())


JOBS = 50
PAPER_RUNS = 10


class PaperKills(Part):
    """Of tills that print, at printers with faults of every kind."""

    name = "paper"
    about = f"SIGKILL and printer faults, {JOBS} print jobs in each case"

    def _open(self, shared: ExitStack) -> None:
        self._lives = shared.enter_context(Lives("printing_child.py"))
        self._tallies: list[PaperTally] = []

    def cases(self) -> list[str]:
        return [str(number) for number in range(PAPER_RUNS)]

    def run(self, case: str) -> None:
        self._tallies.append(print_and_die(self._lives, case, JOBS))

    def told(self) -> str:
        states: Counter[str] = sum((tally.states for tally in self._tallies), Counter())
        jobs, kills, originals, pulses = (
            sum(getattr(tally, name) for tally in self._tallies)
            for name in ("jobs", "kills", "originals", "pulses")
        )
        ends = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"{jobs} jobs ({ends}), {kills} kills, {originals} originals, {pulses} pulses"
