"""However pushes are sliced, repeated and interleaved, the server ends in the same state."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from shared.clock import ManualClock
from shared.ids import LotId
from shared.journal.certificate import decode_certificate
from shared.journal.keys import new_signing_key
from shared.protocol.message import PROTOCOL, EnrolRequest
from shared.trade.fact import LotDraw
from sync_server.bootstrap import Services, initialise, open_services
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import FAST_HASHER
from tests.support.till_writer import START, TillWriter

Slice = tuple[int, int]
"""Which till, how many entries at once."""

DERIVED = (
    schema.lots,
    schema.tickets,
    schema.returned_lines,
    schema.attachments,
)
"""Tables whose rows do not depend on when they were written. Postings do not, but for those of the
server's own facts, nor do balances, but that one may be kept at zero."""


@pytest.fixture(scope="module")
def two_tills(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[TillWriter, ...]]:
    """A server with two enrolled tills that have not pushed, and their day."""
    folder = tmp_path_factory.mktemp("order") / "server"
    initialise(folder, clock=ManualClock(START))
    with open_services(folder, clock=ManualClock(START), hasher=FAST_HASHER) as services:
        first, second = enrol(services, "east"), enrol(services, "west")
    member = first.enrol_member()
    lot = LotId(first.sell(10_000, member=member, earned=100))
    sale = first.sell(4_000, quantity=4, member=member, earned=40)
    first.take_back(
        sale, 2_000, quantity=2, member=member, taken=(LotDraw(lot=LotId(sale), points=20),)
    )
    first.sell(500, member=member, spend=(LotDraw(lot=lot, points=80),))
    second.sell(25_000, member=member, earned=250)
    # What was earned there is owed once it came back, and paid by what was earned here.
    gone = second.sell(9_000, member=member, earned=90, expires_on="2026-12-31")
    second.take_back(
        gone,
        9_000,
        member=member,
        taken=(LotDraw(lot=LotId(gone), points=30), LotDraw(lot=LotId("debt"), points=60)),
    )
    second.sell(500, member=member, spend=(LotDraw(lot=lot, points=70),))
    second.take_back(sale, 3_000, quantity=3)
    second.enrol_member()
    return folder, (first, second)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    slices=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 5)), max_size=12),
    repeats=st.sets(st.integers(0, 11)),
)
def test_any_slicing_repeating_and_interleaving_ends_in_the_same_state(
    two_tills: tuple[Path, tuple[TillWriter, ...]], slices: list[Slice], repeats: set[int]
) -> None:
    folder, tills = two_tills
    with copy_of(folder) as services:
        expected = outcome(services, tills, [(0, 5), (1, 7)], set())
        assert expected["exceptions"] == [
            "duplicate-member-key",
            "lot-overspent",
            "receipt-returned-twice",
        ]
    with copy_of(folder) as services:
        found = outcome(services, tills, [*slices, *[(0, 2), (1, 2)] * 4], repeats)

    assert found == expected


def outcome(
    services: Services, tills: tuple[TillWriter, ...], slices: list[Slice], repeats: set[int]
) -> dict[str, list[str]]:
    """Push as told, then read everything that should not depend on it."""
    for position, (which, count) in enumerate(slices):
        till = tills[which]
        start = high_water(services, till)
        request = till.push_request(start, start + count)
        for _ in range(2 if position in repeats else 1):
            services.ingest.push(request)
    with services.database.reading() as snapshot:
        report = audit(snapshot)
        assert report.flaws == []
        state = {
            table.name: sorted(map(str, snapshot.connection.execute(select(table))))
            for table in DERIVED
        }
        of_tills = select(schema.postings).where(
            schema.postings.c.entry_id.in_([entry.id for till in tills for entry in till.entries])
        )
        state["postings"] = sorted(map(str, snapshot.connection.execute(of_tills)))
        held = select(schema.balances).where(schema.balances.c.amount != 0)
        state["balances"] = sorted(map(str, snapshot.connection.execute(held)))
        entries = select(schema.entries.c.bytes, schema.entries.c.hash).where(
            schema.entries.c.journal.in_([till.journal for till in tills])
        )
        state["entries"] = sorted(map(str, snapshot.connection.execute(entries)))
        standing = select(schema.members.c.member_id, schema.members.c.tier)
        state["members"] = sorted(map(str, snapshot.connection.execute(standing)))
        rules = select(schema.exceptions.c.rule)
        state["exceptions"] = sorted(snapshot.connection.execute(rules).scalars())
    return state


def high_water(services: Services, till: TillWriter) -> int:
    """Where the server's copy of a till stands."""
    with services.database.reading() as snapshot:
        statement = select(schema.heads.c.next_seq).where(schema.heads.c.journal == till.journal)
        return int(snapshot.connection.execute(statement).scalar_one())


def enrol(services: Services, name: str) -> TillWriter:
    """A till of a store of its own."""
    store = services.stores.add_store(name, "UTC")
    till = services.stores.add_till(store.store_id, name)
    key = new_signing_key()
    code = services.enrolment.issue_code(till.till_id)
    request = EnrolRequest(protocol=PROTOCOL, code=code, public_key=str(key.public))
    reply = services.enrolment.enrol(request)
    return TillWriter(decode_certificate(reply.certificate.payload), key, reply)


@contextmanager
def copy_of(folder: Path) -> Iterator[Services]:
    """The same server again, as it was before any push."""
    with tempfile.TemporaryDirectory() as temporary:
        copied = Path(shutil.copytree(folder, Path(temporary) / "server"))
        with open_services(copied, clock=ManualClock(START), hasher=FAST_HASHER) as services:
            yield services
