"""What happens in a run, drawn from its seed before anything happens: so it can be cut shorter."""

import random
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from shared.protocol.message import PROTOCOL
from tests.simulation.coverage import Fault
from tests.simulation.releases import OLDER_TILLS, Release

STEPS = 400
TILLS = (2, 3, 5, 5, 5, 8)
"""How many tills a run has, each as likely; `--tills` names another number, up to 50."""


class Action(StrEnum):
    """What a step is about."""

    SELL = "sell"
    SPEND = "spend"
    """A sale that points pay for in part, where the member has enough."""
    COUPON = "coupon"
    """A sale with a code that head office gave out, perhaps used before."""
    RETURN = "return"
    RETURN_ELSEWHERE = "return-elsewhere"
    """Of another till's receipt, asked from the server."""
    ENROL = "enrol"
    LOOK_UP = "look-up"
    """A member whom the till may not hold, asked from the server by phone."""
    SHIFT = "shift"
    """A shift is closed, perhaps the day, and another one opened."""
    SYNC = "sync"
    RESTART = "restart"
    NEW_TILL = "new-till"
    """A till is added, or goes on enrolling."""
    PUBLISH = "publish"
    """Head office puts another programme in force."""
    GOODS = "goods"
    """Head office changes an article."""
    ERASE = "erase"
    """Head office forgets a member."""
    SNAPSHOT = "snapshot"
    """The server makes a file of all members for new tills."""
    COPY = "copy"
    """A till's disk is copied aside, or the server is backed up."""
    TOP_UP = "top-up"
    """A member pays stored value in."""
    PAY_VALUE = "pay-value"
    """A sale that stored value pays for, by a lease."""
    CLOSE_VALUE = "close-value"
    """Stored value is paid out."""
    CARD_SALE = "card-sale"
    """A gift card is sold."""
    PAY_CARD = "pay-card"
    """A sale that a gift card of anywhere pays for, by a lease."""
    RECLAIM = "reclaim"
    """Head office takes back a lease of a till that it gives up for lost."""
    UPGRADE = "upgrade"
    """The server gets this release, or a till does."""
    WEEKS = "weeks"
    """Nothing, for a long time."""


WEIGHTS: dict[Action, float] = {
    Action.SELL: 30,
    Action.SPEND: 10,
    Action.COUPON: 4,
    Action.RETURN: 6,
    Action.RETURN_ELSEWHERE: 3,
    Action.ENROL: 6,
    Action.LOOK_UP: 3,
    Action.SHIFT: 2,
    Action.SYNC: 40,
    Action.RESTART: 1,
    Action.NEW_TILL: 2,
    Action.PUBLISH: 1,
    Action.GOODS: 1,
    Action.ERASE: 1,
    Action.SNAPSHOT: 1,
    Action.COPY: 2,
    Action.TOP_UP: 5,
    Action.PAY_VALUE: 7,
    Action.CLOSE_VALUE: 1,
    Action.CARD_SALE: 3,
    Action.PAY_CARD: 5,
    Action.RECLAIM: 0.3,
    Action.UPGRADE: 1,
    Action.WEEKS: 0.3,
}
ASKING = (
    Action.SYNC,
    Action.LOOK_UP,
    Action.RETURN_ELSEWHERE,
    Action.NEW_TILL,
    Action.PAY_VALUE,
    Action.PAY_CARD,
    Action.CLOSE_VALUE,
)
"""Actions that speak to the server: faults of the line strike there."""
WRITING = (
    Action.SELL,
    Action.SPEND,
    Action.COUPON,
    Action.RETURN,
    Action.ENROL,
    Action.SHIFT,
    Action.TOP_UP,
    Action.CARD_SALE,
    *ASKING,
)
OF_THE_LINE = (
    Fault.DROP_REQUEST,
    Fault.DROP_REPLY,
    Fault.DUPLICATE,
    Fault.DELAY,
    Fault.CUT_REQUEST,
    Fault.CUT_REPLY,
    Fault.SERVER_ERROR,
    Fault.FOREIGN_REPLY,
    Fault.CRASH_SERVER,
)
OF_THE_TILL = (Fault.CRASH_TILL, Fault.CRASH_TILL, Fault.POWER_CUT)
OF_ANY_TIME = (Fault.PARTITION, Fault.CLOCK_JUMP, Fault.OLD_DATABASE)
FORKING = (Fault.RESTORE_IMAGE, Fault.CLONE)
RELEASES = (*[Release.CURRENT] * 4, Release.FEWER_FACTS, Release.OLDER_PROTOCOL)
PROTOCOLS = (*[(PROTOCOL,)] * 2, (PROTOCOL, *OLDER_TILLS))
FORKING_RUNS = 0.25
"""Runs in which disks are set back and copied; what is shown at such a till is judged less."""


class Step(NamedTuple):
    """One thing that happens, with randomness of its own."""

    number: int
    till: int
    """Which of the tills there are, modulo their number."""
    action: Action
    fault: Fault | None
    wait_s: int
    """True time that passes before."""


class Plan(NamedTuple):
    """A whole run."""

    seed: int
    tills: int
    steps: tuple[Step, ...]
    release: Release = Release.CURRENT
    """Of the server, in the beginning."""
    protocols: tuple[int, ...] = (PROTOCOL,)
    """What tills speak in the beginning, in turn."""
    leases_points: bool = False
    """Whether points are spent by lease from the first day."""

    def with_steps(self, steps: Sequence[Step]) -> "Plan":
        """The same run with other steps."""
        return self._replace(steps=tuple(steps))


def draw_plan(
    seed: int, *, steps: int = STEPS, tills: int | None = None, extra: Collection[Fault] = ()
) -> Plan:
    """The run of a seed; ``extra`` faults are those that this release can stand."""
    drawn = random.Random(f"plan {seed}")
    count = tills or drawn.choice(TILLS)
    rate = drawn.choice((0.05, 0.15, 0.3))
    at_any_time = [*OF_ANY_TIME, *extra]
    if drawn.random() < FORKING_RUNS:
        at_any_time += FORKING
    actions, weights = list(WEIGHTS), list(WEIGHTS.values())
    found = []
    for number in range(steps):
        action = drawn.choices(actions, weights)[0]
        fault = _fault(drawn, action, at_any_time) if drawn.random() < rate else None
        wait_s = drawn.choice((1, 7, 60, 600, 3600))
        if action is Action.WEEKS:
            wait_s = drawn.choice((1, 3, 8)) * 7 * 24 * 3600
        found.append(Step(number, drawn.randrange(2520), action, fault, wait_s))
    releases = random.Random(f"releases {seed}")
    return Plan(
        seed,
        count,
        tuple(found),
        release=releases.choice(RELEASES),
        protocols=releases.choice(PROTOCOLS),
        leases_points=releases.random() < 0.5,
    )


def _fault(drawn: random.Random, action: Action, at_any_time: Sequence[Fault]) -> Fault:
    kinds: list[Sequence[Fault]] = [at_any_time]
    if action in ASKING:
        kinds += [OF_THE_LINE] * 4
    if action in WRITING:
        kinds += [OF_THE_TILL] * 2
    return drawn.choice(drawn.choice(kinds))
