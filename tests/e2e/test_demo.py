"""The demo without a display: a day through the real window, judged by the files it leaves."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2

from tests.judges.receipts.adding_up import check

pytestmark = pytest.mark.xdist_group("demo")

RUN_S = 400
START = "from desktop.commands import main; main()"
FIGURES = {
    "sales",
    "returns",
    "entries_written",
    "entries_acknowledged",
    "offline_entries",
    "receipts_printed",
    "ledger_imbalance",
    "balances_equal",
    "chains_verified",
    "duration_s",
}
PAGES = {
    "approval",
    "change",
    "close-day",
    "close-shift",
    "closed",
    "coupons",
    "day-closed",
    "drawer",
    "fault",
    "figures",
    "first-run",
    "goods-search",
    "help",
    "holds",
    "member-search",
    "menu",
    "open-shift",
    "papers",
    "price",
    "offers",
    "receipts",
    "return",
    "return-start",
    "sale",
    "sale-empty",
    "sign-in",
    "sync",
    "tender",
    "unknown-barcode",
    "wallet-waiting",
    "weight",
}


def judge(folder: Path) -> "subprocess.CompletedProcess[str]":
    """What the separate reader says of a folder."""
    return subprocess.run(
        [sys.executable, "-m", "desktop.demo.summary", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One played day; every test looks at it, none changes it."""
    folder = tmp_path_factory.mktemp("demo") / "played"
    done = subprocess.run(
        [sys.executable, "-c", START, "demo", "--out", str(folder)],
        env={**os.environ, "EVERTILL_HEADLESS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    (folder / "terminal.log").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture
def copy(day: Path, tmp_path: Path) -> Path:
    """The day's files to be tampered with."""
    folder = tmp_path / "copy"
    shutil.copytree(day, folder)
    return folder


def test_the_day_is_consistent_and_complete(day: Path) -> None:
    summary = json.loads((day / "summary.json").read_text())
    assert set(summary) == FIGURES
    assert summary["sales"] >= 30
    assert summary["returns"] >= 2
    assert summary["entries_written"] == summary["entries_acknowledged"] > 0
    assert summary["offline_entries"] >= 8
    assert summary["receipts_printed"] == len(list((day / "receipts").glob("*.bin")))
    assert summary["receipts_printed"] >= summary["sales"] + summary["returns"]
    assert summary["ledger_imbalance"] == 0
    assert summary["balances_equal"] is True
    assert summary["chains_verified"] is True


def test_the_reader_alone_says_the_same_of_the_files(day: Path) -> None:
    told = judge(day)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == json.loads((day / "summary.json").read_text())


def test_every_receipt_is_shown_in_the_terminal_and_kept_three_times(day: Path) -> None:
    shown = (day / "terminal.log").read_text()
    for path in (day / "receipts").glob("*.bin"):
        text = path.with_suffix(".txt").read_text()
        assert text.rstrip() in shown
        assert path.with_suffix(".png").stat().st_size > 0


def test_every_receipt_of_the_day_adds_up(day: Path) -> None:
    """Judge: a separate program that reads the printed text alone."""
    found = [check(path.read_text("utf-8")) for path in sorted((day / "receipts").glob("*.txt"))]
    assert [flaw for one in found for flaw in one.flaws] == []
    assert sum(bool(one.sums) for one in found) >= 32, "sales and returns"
    kinds = set[str]().union(*(one.kinds for one in found))
    assert kinds == {
        "lines", "discounts", "basket", "rounding", "tenders", "change", "tax", "tax total",
        "points",
    }  # fmt: skip


def test_every_page_is_pictured_in_both_languages(day: Path) -> None:
    pictures = {path.stem for path in (day / "screens").glob("*.png")}
    assert {f"{language}-{page}" for language in ("zh", "en") for page in PAGES} <= pictures


def _kinds(day: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in day.glob("till-*/till.sqlite"):
        with closing(sqlcipher3.dbapi2.connect(str(path))) as connection:
            for (encoded,) in connection.execute("SELECT bytes FROM entries ORDER BY seq"):
                told = json.loads(encoded)
                found.setdefault(told["kind"], []).append(told["body"])
    return found


def test_the_day_has_everything_a_cashier_does(day: Path) -> None:
    facts = _kinds(day)
    sales = facts["sale_completed"]
    offers = {offer["offer_id"] for sale in sales for offer in sale.get("offers", ())}
    assert {"spend-ladder", "second-half-price", "ten-off-fifty"} <= offers
    tenders = {tender["tender"] for sale in sales for tender in sale["tenders"]}
    assert {"cash", "card", "wallet", "points"} <= tenders
    assert any(len(sale["tenders"]) >= 3 for sale in sales)
    tiers = {sale["member"]["tier_after"] for sale in sales if "member" in sale}
    assert tiers == {"member", "silver", "gold", "diamond"}
    assert any(sale.get("hold_id") for sale in sales)
    states = {step["state"] for step in facts["payment_attempted"]}
    assert states == {"requested", "approved", "declined", "unknown", "reversed"}
    assert {"price_overridden", "line_voided", "receipt_reprinted", "cash_moved"} <= set(facts)
    assert {body["till_id"] for body in facts["day_closed"]} == {
        body["till_id"] for body in facts["shift_closed"]
    }
    assert len({body["store_id"] for body in facts["shift_closed"]}) == 2


def _tampered(path: Path, statement: str, *values: object) -> None:
    """Change a file past its guards, as somebody with the file in hand can."""
    with closing(sqlcipher3.dbapi2.connect(str(path))) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        assert connection.execute(statement, values).rowcount == 1
        connection.commit()


def _with_one_byte_changed(data: bytes) -> bytes:
    at = data.index(b'"total":') + len(b'"total":')
    return data[:at] + (b"2" if data[at : at + 1] == b"1" else b"1") + data[at + 1 :]


def alter_entry(folder: Path) -> None:
    """One byte of one sale of the first till."""
    path = folder / "till-1" / "till.sqlite"
    with closing(sqlcipher3.dbapi2.connect(str(path))) as connection:
        entry_id, encoded = connection.execute(
            "SELECT id, bytes FROM entries WHERE kind = 'sale_completed' LIMIT 1"
        ).fetchone()
    changed = _with_one_byte_changed(bytes(encoded))
    assert sum(a != b for a, b in zip(encoded, changed, strict=True)) == 1
    _tampered(path, "UPDATE entries SET bytes = ? WHERE id = ?", changed, entry_id)


def alter_balance(folder: Path) -> None:
    """One more point on one lot at the server."""
    _tampered(
        folder / "server" / "evertill.db",
        "UPDATE balances SET amount = amount + 1 WHERE rowid ="
        " (SELECT rowid FROM balances WHERE account = 'points' LIMIT 1)",
    )


def move_a_tender(folder: Path) -> None:
    """All that cards took is booked to wallets, with balances that fit."""
    for table in ("postings", "balances"):
        with closing(sqlcipher3.dbapi2.connect(str(folder / "server" / "evertill.db"))) as server:
            server.execute("DROP TRIGGER IF EXISTS postings_no_update")
            changed = server.execute(
                f"UPDATE {table} SET account = 'wallet' WHERE account = 'card'"
            )
            assert changed.rowcount > 0
            server.commit()


def alter_receipt(folder: Path) -> None:
    """One digit of one receipt's bytes."""
    path = next(iter(sorted((folder / "receipts").glob("till-1-*.bin"))))
    data = path.read_bytes()
    at = data.rindex(b".00\n") - 1
    path.write_bytes(data[:at] + (b"3" if data[at : at + 1] == b"2" else b"2") + data[at + 1 :])


def remove_receipt(folder: Path) -> None:
    """One receipt with everything beside it."""
    for path in (folder / "receipts").glob("till-2-0003.*"):
        path.unlink()


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (alter_entry, "is broken"),
        (alter_balance, "its postings give"),
        (move_a_tender, "wallet in the ledger is"),
        (alter_receipt, "the bytes say something else"),
        (remove_receipt, "0 originals"),
    ],
)
def test_the_reader_sees_what_was_altered(
    copy: Path, alter: Callable[[Path], None], says: str
) -> None:
    alter(copy)
    told = judge(copy)
    assert told.returncode == 1
    assert says in told.stderr
