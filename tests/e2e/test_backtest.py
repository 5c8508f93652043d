"""A real shop's slice under two programmes, through the command, its processes and its files."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner, Result

from desktop.backtest.goods_file import read_goods_notes
from desktop.commands import application
from shared.errors import DomainError, EvertillError
from shared.language import Language, words
from shared.loyalty.bundle import programme_bytes, template, with_currency
from shared.loyalty.effects import AmountOff, Ladder, NthItem, PercentOff, Step
from shared.loyalty.offers import Limits
from shared.loyalty.programme import Programme, Redemption
from shared.money import Currency
from tests.pricing_builders import earning, names, offer, only, programme
from tests.support.chromium import launched, picture
from tests.support.command_line import run_evertill

SLICE = Path(__file__).parents[1] / "data" / "online_retail_slice.csv"
SCREENS = Path(__file__).parents[2] / "build" / "screens" / "backtest"
FILES = ("summary.json", "offers.csv", "members.csv", "tiers.csv", "report.html")


def in_pounds(read: Programme) -> bytes:
    return programme_bytes(with_currency(read, "GBP"))


OLD = programme(
    offer("ladder", Ladder(steps=(Step(threshold_minor=200_00, off_minor=60_00),))),
    earning=earning(1),
)
NEW = programme(
    offer("owls", NthItem(nth=2, basis_points_off=5000), only("22865", "22866"), funded_by="maker"),
    offer("tenth", PercentOff(basis_points_off=1000)),
    offer("early", AmountOff(off_minor=3_00), limits=Limits(in_total=7)),
    earning=earning(3),
    redemption=Redemption(points_per_block=100, value_per_block_minor=1_00),
    id="tenth-off",
    names=names("A tenth off"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two programmes as files."""
    made = tmp_path_factory.mktemp("backtest")
    (made / "old.json").write_bytes(in_pounds(OLD))
    (made / "new.json").write_bytes(in_pounds(NEW))
    return made


def backtest(*arguments: str | Path) -> Result:
    return CliRunner().invoke(application("backtest"), ["backtest", *map(str, arguments)])


def of_both(folder: Path) -> list[str | Path]:
    named = ["--programme", folder / "new.json", "--against", folder / "old.json"]
    return [*named, "--sales", SLICE, "--redeem", "50"]


