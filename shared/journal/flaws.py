"""What verification finds wrong, on till and server alike: the first row comes first."""

from dataclasses import dataclass, field
from typing import Final

FLAWS_MAX: Final = 50
"""Beyond it they are all of one kind anyway."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One row that is not as it should be."""

    code: str
    """``broken-chain``, ``bad-signature``, ``postings-differ``, ``balance-differs`` …"""
    where: str


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is wrong with what was read; whoever verifies adds what was read."""

    flaws: list[Flaw] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.flaws

    def note(self, code: str, where: str) -> None:
        """Add a flaw, up to ``FLAWS_MAX``."""
        if len(self.flaws) < FLAWS_MAX:
            self.flaws.append(Flaw(code, where))
