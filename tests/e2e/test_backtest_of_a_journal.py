"""A till's own journal is played as past sales: the same money as its facts say."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from desktop.commands import application
from desktop.store.driver import sqlite_module
from shared.errors import EnvironmentFault
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.conditions import Spend
from shared.loyalty.document import EVERYTHING
from shared.loyalty.effects import AmountOff, FurtherUnits, PercentOff
from shared.loyalty.programme import ReturnPolicy, Returns
from tests.pricing_builders import offer, only, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE, new_folder, open_desk

OVER_TWENTY = (Spend(minimum_minor=20_00, goods=EVERYTHING),)
TILL = Path(__file__).parents[1] / "vectors" / "files" / "release-1" / "till" / "till.sqlite"


def told(tmp_path: Path, sales: Path, *more: str) -> dict:
    new = tmp_path / "new.json"
    new.write_bytes(programme_bytes(programme(offer("tenth", PercentOff(basis_points_off=1000)))))
    done = CliRunner().invoke(
        application("backtest"),
        ["backtest", "--programme", str(new), "--sales", str(sales), "--json", *more],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def facts_of(file: Path) -> list[dict]:
    with sqlite_module.connect(f"file:{file}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT bytes FROM entries ORDER BY seq").fetchall()
    return [json.loads(row[0]) for row in rows]


def test_a_tills_journal_is_played_with_the_money_that_its_facts_name(tmp_path):
    before = TILL.read_bytes()
    result = told(tmp_path, TILL)
    facts = facts_of(TILL)
    sales = [one["body"] for one in facts if one["kind"] == "sale_completed"]
    returned = [one["body"] for one in facts if one["kind"] == "sale_returned"]
    assert result["assumed"]["lines"] == sum(len(sale["lines"]) for sale in sales) > 0
    back = sum(line["quantity"] for one in returned for line in one["lines"])
    assert result["assumed"]["returned_units"] == back
    figures = result["old"]["figures"]
    assert figures["baskets"] == len(sales)
    if not returned:
        gross = sum(line["gross"] for sale in sales for line in sale["lines"])
        assert figures["gross_minor"] == gross
    assert result["new"]["figures"]["discount_minor"] > 0
    assert TILL.read_bytes() == before


def test_what_was_given_on_top_was_not_bought_and_nobody_brings_it_back(tmp_path):
    desk = open_desk(
        new_folder(
            tmp_path / "till",
            programme(
                offer("further", FurtherUnits(per_units=3), only("A1")),
                offer("over", AmountOff(off_minor=5_00), conditions=OVER_TWENTY),
                returns=Returns(policy=ReturnPolicy.RE_PRICE),
            ),
        )
    )
    sale = desk.sell(*[WATER_CODE] * 3, BISCUIT_CODE, BISCUIT_CODE)
    assert [line.quantity for line in sale.fact.lines] == [3, 2, 1]
    kept_dearer = desk.take_back(sale, (2, 1))
    assert [line.quantity for line in kept_dearer.fact.lines] == [0, 1]
    gift = desk.take_back(sale, (3, 1))
    assert gift.fact.total == 0
    desk.till.close()

    result = told(tmp_path, desk.till.store.folder.database)
    assert result["assumed"]["lines"] == 2
    assert result["assumed"]["returned_units"] == 1
    assert result["old"]["figures"]["gross_minor"] == 3 * 2_00 + 12_50


def test_any_number_of_processes_gives_the_same(tmp_path):
    assert told(tmp_path, TILL, "--workers", "1") == told(tmp_path, TILL, "--workers", "2")


def test_a_database_that_is_no_journal_is_named(tmp_path):
    other = tmp_path / "other.sqlite"
    with sqlite_module.connect(str(other)) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    with pytest.raises(EnvironmentFault) as refused:
        CliRunner().invoke(
            application("backtest"),
            ["backtest", "--programme", "default", "--sales", str(other)],
            catch_exceptions=False,
        )
    assert refused.value.code == "backtest-no-journal"
