"""A slice of a real shop's lines through tills, network cuts and a server; the files agree."""

import csv
import gzip
import json
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlcipher3.dbapi2
from typer.testing import CliRunner

from desktop.commands import application
from desktop.past_sales.lines import COLUMNS, Layout, Refused, ShopLine, file_totals, read_lines
from desktop.reckoning.agreement import Agreement, reckon
from desktop.reckoning.file import read_server, read_till
from shared.errors import EnvironmentFault
from shared.language import Language, words
from shared.money import Currency
from tests.support.command_line import run_evertill, server_commands_here

SLICE = Path(__file__).parents[1] / "data" / "online_retail_slice.csv"
TILLS = 3
UNREADABLE = "replay-file-unreadable"
# So that the slice is replayed by one worker alone.
IN_ONE_PLACE = pytest.mark.xdist_group("replay")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The slice, replayed once; its folder and what the command said."""
    folder = tmp_path_factory.mktemp("replay")
    options = ["replay", str(SLICE), "--tills", str(TILLS), "--offline", "0.6", "--seed", "3"]
    options += ["--data", str(folder / "data"), "--refused", str(folder / "refused.csv"), "--json"]
    done = CliRunner().invoke(application("replay"), options)
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout.strip().splitlines()[-1])


def reckoned(data: Path) -> Agreement:
    tills = [read_till(data / f"till-{number}" / "till.sqlite") for number in range(1, TILLS + 1)]
    return reckon(tills, read_server(data / "server" / "evertill.db"))


@IN_ONE_PLACE
def test_every_line_is_rung_up_or_refused_to_the_penny(played):
    folder, told = played
    with SLICE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    money = sum((int(one["Quantity"]) * Decimal(one["UnitPrice"]) for one in lines), Decimal(0))
    with (folder / "refused.csv").open(encoding="utf-8", newline="") as file:
        refused = list(csv.DictReader(file))

    assert told["is_consistent"]
    assert told["file_lines"] == len(lines) == told["accepted_lines"] + told["refused_lines"]
    assert Decimal(told["file_money"]) == money
    assert Decimal(told["accepted_money"]) + Decimal(told["refused_money"]) == money
    assert told["refused_by_reason"] == dict(Counter(one["reason"] for one in refused))
    assert set(told["refused_by_reason"]) == {"stock-correction", "no-price"}
    # The refused file names lines as an editor counts them, the header being the first.
    for one in refused:
        assert one["fields"].startswith(lines[int(one["line"]) - 2]["InvoiceNo"])


@IN_ONE_PLACE
def test_it_really_was_offline_and_really_took_back(played):
    _, told = played
    assert told["invoices_offline"] > 0
    assert told["returned_lines_matched"] > 20
    assert told["returned_lines_unmatched"] > 20
    assert told["points_earned"] > told["points_taken_back"] > 0
    assert told["split"] >= 1


@IN_ONE_PLACE
def test_another_reader_of_the_files_comes_to_the_same(played):
    folder, told = played
    agreement = reckoned(folder / "data")
    assert agreement.differences == []
    assert agreement.entries_acknowledged == agreement.entries_written == told["entries"]
    totals = agreement.totals
    rung = Decimal(totals.turnover - totals.refunded).scaleb(-2)
    assert rung == Decimal(told["accepted_money"])
    assert (totals.sales, totals.returns) == (told["sales"], told["returns"])


def spoil(file: Path, *statements: str) -> None:
    with closing(sqlcipher3.dbapi2.connect(str(file))) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE type = 'trigger'")
        connection.commit()
    with closing(sqlcipher3.dbapi2.connect(str(file))) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        connection.commit()


MEMBERS_POINTS = (
    "UPDATE balances SET amount = amount + 1 WHERE (owner, lot) IN"
    " (SELECT owner, lot FROM balances WHERE account = 'points' LIMIT 1) AND account = 'points'"
)


ENTRY_BYTES = (
    "UPDATE entries SET bytes = CAST(replace(bytes, 'cash', 'CASH') AS BLOB)"
    " WHERE kind = 'sale_completed' AND seq = (SELECT MIN(seq) FROM entries"
    " WHERE kind = 'sale_completed')"
)


@IN_ONE_PLACE
@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("till-2/till.sqlite", MEMBERS_POINTS),
        ("server/evertill.db", MEMBERS_POINTS),
        (
            "till-1/till.sqlite",
            ENTRY_BYTES,
        ),
        ("server/evertill.db", "UPDATE postings SET amount = amount + 1 WHERE account = 'sales'"),
        (
            "till-3/till.sqlite",
            "DELETE FROM entries WHERE seq = (SELECT MAX(seq) FROM entries)",
        ),
    ],
    ids=[
        "a till's balance",
        "the server's balance",
        "an entry's bytes",
        "postings",
        "a lost entry",
    ],
)
def test_one_figure_changed_in_any_file_is_noticed(played, tmp_path, file, statement):
    folder, _ = played
    data = Path(shutil.copytree(folder / "data", tmp_path / "data"))
    spoil(data / file, statement)
    assert reckoned(data).differences != []


HEADER = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
LINE = b"1,A,Tea,2,2010-12-01 08:26:00,1.25,9\n"


def lines_of(file: Path) -> list[ShopLine | Refused]:
    return list(read_lines(file, currency=Currency("GBP"), zone=ZoneInfo("Europe/London")))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("missing.csv", None, "replay-file-missing"),
        ("empty.csv", b"", "replay-columns-missing"),
        ("other.csv", b"a,b,c\n1,2,3\n", "replay-columns-missing"),
        ("picture.csv", b"\x89PNG\r\n" + bytes(range(256)) * 8, "replay-file-unreadable"),
        ("latin.csv", HEADER + "1,A,Thé,2,2010-12-01,1.25,9\n".encode("latin-1"), UNREADABLE),
        ("not-gzip.csv.gz", HEADER + LINE, UNREADABLE),
        ("cut.csv.gz", gzip.compress(HEADER + LINE * 50, mtime=0)[:-20], UNREADABLE),
        ("torn.csv.gz", gzip.compress(HEADER + LINE, mtime=0)[:12] + b"garbage" * 9, UNREADABLE),
        ("quotes.csv", HEADER + b'"1"x,A\n', UNREADABLE),
        ("field.csv", HEADER + b'"' + b"x" * 200_000 + b'",A\n', UNREADABLE),
        ("folder.csv", "folder", UNREADABLE),
    ],
)
def test_a_file_that_cannot_be_replayed_is_told_in_words(tmp_path, name, content, code):
    file = tmp_path / name
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(EnvironmentFault) as caught:
        lines_of(file)
    assert caught.value.code == code
    for language in Language:
        assert words(language).error(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,A,Tea,2", "unreadable"),
        (b",A,Tea,2,2010-12-01 08:26:00,1.25,9", "unreadable"),
        (b"1,,Tea,2,2010-12-01 08:26:00,1.25,9", "unreadable"),
        (b"1,A,Tea,two,2010-12-01 08:26:00,1.25,9", "unreadable"),
        (b"1,A,Tea,2,yesterday,1.25,9", "unreadable"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,NaN,9", "unreadable"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,1e999999999,9", "unreadable"),
        (b"A1,A,Tea,2,2010-12-01 08:26:00,1.25,9", "unknown-invoice-prefix"),
        (b"1,A,Tea,0,2010-12-01 08:26:00,1.25,9", "zero-quantity"),
        (b"1,A,Tea,-2,2010-12-01 08:26:00,1.25,9", "stock-correction"),
        (b"C1,A,Tea,2,2010-12-01 08:26:00,1.25,9", "stock-correction"),
        (b"1,A,Tea,999999999,2010-12-01 08:26:00,1.25,9", "absurd-quantity"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,0,9", "no-price"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,-1.25,9", "negative-price"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,1.255,9", "price-finer-than-currency"),
        (b"1,A,Tea,2,1960-12-01 08:26:00,1.25,9", "absurd-date"),
        (b"1,A,Tea,2,9999-12-31 23:26:00,1.25,9", "absurd-date"),
        (b"1,A,T\0ea,2,2010-12-01 08:26:00,1.25,9", "unreadable"),
        (b"1,A,Tea,1_000,2010-12-01 08:26:00,1.25,9", "unreadable"),
        ("1,A,Tea,٣,2010-12-01 08:26:00,1.25,9".encode(), "unreadable"),
        (b"1,A," + b"x" * 501 + b",2,2010-12-01 08:26:00,1.25,9", "text-too-long"),
        (b"1,A,Tea,2,2010-12-01 08:26:00,1.25," + b"9" * 65, "text-too-long"),
        (b"1,A,Tea,99999,2010-12-01 08:26:00,99999.00,9", "absurd-amount"),
    ],
)
def test_a_line_that_cannot_be_sold_is_refused_with_its_reason_and_the_next_one_is_read(
    tmp_path, line, reason
):
    file = tmp_path / "lines.csv"
    file.write_bytes(HEADER + line + b"\n" + LINE)
    refused, accepted = lines_of(file)
    assert isinstance(refused, Refused)
    assert (refused.reason.value, refused.raw.number) == (reason, 2)
    assert str(refused.raw.money) != "-0.0"
    assert isinstance(accepted, ShopLine)
    assert (accepted.units, accepted.price_minor, accepted.member) == (2, 125, "9")


def test_the_command_line_says_it_without_a_stack_trace(tmp_path):
    program = Path(sys.executable).parent / "evertill"
    command = [str(program), "replay", str(tmp_path / "missing.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "missing.csv" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_other_shops_write_their_files_otherwise(tmp_path):
    file = tmp_path / "kasse.csv"
    lines = [
        "Beleg;Art;Text;Menge;Datum;Preis;Kunde",
        "17;A1;Äpfel;2;03.01.2024 10:05;1,50;K1",
        "18;B2;Brot;1,0;03.01.2024 10:06;2,00;",
        "19;B2;Brot;1;nie;2,25;",
    ]
    file.write_bytes("\r\n".join(lines).encode("latin-1"))
    names = ("Beleg", "Art", "Text", "Menge", "Datum", "Preis", "Kunde")
    layout = Layout(
        columns=dict(zip(COLUMNS, names, strict=True)),
        encoding="latin-1",
        time_format="%d.%m.%Y %H:%M",
        decimal=",",
    )
    berlin = ZoneInfo("Europe/Berlin")
    apples, bread, spoilt = read_lines(file, currency=Currency("EUR"), zone=berlin, layout=layout)
    assert isinstance(bread, ShopLine)
    assert isinstance(spoilt, Refused)
    assert isinstance(apples, ShopLine)
    assert (apples.name, apples.units, apples.price_minor) == ("Äpfel", 2, 150)
    assert apples.at == datetime(2024, 1, 3, 10, 5, tzinfo=berlin)
    assert (bread.units, bread.price_minor) == (1, 200)
    assert (spoilt.reason.value, spoilt.raw.money) == ("unreadable", Decimal("2.25"))
    assert file_totals(file, layout) == (3, Decimal("7.25"))


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_between_columns_is_found_and_a_mark_before_them_is_no_name(tmp_path, sign):
    file = tmp_path / "shop.csv"
    file.write_bytes(b"\xef\xbb\xbf" + (HEADER + LINE).replace(b",", sign.encode()))
    (line,) = lines_of(file)
    assert isinstance(line, ShopLine)
    assert line.units == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--zone", "Mars/Olympus"], "is not a time zone"),
        (["--currency", "pounds"], "is not a currency"),
        (["--programme", "/nowhere/programme.json"], "cannot be used"),
        (["--refused", "/nowhere/refused.csv"], "cannot be used"),
        (["--decimal", "x"], "cannot be"),
        (["--encoding", "klingon"], "unknown encoding"),
        (["--time-format", "%d.%m.%Y"], "can be sold"),
        (["--column", "colour=Red"], "is no field"),
    ],
)
def test_an_option_that_cannot_be_is_told_before_anything_is_rung(
    tmp_path, monkeypatch, capsys, options, said
):
    file = tmp_path / "shop.csv"
    file.write_bytes(HEADER + LINE)
    ended = run_evertill(monkeypatch, capsys, "replay", str(file), *options)
    assert ended.code == 2
    assert said in ended.err


@pytest.mark.parametrize(
    ("currency", "prices", "options"),
    [
        ("JPY", ("150", "98"), []),
        ("KWD", ("1.505", "0.980"), []),
        ("GBP", ("60.00", "55.00"), ["--programme", "shared/programmes/default.json"]),
    ],
)
def test_any_currency_and_any_offers_agree_to_the_penny(
    tmp_path, monkeypatch, capsys, currency, prices, options
):
    file = tmp_path / "shop.csv"
    rows = [
        f"1,A,Tea,3,2010-12-01 08:26:00,{prices[0]},9",
        f"1,B,Cup,1,2010-12-01 08:26:00,{prices[1]},9",
        f"C2,A,Tea,-1,2010-12-02 08:26:00,{prices[0]},9",
        f"C3,X,Old,-2,2010-12-02 08:26:00,{prices[1]},9",
    ]
    file.write_bytes(HEADER + "\n".join(rows).encode())
    told = replay_json(monkeypatch, capsys, file, "--currency", currency, *options)
    assert Decimal(told["accepted_money"]) == 2 * Decimal(prices[0]) - Decimal(prices[1])
    assert (Decimal(told["offers_money"]) > 0) is bool(options)


@pytest.mark.parametrize(
    ("text", "decimal", "figure"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("-1,234", ".", "-1234"),
        ("12,50", ",", "12.50"),
        ("6.0", ".", "6.0"),
        (".5", ".", "0.5"),
    ],
)
def test_figures_as_people_write_them(text, decimal, figure):
    assert Layout(decimal=decimal).number(text) == Decimal(figure)


@pytest.mark.parametrize(
    ("text", "decimal"), [("1,50", "."), ("1_0", "."), ("", "."), ("NaN", "."), ("1.2.3", ",")]
)
def test_figures_that_may_mean_something_else_are_none(text, decimal):
    with pytest.raises(ArithmeticError):
        Layout(decimal=decimal).number(text)


def replay_json(monkeypatch, capsys, file: Path, *options: str) -> dict[str, Any]:
    server_commands_here(monkeypatch)
    ended = run_evertill(
        monkeypatch, capsys, "replay", str(file), "--json", "--tills", "1", *options
    )
    assert ended.code == 0
    told: dict[str, Any] = json.loads(ended.out)
    assert told["differences"] == []
    return told


def test_a_file_in_any_order_is_rung_up_in_the_order_of_time(tmp_path, monkeypatch, capsys):
    file = tmp_path / "shop.csv"
    rows = [
        "C9,A,Tea,-3,2010-12-05 09:00:00,1.25,9",
        "7,B,Cup,1,2010-12-03 09:00:00,2.00,8",
        "1,A,Tea,2,2010-12-01 08:26:00,1.25,9",
        "8,B,Cup,1,2010-12-05 08:00:00,2.00,8",
        "2,B,Cup,4,2010-12-03 08:26:00,2.00,",
        "2,A,Tea,4,2010-12-03 08:26:00,1.25,9",
    ]
    file.write_bytes(HEADER + "\n".join(rows).encode())
    told = replay_json(monkeypatch, capsys, file)
    assert (told["days"], told["invoices"]) == (3, 6)
    assert (told["returned_units_matched"], told["returned_units_unmatched"]) == (3, 0)


def test_a_cancellation_too_long_for_one_record_is_taken_back_in_parts(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "shop.csv"
    rows = [f"C1,S{n},{'name ' * 20},-1,2010-12-05 09:00:00,1.25," for n in range(400)]
    file.write_bytes(HEADER + "\n".join(rows).encode())
    told = replay_json(monkeypatch, capsys, file)
    assert told["split"] > 0
    assert told["returned_units_unmatched"] == 400
