"""A till on its way into the world."""

from dataclasses import dataclass
from datetime import datetime

from desktop.store.database import TillFolder
from tests.simulation.clocks import MachineClock
from tests.simulation.network import Line


@dataclass
class Joining:
    """A till whose enrolment is under way."""

    number: int
    folder: TillFolder
    code: str
    clock: MachineClock
    line: Line
    issued_at: datetime
    """By the server's clock."""
    in_backup: bool = False
    """Whether the code stands in the newest copy of the server, too."""
    is_forgotten: bool = False
    """Whether the server was set back to before the code."""