@pytest.fixture(scope="module")
def saved(folder: Path) -> Path:
    """What one process saved."""
    out = folder / "one"
    done = backtest(*of_both(folder), "--workers", "1", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_any_number_of_processes_saves_the_same_bytes(folder: Path, saved: Path) -> None:
    out = folder / "three"
    done = backtest(*of_both(folder), "--workers", "3", "--out", out)
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in out.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (out / name).read_bytes() == (saved / name).read_bytes(), name


def test_another_reader_of_the_file_comes_to_the_same_gross(saved: Path) -> None:
    """Quantity times price of every line with a price, sales less cancellations."""
    told = json.loads((saved / "summary.json").read_bytes())
    lines = rows(SLICE)
    money, baskets, members = Decimal(0), set(), set()
    for line in lines:
        is_back = line["InvoiceNo"].startswith("C")
        if Decimal(line["UnitPrice"]) <= 0 or (int(line["Quantity"]) < 0) != is_back:
            continue
        money += int(line["Quantity"]) * Decimal(line["UnitPrice"])
        if not is_back:
            baskets.add(line["InvoiceNo"])
            members.add(line["CustomerID"])
    for side in ("old", "new"):
        figures = told[side]["figures"]
        assert Decimal(figures["gross_minor"]).scaleb(-2) == money
        assert figures["baskets"] == len(baskets)
    assert told["assumed"]["members"] == len(members - {""})
    assert told["assumed"]["returned_units"] > told["assumed"]["loose_units"] > 0


def test_the_tables_agree_with_the_summary(saved: Path) -> None:
    told = json.loads((saved / "summary.json").read_bytes())
    offers, members = rows(saved / "offers.csv"), rows(saved / "members.csv")
    for side in ("old", "new"):
        figures = told[side]["figures"]
        off = sum(Decimal(row["discount"]) for row in offers if row["side"] == side)
        assert off == Decimal(figures["discount_minor"]).scaleb(-2) > 0
        rest = figures["gross_minor"] - figures["discount_minor"]
        assert figures["revenue_minor"] == rest == figures["net_minor"] + figures["tax_minor"]
        kept = sum(int(row[f"{side}_points_kept"]) for row in members)
        gone = figures["points_taken_back"] + figures["points_expired"]
        assert kept == figures["points_issued"] - gone > 0
    assert told["new"]["figures"]["points_spent"] > 0
    changes = [Decimal(row["change"]) for row in members]
    assert told["members"]["winners"] == sum(change > 0 for change in changes) > 0
    assert told["members"]["losers"] == sum(change < 0 for change in changes) > 0
    assert told["members"]["unchanged"] == sum(change == 0 for change in changes)
    assert changes == sorted(changes, reverse=True)
    tiers = Counter((row["old_tier"], row["new_tier"]) for row in members)
    for row in rows(saved / "tiers.csv"):
        assert tiers[row["old_tier"], row["new_tier"]] == int(row["members"])
    # What is limited for everybody together is used no more often, however many processes play.
    early = next(row for row in offers if row["offer"] == "early")
    assert early["times"] == "7"


def test_without_another_programme_it_is_held_against_itself_without_offers(folder: Path) -> None:
    done = backtest(
        "--programme", folder / "new.json", "--sales", SLICE, "--workers", "1", "--json"
    )
    told = json.loads(done.stdout)
    assert told["assumed"]["against_same_without_offers"]
    assert told["old"]["figures"]["discount_minor"] == 0
    assert told["old"]["figures"]["gross_minor"] == told["new"]["figures"]["gross_minor"]
    assert told["old"]["offers"] == []


def test_a_template_is_read_in_the_currency_of_the_sales(tmp_path: Path) -> None:
    arguments = ["--programme", "supermarket", "--against", "plain", "--sales", SLICE]
    done = backtest(*arguments, "--currency", "GBP", "--workers", "1", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout.splitlines()[-1])["currency"] == "GBP"
    assert "supermarket are read as GBP" in done.stderr


SHOP = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID
1,TEA,Tea,2,2026-01-05 12:00:00,10.00,7
2,PIE,Pie,1,2026-01-06 12:00:00,5.00,
"""
NOTES = {
    "goods.toml": '[[goods]]\nsku = "TEA"\ncategory = "drinks/tea"\nmarks = ["new"]\n'
    'cost_minor = 400\n[[goods]]\nsku = "PIE"\nbrand = "Own"\n',
    "goods.json": '[{"sku": "TEA", "category": "drinks/tea", "marks": ["new"], "cost_minor": 400},'
    ' {"sku": "PIE", "brand": "Own"}]',
    "goods.csv": "sku,category,brand,marks,cost\nTEA,drinks/tea,,new,4.00\nPIE,,Own,,\n",
}


@pytest.mark.parametrize("name", NOTES)
def test_a_goods_file_says_what_the_sales_do_not(tmp_path: Path, name: str) -> None:
    (tmp_path / "shop.csv").write_text(SHOP)
    (tmp_path / name).write_text(NOTES[name])
    drinks = msgspec.structs.replace(only(), skus=(), categories=("drinks",))
    rules = programme(offer("drinks", PercentOff(basis_points_off=5000), drinks))
    (tmp_path / "new.json").write_bytes(programme_bytes(rules))
    arguments = ["--programme", tmp_path / "new.json", "--sales", tmp_path / "shop.csv", "--json"]
    done = backtest(*arguments, "--goods", tmp_path / name, "--workers", "1")
    assert done.exit_code == 0, done.output
    new = json.loads(done.stdout)["new"]
    assert new["figures"]["discount_minor"] == 10_00
    # 10.00 with 13% in it is 8.85 net, two at 4.00 each; nobody knows what the pie costs.
    assert (new["figures"]["costed_net_minor"], new["margin_minor"]) == (8_85, 85)


@pytest.mark.parametrize(
    ("name", "text", "detail"),
    [
        ("goods.toml", "goods = 3", "Expected `array`"),
        ("goods.toml", "[[goods]", "line 1"),
        ("goods.json", "[{}]", "missing required field `sku`"),
        ("goods.json", '[{"sku": "A", "colour": "red"}]', "unknown field `colour`"),
        ("goods.json", '[{"sku": "A", "cost_minor": -1}]', "out of range"),
        ("goods.json", b"\xff\xfe", "byte 0xff in position 0"),
        ("goods.csv", "", "no column sku"),
        ("goods.csv", "sku,cost\nA,1.005\n", "cost “1.005”, line 2"),
        ("goods.csv", "sku,cost\nA\n", "1 fields instead of 2, line 2"),
        ("goods.csv", "sku,no_discount\nA,perhaps\n", "Expected `bool`"),
        ("goods.csv", "sku,colour\nA,red\n", "unknown field `colour`"),
    ],
)
def test_a_goods_file_that_cannot_be_read_names_the_place(
    tmp_path: Path, name: str, text: str | bytes, detail: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DomainError) as refused:
        read_goods_notes(file, Currency("GBP"))
    assert refused.value.code == "goods-file-unreadable"
    assert detail in str(refused.value.fields["detail"])


HEADER = SHOP.splitlines()[0]
FILES_TO_REFUSE: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "replay-columns-missing"),
    "header.csv": (HEADER.encode(), "replay-nothing-to-sell"),
    "back.csv": (f"{HEADER}\nC1,A,Tea,-1,2026-01-05,1.00,7\n".encode(), "replay-nothing-to-sell"),
    "picture.csv": (b"\x89PNG\r\n" + bytes(range(256)), "replay-file-unreadable"),
    "torn.csv.gz": (b"no gzip", "replay-file-unreadable"),
    "none.csv": (b"", "replay-file-missing"),
}
OPTIONS_TO_REFUSE: dict[str, tuple[list[str], str]] = {
    "no such programme": (["--programme", "nowhere"], "backtest-no-programme"),
    "no such other": (["--against", "nowhere.json"], "backtest-no-programme"),
    "no programme": (["--programme", "broken.json"], "programme-unreadable"),
    "a wrong programme": (["--against", "wrong.toml"], "programme-unreadable"),
    "contradictory": (["--against", "twice.json"], "programme-same-id"),
    "two currencies": (["--against", "yuan.json"], "backtest-currency"),
    "not the file's": (["--currency", "EUR"], "backtest-currency"),
    "no currency": (["--currency", "pounds"], "bad-currency"),
    "no zone": (["--zone", "Nowhere"], "bad-zone"),
    "no field": (["--column", "colour=X"], "replay-bad-column"),
    "another class": (["--goods", "other-tax.json"], "unknown-tax-class"),
}


def refuse(*arguments: str | Path) -> EvertillError:
    done = backtest(*arguments)
    assert isinstance(done.exception, EvertillError), (done.exception, done.output)
    for language in Language:
        assert words(language).error(done.exception)
    return done.exception


@pytest.mark.parametrize("name", FILES_TO_REFUSE)
def test_sales_that_cannot_be_played_are_refused(folder: Path, tmp_path: Path, name: str) -> None:
    content, code = FILES_TO_REFUSE[name]
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(content)
    error = refuse("--programme", folder / "new.json", "--sales", tmp_path / name, "--workers", "1")
    assert error.code == code


@pytest.mark.parametrize("case", OPTIONS_TO_REFUSE)
def test_programmes_and_options_that_cannot_be_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    twice = msgspec.structs.replace(NEW, offers=(NEW.offers[0], NEW.offers[0]))
    Path("broken.json").write_text("{")
    Path("wrong.toml").write_text('format = 1\nid = "x"\n')
    Path("twice.json").write_bytes(in_pounds(twice))
    Path("yuan.json").write_bytes(programme_bytes(OLD))
    Path("other-tax.json").write_text('[{"sku": "22865", "tax_class": "luxury"}]')
    options, code = OPTIONS_TO_REFUSE[case]
    arguments = ["--programme", folder / "new.json", "--sales", SLICE, "--workers", "1"]
    assert refuse(*arguments, *options).code == code


def test_the_command_line_says_what_is_wrong_and_ends_with_two(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["--programme", str(folder / "new.json"), "--currency", "EUR"]
    done = run_evertill(monkeypatch, capsys, "backtest", *named, "--sales", str(SLICE))
    assert done.code == 2
    expected = words(Language.ENGLISH).error(
        DomainError("backtest-currency", programme="tenth-off", currency="GBP", sales="EUR")
    )
    assert done.err.strip().endswith(expected)


def test_the_terminal_tells_money_points_tiers_and_members_in_both_languages(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    chinese, english = (
        backtest(*of_both(folder), "--workers", "1", "--language", language.value).stdout
        for language in (Language.CHINESE, Language.ENGLISH)
    )
    told = json.loads(backtest(*of_both(folder), "--workers", "1", "--json").stdout)
    revenue = pounds(told["new"]["figures"]["revenue_minor"])
    for shown in (english, chinese):
        assert revenue in shown
        assert f"{told['members']['winners']}" in shown
    assert "Revenue less cost of points" in english
    assert "收入减积分成本" in chinese


def pounds(minor: int) -> str:
    return f"£{minor // 100:,}.{minor % 100:02d}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may fetch nothing and complains about nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url))
    yield opened
    context.close()
    asked = [text for text in complaints if not re.match(r"(file:.*report\.html|data:)", text)]
    assert asked == []


def test_the_report_shows_the_figures_in_both_languages(saved: Path, page: Page) -> None:
    told: dict[str, Any] = json.loads((saved / "summary.json").read_bytes())
    page.goto((saved / "report.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "A tenth off instead of Default programme"
    )
    revenue = page.get_by_role("row", name="Revenue £").first
    for side in ("old", "new"):
        expect(revenue).to_contain_text(pounds(told[side]["figures"]["revenue_minor"]))
    expect(page.get_by_role("row", name="owls")).to_contain_text("maker")
    charts = page.get_by_role("img")
    expect(charts).to_have_count(3)
    expect(charts.nth(0)).to_have_accessible_name("Revenue by week")
    most = told["members"]["most"][0]["member"]
    expect(page.get_by_role("rowheader", name=most, exact=True).first).to_be_visible()
    picture(page, SCREENS / "report-en.png", full_page=True)

    page.emulate_media(color_scheme="dark")
    page.locator("main:visible label", has_text="简体中文").click()
    expect(page.get_by_role("heading", name="会员得失", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Revenue by week")).to_have_count(0)
    expect(page.get_by_role("row", name="销售收入 £").first).to_contain_text(
        pounds(told["new"]["figures"]["revenue_minor"])
    )
    picture(page, SCREENS / "report-zh-dark.png", full_page=True)


def test_the_report_fits_a_telephone_and_opens_in_the_language_asked_for(
    folder: Path, page: Page
) -> None:
    out = folder / "zh"
    done = backtest(*of_both(folder), "--workers", "1", "--out", out, "--language", "zh_CN")
    assert done.exit_code == 0
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto((out / "report.html").as_uri())
    expect(page.get_by_role("heading", name="汇总")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    # The switch can be reached by keyboard.
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()


def test_a_name_in_the_programme_is_text_and_never_markup(tmp_path: Path, page: Page) -> None:
    evil = "<img src=x onerror=alert(1)>"
    rules = programme(offer("evil", PercentOff(basis_points_off=1000), names=names(evil)))
    (tmp_path / "new.json").write_bytes(programme_bytes(rules))
    (tmp_path / "shop.csv").write_text(SHOP.replace(",7", ",<b>7</b>"))
    arguments = ["--programme", tmp_path / "new.json", "--sales", tmp_path / "shop.csv"]
    done = backtest(*arguments, "--workers", "1", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    page.goto((tmp_path / "out" / "report.html").as_uri())
    expect(page.locator("main:visible").get_by_text(evil).first).to_be_visible()
    expect(page.get_by_role("rowheader", name="<b>7</b>")).to_be_visible()


def test_the_templates_of_the_product_can_all_be_played() -> None:
    for name in ("default", "supermarket", "convenience", "pharmacy", "bakery", "fashion"):
        assert template(name).currency == "CNY"
        arguments = ["--programme", name, "--sales", SLICE, "--currency", "GBP"]
        done = backtest(*arguments, "--workers", "1", "--json")
        assert done.exit_code == 0, done.output
