"""Whatever happens while two enrolments are one: undone, every balance is as if never merged."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from shared.clock import ManualClock
from shared.ids import LotId, MemberId
from shared.trade.fact import CardStamped, LotDraw
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import Services, initialise, open_services
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.members.merging import Verified
from tests.property.test_push_order import copy_of, enrol, high_water
from tests.support.servers import FAST_HASHER
from tests.support.till_writer import START, TillWriter

Held = dict[tuple[str, str, str, str], int]
"""By account, owner, lot and unit."""
Shop = tuple[Path, TillWriter, list[MemberId], list[int], Held]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Three members of one till who earn, spend each other's lots and bring things back."""
    folder = tmp_path_factory.mktemp("merging") / "server"
    initialise(folder, clock=ManualClock(START))
    with open_services(folder, clock=ManualClock(START), hasher=FAST_HASHER) as services:
        till = enrol(services, "east")
    members = [
        till.enrol_member(MemberProfile(name="Li Lei", phone=f"1380013800{number}"))
        for number in range(3)
    ]
    ready = len(till.entries)
    for member in members:
        card = CardStamped(card="card", names={}, size=3, before=0, added=4, filled=1, lines=(1,))
        lot = LotId(till.sell(10_000, member=member, earned=100, cards=(card,)))
        for other in members:
            sale = till.sell(500, member=other, spend=(LotDraw(lot=lot, points=40),))
            till.take_back(sale, 500, member=other)
        taken = (LotDraw(lot=lot, points=30), LotDraw(lot=LotId("debt"), points=5))
        till.take_back(lot, 3_500, member=member, taken=taken)
    steps = list(range(ready, len(till.entries) + 1))
    with copy_of(folder) as services:
        services.ingest.push(till.push_request())
        unmerged = balances(services)
    return folder, till, members, steps, unmerged


MERGES = st.lists(
    st.tuples(
        st.sampled_from([(0, 1), (1, 0), (1, 2), (0, 2), (2, 0)]),
        st.integers(0, 100),
        st.integers(0, 100),
    ),
    max_size=3,
)
"""Whom into whom, when, and until when; in percent of the day."""


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(merges=MERGES)
def test_merges_that_are_undone_leave_every_balance_to_the_point(shop: Shop, merges) -> None:
    folder, till, members, steps, expected = shop
    with copy_of(folder) as services:
        pushed_to(services, till, steps[0])
        for (alias, into), begins, _ends in sorted(merges, key=lambda one: one[1]):
            pushed_to(services, till, steps[begins * (len(steps) - 1) // 100])
            with_merge(services, members[alias], members[into])
        pushed_to(services, till, steps[-1])
        joined = balances(services)
        undo_all(services)
        found = balances(services)
        with services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []

    assert found == expected
    # Nothing comes or goes by merging: only whose it is.
    assert sums(joined) == sums(expected)


def pushed_to(services: Services, till: TillWriter, stop: int) -> None:
    start = high_water(services, till)
    if start < stop:
        services.ingest.push(till.push_request(start, stop))


def with_merge(services: Services, alias: MemberId, into: MemberId) -> None:
    """Merge them, unless one is an alias already."""
    with services.database.reading() as snapshot:
        open_merges = select(schema.merges.c.from_member).where(schema.merges.c.undone_by.is_(None))
        taken = set(snapshot.connection.execute(open_merges).scalars())
    if not taken & {alias, into}:
        services.merging.merge(alias, into, verified=Verified.OFFICE)


def undo_all(services: Services) -> None:
    """Each as soon as what came of it is no alias itself."""
    columns = schema.merges.c
    statement = select(columns.merge_id, columns.from_member, columns.into_member)
    while True:
        with services.database.reading() as snapshot:
            found = snapshot.connection.execute(statement.where(columns.undone_by.is_(None))).all()
        if not found:
            return
        aliases = {row.from_member for row in found}
        services.merging.unmerge(next(r.merge_id for r in found if r.into_member not in aliases))


def balances(services: Services) -> Held:
    columns = schema.balances.c
    statement = select(columns.account, columns.owner, columns.lot, columns.unit, columns.amount)
    with services.database.reading() as snapshot:
        return {
            (row.account, row.owner, row.lot, row.unit): row.amount
            for row in snapshot.connection.execute(statement.where(columns.amount != 0))
        }


def sums(held: Held) -> dict[tuple[str, str, str], int]:
    """Over all owners; of points over all lots too: one member's lots pay the other's debts."""
    found: dict[tuple[str, str, str], int] = {}
    for (account, _owner, lot, unit), amount in held.items():
        key = account, "" if account == "points" else lot, unit
        found[key] = found.get(key, 0) + amount
    return {key: amount for key, amount in found.items() if amount}
