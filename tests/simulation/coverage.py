"""Which fault hit the protocol in which state: counted, printed, kept as JSON."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from rich.table import Table


class Fault(StrEnum):
    """What can go wrong beside the tills and the server themselves."""

    DROP_REQUEST = "drop-request"
    """A request never arrives."""
    DROP_REPLY = "drop-reply"
    """The server does its work; the answer never arrives."""
    DUPLICATE = "duplicate"
    """A request arrives twice; the till hears the second answer."""
    DELAY = "delay"
    """The till gives up; the request arrives later, behind newer ones, up to weeks later."""
    CUT_REQUEST = "cut-request"
    """The line breaks amid the body of a request."""
    CUT_REPLY = "cut-reply"
    """The line breaks amid the body of an answer."""
    SERVER_ERROR = "server-error"
    """Something before the server answers 503."""
    FOREIGN_REPLY = "foreign-reply"
    """A captive portal answers in the server's place."""
    PARTITION = "partition"
    """A till has no line for a while."""
    CRASH_SERVER = "crash-server"
    """The server's process dies between two statements, or before its commit."""
    CRASH_TILL = "crash-till"
    """The till's process dies between two statements, before or right after a commit."""
    POWER_CUT = "power-cut"
    """As a crash; what was not flushed is lost too, which is the newest slot of the head file."""
    OLD_DATABASE = "old-database"
    """A database without its newest commits lies beside a head file that knows of them."""
    CLOCK_JUMP = "clock-jump"
    """A wall clock is set, forwards or back."""
    RESTORE_IMAGE = "restore-image"
    """A till's whole disk is set back to an older copy."""
    CLONE = "clone"
    """A copy of a till's disk goes to work beside it."""
    RESTORE_SERVER = "restore-server"
    """The server goes on from an older backup."""


EXPECTED = (
    *(
        f"{action}: done"
        for action in (
            "sell",
            "spend",
            "coupon",
            "return",
            "return-elsewhere",
            "enrol",
            "shift",
            "sync",
            "restart",
            "new-till",
            "publish",
            "goods",
            "erase",
            "snapshot",
            "copy",
            "top-up",
            "close-value",
            "card-sale",
            "reclaim",
            "weeks",
        )
    ),
    "look-up: found",
    "pay-value: by lease, online",
    "pay-value: by lease, offline",
    "pay-card: by lease, online",
    "pay-card: by lease, offline",
    "pay-value: beyond-lease-offline",
    "spend: beyond-lease",
    "lease: account of points",
    "lease: account of stored-value",
    "lease: account of gift-card",
    "lease: budget of points",
    "lease: rests",
    "given back: expired",
    "given back: called-back",
    "given back: used-up",
    "given back: enrolled-again",
    "release: a till of an older one is in sync",
    "release: till upgraded",
    "release: till upgraded amid a backlog",
    "release: read from quarantine",
    "release: server upgraded",
)
"""What has to happen somewhere in a run of many seeds, or the run has shown nothing about it."""
MANY = 100


class Coverage:
    """Counts of fault × state."""

    def __init__(self) -> None:
        self.hits: Counter[tuple[str, str]] = Counter()
        self.done: Counter[str] = Counter()
        """What happened, by name of the action and how it ended."""

    def hit(self, fault: Fault, state: str) -> None:
        """A fault struck while the protocol was there."""
        self.hits[fault.value, state] += 1

    def did(self, action: str, outcome: str) -> None:
        """An action came to an end."""
        self.done[f"{action}: {outcome}"] += 1

    def add(self, hits: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Take over what another run counted."""
        for key, count in hits.items():
            fault, _, state = key.partition(" × ")
            self.hits[fault, state] += count
        self.done.update(done)

    def as_json(self) -> dict[str, dict[str, int]]:
        """Both counts, sorted."""
        hits = {f"{fault} × {state}": n for (fault, state), n in sorted(self.hits.items())}
        return {"hits": hits, "done": dict(sorted(self.done.items()))}

    def missing(self) -> list[str]:
        """What was expected of many seeds and never happened, faults that never struck included."""
        struck = {fault for fault, _state in self.hits}
        never = [f"fault {fault.value}" for fault in Fault if fault.value not in struck]
        return [one for one in EXPECTED if not self.done[one]] + never

    def states(self) -> list[str]:
        """Every state in which something struck."""
        return sorted({state for _fault, state in self.hits})

    def events(self) -> Table:
        """A row for each kind of event, with how often it happened."""
        table = Table("event", "times", title="what happened")
        for name, count in sorted(self.done.items()):
            table.add_row(name, f"{count:,}")
        return table

    def table(self) -> Table:
        """A row for each fault with the states that it struck in: a column for each is too wide."""
        table = Table("fault", "times", "in which states", title="faults by state of the protocol")
        for fault in Fault:
            counts = {state: self.hits[fault.value, state] for state in self.states()}
            struck = [f"{state} {count}" for state, count in counts.items() if count]
            table.add_row(fault.value, f"{sum(counts.values()):,}", "; ".join(struck))
        return table
