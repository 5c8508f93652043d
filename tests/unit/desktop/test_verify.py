"""``evertill verify``: silent about a sound till, and names what was changed in another."""

import json
import random

import msgspec
import pytest
import sqlcipher3.dbapi2

from desktop.store.database import TillFolder
from desktop.store.verification import TillReport, verify_till
from shared.errors import DomainError, EnvironmentFault
from shared.journal.keys import Signed
from tests.support.command_line import run_evertill
from tests.support.desk import BISCUIT_CODE, open_desk

GUARDS = ("entries", "head_signatures", "postings")


@pytest.fixture
def sold(folder: TillFolder) -> TillFolder:
    """A till that has enrolled a member and sold; closed."""
    desk = open_desk(folder)
    member = desk.enrol()
    for _ in range(3):
        sale = desk.sell(BISCUIT_CODE, member=member)
    desk.take_back(sale, (1, 1))
    desk.till.close()
    return folder


def test_a_certificate_of_somebody_else_is_found(sold):
    connection = sqlcipher3.dbapi2.connect(str(sold.database))
    (packed,) = connection.execute("SELECT certificate FROM epochs").fetchone()
    connection.close()
    signed = msgspec.msgpack.decode(packed, type=Signed)
    forged = msgspec.structs.replace(signed, signature=bytes(64))
    harm(sold, "UPDATE epochs SET certificate = ?", msgspec.msgpack.encode(forged))
    assert codes(verify_till(sold)) == {"bad-certificate"}


def harm(folder: TillFolder, statement: str, *values: object) -> None:
    """Change a file as no program of ours would."""
    connection = sqlcipher3.dbapi2.connect(str(folder.database))
    for table in GUARDS:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
    assert connection.execute(statement, values).rowcount > 0
    connection.commit()
    connection.close()


def codes(report: TillReport) -> set[str]:
    return {flaw.code for flaw in report.flaws}


def test_a_till_that_has_written_nothing_yet_is_clean(folder):
    report = verify_till(folder)
    assert (report.flaws, report.entries) == ([], 0)


def test_a_sound_till_is_clean(sold):
    report = verify_till(sold)
    assert report.flaws == []
    assert (report.epochs, report.entries, report.unsent) == (1, 6, 6)
    assert report.postings > 0
    assert report.balances > 0


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE entries SET hash = zeroblob(32) WHERE seq = 3", "broken-chain"),
        ("UPDATE entries SET previous_hash = zeroblob(32) WHERE seq = 3", "broken-chain"),
        ("UPDATE entries SET bytes = x'7b7d' WHERE seq = 3", "bad-envelope"),
        ("UPDATE entries SET kind = 'no_sale' WHERE seq = 3", "wrong-columns"),
        ("DELETE FROM entries WHERE seq = 3", "wrong-place"),
        ("DELETE FROM entries WHERE seq = 5", "head-differs"),
        ("UPDATE epochs SET next_seq = 5", "head-differs"),
        ("UPDATE postings SET amount = amount + 1 WHERE seq = 3", "postings-differ"),
        ("DELETE FROM postings WHERE seq = 3 AND position = 0", "unbalanced-unit"),
        ("UPDATE balances SET amount = amount + 1 WHERE account = 'drawer'", "balance-differs"),
        ("DELETE FROM balances WHERE account = 'sales'", "balance-differs"),
        ("UPDATE tickets SET receipt_no = 'same'", "receipt-number-twice"),
        ("UPDATE attachments SET content = x'7b7d'", "attachment-differs"),
        ("UPDATE attachments SET entry_id = 'none'", "attachment-differs"),
    ],
)
def test_what_was_changed_is_found(sold, statement, code):
    harm(sold, statement)
    assert code in codes(verify_till(sold))


def test_every_changed_byte_of_an_entry_is_found(sold):
    connection = sqlcipher3.dbapi2.connect(str(sold.database))
    rows = connection.execute("SELECT seq, bytes FROM entries ORDER BY seq").fetchall()
    connection.close()
    chosen = random.Random(1)
    for seq, encoded in rows:
        for _ in range(8):
            at = chosen.randrange(len(encoded))
            changed = encoded[:at] + bytes([encoded[at] ^ 1]) + encoded[at + 1 :]
            harm(sold, "UPDATE entries SET bytes = ? WHERE seq = ?", changed, seq)
            assert not verify_till(sold).is_clean, (seq, at)
        harm(sold, "UPDATE entries SET bytes = ? WHERE seq = ?", encoded, seq)
    assert verify_till(sold).is_clean


def test_a_head_file_that_is_ahead_or_gone_is_found(sold):
    harm(sold, "DELETE FROM entries WHERE seq = 5")
    head = "(SELECT hash FROM entries WHERE seq = 4)"
    harm(sold, f"UPDATE epochs SET next_seq = 5, head_hash = {head}")
    assert "journal-behind-head" in codes(verify_till(sold))
    sold.head.unlink()
    assert "head-file-missing" in codes(verify_till(sold))


def test_the_first_flaw_is_the_first_row(sold):
    harm(sold, "UPDATE entries SET hash = zeroblob(32) WHERE seq IN (2, 4)")
    assert verify_till(sold).flaws[0].where.endswith("/2")


def test_folders_that_are_no_till_are_named(sold, tmp_path):
    with pytest.raises(DomainError) as refused:
        verify_till(TillFolder(tmp_path / "nothing"))
    assert refused.value.code == "not-enrolled"
    harm(sold, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(EnvironmentFault) as fault:
        verify_till(sold)
    assert fault.value.code == "database-too-old"


def test_the_command_says_it_beside_a_running_till(sold, monkeypatch, capsys):
    def run(*more: str) -> tuple[int, str]:
        done = run_evertill(monkeypatch, capsys, "verify", "--data", str(sold.path), *more)
        return int(str(done.code or 0)), done.out

    desk = open_desk(sold)
    code, out = run("--json")
    assert code == 0
    assert json.loads(out)["is_clean"]
    assert run()[0] == 0
    desk.till.close()

    harm(sold, "UPDATE entries SET hash = zeroblob(32) WHERE seq = 3")
    code, out = run()
    assert code == 1
    assert "First flaw: broken-chain" in out
    code, out = run("--json")
    assert code == 1
    assert json.loads(out)["flaws"][0]["code"] == "broken-chain"
