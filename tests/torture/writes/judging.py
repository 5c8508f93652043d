"""What must hold of a till after a fault: read from its file, then by selling on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from desktop.bootstrap import OpenStore
from desktop.reckoning.file import KeptFile, read_till
from desktop.store.database import TillFolder
from desktop.store.verification import verify_till
from shared.errors import EnvironmentFault, EvertillError
from shared.language import Language, words
from tests.support.new_till import holdings
from tests.torture.stage import BISCUIT, pull_all
from tests.torture.writes.till_scenes import Acting, Scene

FAULTS = frozenset({"disk-full", "disk-error"})
"""What a cashier is told where the disk fails."""


Held = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Expected:
    """How the journal stood before a scene, and what the scene adds to it."""

    before: tuple[bytes, ...]
    """Hashes."""
    kinds: tuple[str, ...]
    held: Held
    """What a till holds of members once it has pulled everything; nothing where it does not."""


def hashes(kept: KeptFile) -> tuple[bytes, ...]:
    """Of all entries in order."""
    return tuple(entry.hash for entry in kept.entries())


def kinds(kept: KeptFile, after: int) -> tuple[str, ...]:
    """Of the entries from a place on."""
    return tuple(entry.told["kind"] for entry in list(kept.entries())[after:])


def check_told(error: EvertillError) -> None:
    """Whoever stands at the till reads what happened, in their language."""
    assert isinstance(error, EnvironmentFault), error
    assert error.code in FAULTS, error
    for language in Language:
        said = words(language).error(error)
        assert said
        assert "{" not in said
        assert error.code not in said


def check_journal(folder: TillFolder, expected: Expected, at_least: int, at_most: int) -> int:
    """Everything acknowledged is there, the rest whole or absent; how many entries of the scene."""
    kept = read_till(folder.database)
    assert kept.broken_chains() == []
    assert kept.imbalance() == 0
    assert hashes(kept)[: len(expected.before)] == expected.before, "an older entry is gone"
    new = kinds(kept, len(expected.before))
    assert new == expected.kinds[: len(new)], new
    assert at_least <= len(new) <= at_most, (at_least, new, at_most)
    papers = Counter(entry for entry, copy in kept.printed if copy == 0)
    tickets = {"sale_completed", "sale_returned"}
    on_sales = {entry.told["body"].get("exchange") for entry in kept.entries()}
    for entry in kept.entries():
        if entry.told["kind"] in tickets:
            # A return on the paper of its sale has none of its own; without that sale it would
            # have none at all.
            wanted = 0 if entry.told["id"] in on_sales else 1
            assert papers[entry.told["id"]] == wanted, "a ticket without its paper"
    return len(new)


def check_sells_on(acting: Acting, scene: Scene) -> Held:
    """The till opens, pulls what the scene pulls, sells, and its books agree; what it holds."""
    here = acting.here
    here.open()
    try:
        if scene.pulls:
            pull_all(here.till)
        here.sell(BISCUIT)
    finally:
        here.till.close()
    assert verify_till(here.folder).flaws == []
    return holdings(here.folder) if scene.pulls else {}


def check_reopened(
    acting: Acting, scene: Scene, expected: Expected, *, at_least: int, at_most: int
) -> None:
    """A till that is opened again after the fault."""
    with OpenStore(acting.here.folder):
        # Opening is the recovery; what is judged then is the file.
        check_journal(acting.here.folder, expected, at_least, at_most)
    assert check_sells_on(acting, scene) == expected.held
