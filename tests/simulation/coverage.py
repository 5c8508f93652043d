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

    def states(self) -> list[str]:
        """Every state in which something struck."""
        return sorted({state for _fault, state in self.hits})

    def table(self) -> Table:
        """A row for each state, a column for each fault that struck at all."""
        faults = [fault for fault in Fault if any(hit == fault for hit, _ in self.hits)]
        table = Table("state", *faults, title="faults by state of the protocol")
        for state in self.states():
            counts = [self.hits[fault.value, state] for fault in faults]
            table.add_row(state, *[str(count) if count else "·" for count in counts])
        return table
