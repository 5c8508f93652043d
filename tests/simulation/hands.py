"""A shop in which things are done on purpose, and judged like a run."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.actions import Cashier
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.judging import check_end, check_shown
from tests.simulation.plan import Action, Plan, Step
from tests.simulation.running import settle
from tests.simulation.till import SimulatedTill
from tests.simulation.world import World


@contextmanager
def a_shop(tills: int = 2, **begins: Any) -> Iterator[World]:
    """A shop that is judged at the end, whatever was done to it."""
    with World(Plan(11, tills, (), **begins), Coverage()) as world:
        yield world
        settle(world)
        check_end(world)
        assert all(till.is_forked or till.till.unsent() == 0 for till in world.tills)


class Hands:
    """Does things at a till by name; each with randomness of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.done = 0

    def do(self, till: SimulatedTill, *actions: Action) -> str:
        """Do them; how the last one ended."""
        outcome = ""
        for action in actions:
            self.done += 1
            self.world.true.advance(seconds=5)
            self.world.random.begin(("hands", self.done))
            self.world.turn_to(till.line, till.protocol)
            drawn = random.Random(f"hands {self.done}")
            outcome = Cashier(till, self.world.shop, drawn).do(action)
            self.world.synced(till)
            check_shown(self.world, till)
        return outcome

    def strike(self, till: SimulatedTill, fault: Fault) -> None:
        """Let something happen that needs no request."""
        self.done += 1
        index = self.world.tills.index(till)
        self.world.do(Step(self.done, index, Action.WEEKS, fault, 1))
