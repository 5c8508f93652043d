"""One run from its plan to its verdict, and the shortest plan that still fails."""

import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.simulation.coverage import Coverage
from tests.simulation.judging import check_end, check_shown
from tests.simulation.plan import Plan, Step
from tests.simulation.violation import must
from tests.simulation.world import World

ROUNDS_MAX = 8
TRIES_MAX = 120
"""Of shrinking."""


class Outcome(NamedTuple):
    """How a run ended."""

    trace: str
    """The same for the same plan, in every process."""
    failure: str = ""
    """What did not hold; empty where all did."""
    after: int = 0
    """Steps that were done."""

    @property
    def kind(self) -> str:
        """The failure without its particulars, to tell whether a shorter plan fails alike."""
        return " ".join(word for word in self.failure.split() if word.isalpha())[:60]


def play(plan: Plan, coverage: Coverage | None = None) -> Outcome:
    """Do all steps, heal everything, let everything be sent, judge."""
    done = 0
    trace = ""
    try:
        with World(plan, coverage or Coverage()) as world:
            try:
                for step in plan.steps:
                    done += 1
                    check_shown(world, world.do(step))
                settle(world)
                check_end(world)
                world.coverage.done.update(world.booked.kinds)
            finally:
                trace = world.network.trace.hexdigest()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this run's verdict
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        return Outcome(trace, f"{type(error).__name__} at {where}: {error}", done)
    return Outcome(trace, "", done)


def settle(world: World) -> None:
    """All lines up, all late requests delivered, everybody in sync with everybody."""
    world.heal()
    for till in world.tills:
        if till.is_forked:
            # A disk that was set back is found out by what is written on it from then on.
            world.sell(till)
    for _ in range(ROUNDS_MAX):
        # One that lost entries is enrolled again, and then has more to send.
        went = [
            world.sync(till) or (till.is_forked and till.loss() is None) for till in world.tills
        ]
        if all(went) and world.is_settled():
            return
    for till in world.tills:
        status = till.till._status
        code = status.error_code if status else "no try"
        must(till.is_forked or not code, f"till {till.number} does not come to rest: {code}")


def shrink(plan: Plan, fails: Callable[[Plan], bool], upto: int) -> Plan:
    """The shortest plan found that still fails: first a prefix, then without steps, then faults."""
    tries = 0

    def still(steps: Sequence[Step]) -> bool:
        nonlocal tries
        tries += 1
        return tries <= TRIES_MAX and fails(plan.with_steps(steps))

    steps = list(plan.steps)
    if still(steps[:upto]):
        steps = steps[:upto]
    size = len(steps) // 2
    while size:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if still(fewer):
                steps = fewer
            else:
                start += size
        size //= 2
    for at, step in enumerate(steps):
        calmer = [*steps[:at], step._replace(fault=None), *steps[at + 1 :]]
        if step.fault is not None and still(calmer):
            steps = calmer
    return plan.with_steps(steps)
