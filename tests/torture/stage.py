"""A shop in the middle of its day, made once in a process: what is done to it is done to copies.

One till is up to date; another sold afterwards, so that there is something to pull; a third is
enrolled and has pulled nothing, while its members wait in one file.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

import msgspec

from desktop.bootstrap import Till
from desktop.services.stored_value import By, paying
from desktop.store.database import TillFolder
from desktop.store.members import Member
from desktop.sync.runner import STREAMS
from shared.clock import ManualClock
from shared.loyalty.accounts import StoredValue, TopUpOffer
from shared.loyalty.bundle import template
from shared.loyalty.leasing import Leases
from shared.trade.fact import TenderKind
from tests.pricing_builders import names
from tests.simulation.machine import Fuse, InlineWriter
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain, TillHere
from tests.support.new_till import enrolled_till, holdings, opened
from tests.support.scratch import scratch_folder

MEMBERS: Final = 12
NEWCOMERS: Final = 6
ROWS_AT_ONCE: Final = 6
"""Of a slice and of a block: several make up a pull."""
BISCUIT, BOTTLE = BISCUITS.barcodes[0], WATER.barcodes[0]
TOP_UP: Final = TopUpOffer(
    id="100", names=names("10 on 100"), minimum_minor=10_000, bonus_minor=1_000, points=50
)
PROGRAMME: Final = msgspec.structs.replace(
    template("default"),
    stored_value=StoredValue(top_ups=(TOP_UP,)),
    leases=Leases(budget_points=1_000, budget_per_member=500),
)


@dataclass(frozen=True)
class Stage:
    """The running shop, and the folders that cases start from."""

    chain: LittleChain
    till: Path
    """Up to date when it was closed; some rows have changed at the server since."""
    new: Path
    """Enrolled, nothing pulled."""
    member: Member
    """Has bought, has points and stored value."""
    pulled: dict[str, list[tuple[Any, ...]]]
    """What a till holds that has read everything."""

    def copy(self, original: Path, to: Path) -> TillHere:
        """A till of its own on a copy of one of the folders; not open yet."""
        shutil.copytree(original, to)
        clock = ManualClock(self.chain.clock.at)
        clock.advance(seconds=60)
        here = TillHere(TillFolder(to), clock, self.chain.operator_id)
        # Without a thread: the same changes in the same order each time.
        here.make_writer = lambda engine: InlineWriter(engine, Fuse())
        return here


def by(till: TillHere) -> By:
    """Whoever is at the till."""
    return By(till.shift, till.operator_id)


def top_up(till: TillHere, member: Member) -> None:
    """100.00 in cash, 10.00 on top."""
    tender = paying(TenderKind.CASH, 10_000)
    till.counter.value.top_up(till.till.pricing(), member, 10_000, tender, by(till))


@contextmanager
def staged() -> Iterator[Stage]:
    """The shop, while it is needed."""
    folder = scratch_folder()
    with (
        mock.patch("sync_server.sync.snapshot_file.BLOCK_ROWS", ROWS_AT_ONCE),
        mock.patch("desktop.sync.pull.SLICE_ROWS", ROWS_AT_ONCE),
        LittleChain(folder / "chain", tills=2, programme=PROGRAMME) as chain,
    ):
        yield _made(chain, folder)


def _made(chain: LittleChain, folder: Path) -> Stage:
    first, second = chain.tills
    known = [first.enrol(f"顾客{number}", phone(number)) for number in range(MEMBERS)]
    for member in known:
        first.sell(*[BISCUIT] * 4, member=member)
    top_up(first, known[0])
    chain.drain()
    first.till.close()
    till = Path(shutil.copytree(first.folder.path, folder / "till"))
    chain.server.services.snapshots.make()
    new = enrolled_till(chain, seals=False).folder.path
    chain.tills.remove(first)
    for number in range(NEWCOMERS):
        member = second.enrol(f"新客{number}", phone(MEMBERS + number))
        second.sell(BISCUIT, member=member)
        second.sell(BOTTLE, member=known[number])
    chain.server.services.catalogue.put([replace(BISCUITS, list_price_minor=1300)])
    chain.drain()
    whole = Path(shutil.copytree(new, folder / "whole"))
    pulled = read_all(TillHere(TillFolder(whole), chain.clock, chain.operator_id))
    return Stage(chain, till, new, known[0], pulled)


def read_all(here: TillHere) -> dict[str, list[tuple[Any, ...]]]:
    """Pull everything there is; what the till then holds of members."""
    till = opened(here)
    pull_all(till)
    till.close()
    return holdings(here.folder)


def pull_all(till: Till) -> None:
    """Pull every stream to its end; nothing is sent."""
    till.puller.gives_way = lambda: False
    server = till.connect()
    try:
        till.puller.resume()
        for stream in STREAMS:
            till.puller.pull(server, stream)
            assert not till.puller.is_unfinished
    finally:
        server.close()


def phone(number: int) -> str:
    """A phone nobody else has."""
    return str(13_000_000_000 + number)
