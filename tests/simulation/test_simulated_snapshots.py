"""Tills that begin with a snapshot while others sell, under every fault, then agree."""

import pytest

from desktop.store.database import TillFolder
from shared.errors import EvertillError
from tests.simulation.clocks import MachineClock
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.judging import check_end, check_replicas, check_shown
from tests.simulation.machine import Crash, Fuse
from tests.simulation.network import Line, Trouble
from tests.simulation.plan import OF_THE_LINE, Action, Plan, Step
from tests.simulation.running import play, settle
from tests.simulation.template import add_till, enrol
from tests.simulation.world import World

FAULTS = (
    None,
    Fault.CRASH_TILL,
    Fault.POWER_CUT,
    Fault.DROP_REPLY,
    Fault.CUT_REPLY,
    Fault.FOREIGN_REPLY,
    Fault.CRASH_SERVER,
    Fault.RESTORE_SERVER,
    Fault.PARTITION,
)


def plan(seed: int) -> Plan:
    """Members and sales, a snapshot, more of both; new tills join amid faults, again and again."""
    steps: list[tuple[Action, Fault | None]] = [(Action.SYNC, None)]
    for _ in range(6):
        steps += [(Action.ENROL, None), (Action.SELL, None), (Action.ENROL, None)]
    steps += [(Action.SYNC, None)] * 2 + [(Action.COPY, None), (Action.SNAPSHOT, None)]
    for number, fault in enumerate(FAULTS):
        steps += [(Action.SELL, None), (Action.SPEND, None), (Action.SYNC, None)]
        if number % 3 == 1:
            steps += [(Action.ERASE, None), (Action.SNAPSHOT, None)]
        steps += [(Action.NEW_TILL, fault), (Action.SELL, None), (Action.NEW_TILL, None)]
        steps += [(Action.LOOK_UP, None), (Action.SELL, None), (Action.SYNC, None)]
    drawn = [
        Step(at, at * 7 + seed, action, fault, 3 + at % 5)
        for at, (action, fault) in enumerate(steps)
    ]
    return Plan(seed, 2, tuple(drawn))


@pytest.mark.parametrize("seed", range(40, 42))
def test_tills_from_a_snapshot_agree_in_the_end_whatever_goes_wrong(seed: int) -> None:
    coverage = Coverage()
    assert play(plan(seed), coverage).failure == ""
    assert coverage.done["new-till: done"] >= 1
    assert coverage.done["snapshot: done"] >= 3


def joined(world: World, number: int, trouble: Trouble | None, moments: int | None) -> None:
    """A till of its own that joins amid one fault, and goes on until it can sell."""
    line, clock, fuse = Line(f"new {number}"), MachineClock(world.true), Fuse()
    folder = TillFolder(world.folder / f"new-{number}")
    code = add_till(world.server.services, number)
    world.network.acting = line
    line.trouble = trouble
    if moments is not None:
        fuse.light(moments)
    for _ in range(4):
        world.random.begin(("joined", number, line.requests))
        line.requests = 0
        line.streams.clear()
        try:
            if enrol(folder, code, clock, fuse):
                break
        except EvertillError:
            pass
        except Crash:
            world.coverage.hit(Fault.CRASH_TILL, line.at)
    else:
        raise AssertionError("a till never came to sell")
    line.trouble = None
    fuse.put_out()
    till = world.add(number, folder, clock, line)
    world.model_of(till).read(till.reading)
    assert world.sync(till)
    check_shown(world, till)
    check_replicas(world, till)


def test_every_fault_at_every_request_of_a_till_that_takes_a_snapshot() -> None:
    coverage = Coverage()
    with World(Plan(12, 2, ()), coverage) as world:
        first, second = world.tills
        for step in range(6):
            world.do(Step(step, 0, Action.ENROL, None, 3))
            world.do(Step(50 + step, 0, Action.SELL, None, 3))
        assert world.sync(first)
        world.do(Step(100, 0, Action.SNAPSHOT, None, 3))
        number = 100
        for fault in OF_THE_LINE:
            for skip in range(6, 10):
                number += 1
                world.do(Step(number, 1, Action.SELL, None, 3))
                assert world.sync(second)
                joined(world, number, Trouble(fault, skip=skip, moments=3), None)
        for moments in range(20, 260, 24):
            number += 1
            joined(world, number, None, moments)
        settle(world)
        check_end(world)
    struck = {state.split(",")[0] for _fault, state in coverage.hits}
    assert {"snapshot", "part of a snapshot", "pull of members"} <= struck, struck
    assert coverage.hits["crash-till", "part of a snapshot"] > 0
