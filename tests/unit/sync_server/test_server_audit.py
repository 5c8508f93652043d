"""`verify` finds what was altered behind the server's back, and names it."""

from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from shared.clock import ManualClock
from shared.trade.fact import LotDraw
from sync_server.bootstrap import DATABASE_FILE, open_services
from sync_server.journal.audit import Report, audit
from tests.support.servers import serve_here

GUARDED = ("entries", "postings", "head_signatures", "epochs", "server_keys")
"""Tables that whoever tampers must first take the triggers off."""


@pytest.fixture
def used(folder: Path, clock: ManualClock) -> Path:
    """A server with a day of one till, stopped."""
    with serve_here(folder, clock=clock) as server:
        till = server.enrol_till()
        member = till.enrol_member()
        lot = till.sell(10_000, member=member, earned=100)
        till.sell(500, member=member, spend=(LotDraw(lot=lot, points=150),))
        server.line.push(till)
        twin = till.copy(2)
        twin.sell(700)
        server.line.push(twin, 2)
    return folder


def test_a_server_that_nobody_touched_is_clean(used: Path) -> None:
    report = examine(used)

    assert report.is_clean
    assert (report.chains, report.quarantined) == (3, 0)
    # The twin sold under a number that was taken: that is told, beside the fork.
    assert report.entries == 3 + 1 + 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            "UPDATE entries SET bytes = CAST(replace(bytes, '10000', '90000') AS BLOB)",
            "broken-chain",
        ),
        ("UPDATE entries SET hash = prev_hash WHERE seq = 1", "broken-chain"),
        (
            "UPDATE entries SET bytes = x'7b7d' WHERE kind = 'member_enrolled'",
            "attachment-differs",
        ),
        ("UPDATE members SET name = name || 'x'", "profile-differs"),
        ("UPDATE profile_facts SET hlc = '0'", "profile-differs"),
        ("DELETE FROM scope_rows WHERE stream = 'members'", "scope-differs"),
        ("UPDATE scopes SET row_count = 9 WHERE stream = 'members'", "scope-differs"),
        ("DELETE FROM entries WHERE seq = 1", "gap"),
        ("DELETE FROM entries WHERE seq = 2", "head-differs"),
        ("UPDATE entries SET id = id || 'x' WHERE id IS NOT NULL", "wrong-place"),
        ("UPDATE head_signatures SET signature = zeroblob(64)", "bad-signature"),
        ("DELETE FROM head_signatures", "unsigned-head"),
        ("UPDATE postings SET amount = amount + 1 WHERE account = 'points'", "postings-differ"),
        ("DELETE FROM postings WHERE account = 'points'", "postings-differ"),
        (
            "UPDATE postings SET entry_id = entry_id || 'x' WHERE account = 'sales'",
            "postings-differ",
        ),
        ("UPDATE balances SET amount = amount + 1 WHERE account = 'points'", "balance-differs"),
        ("DELETE FROM balances WHERE account = 'drawer'", "balance-differs"),
        ("UPDATE heads SET next_seq = next_seq + 1", "head-differs"),
        ("UPDATE attachments SET content = x'7b7d'", "attachment-differs"),
        ("UPDATE epochs SET certificate_signed = x'00'", "bad-certificate"),
        ("UPDATE server_keys SET certified = x'00' WHERE purpose = 'signing'", "bad-certificate"),
    ],
)
def test_an_alteration_is_found_and_named(used: Path, change: str, code: str) -> None:
    connection = dbapi2.connect(str(used / DATABASE_FILE))
    for table in GUARDED:
        connection.executescript(f"DROP TRIGGER {table}_no_update; DROP TRIGGER {table}_no_delete;")
    assert connection.execute(change).rowcount > 0
    connection.commit()
    connection.close()

    report = examine(used)

    assert code in [flaw.code for flaw in report.flaws]
    assert report.flaws[0].where


def examine(folder: Path) -> Report:
    with open_services(folder) as services, services.database.reading() as snapshot:
        return audit(snapshot)
