"""Python's garbage collector in a program that runs all day and must not pause while it sells."""

import gc
from typing import Final

ALLOCATIONS: Final = 50_000
"""So many more containers than were freed, before the collector looks at the young ones. Pricing a
long basket makes some ten thousand that free themselves: it leaves no cycles behind."""


def settle() -> None:
    """Call once everything is loaded: what stays is looked through no more, and the rest rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 50)
