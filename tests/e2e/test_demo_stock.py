"""The demo shop's goods and people are what they say they are."""

from collections import Counter
from pathlib import Path

import pytest
from stdnum import ean

from desktop.commands.demo import is_headless
from desktop.demo.played import fresh_folder
from desktop.demo.stock import read_people, read_stock
from desktop.reckoning.paper import DamagedPaper, read_paper
from shared.catalogue.codes import GoodsCode, InStoreCode, MemberCode, classify
from shared.catalogue.goods import SoldBy
from shared.errors import EnvironmentFault
from shared.loyalty.bundle import template


def test_every_article_has_both_names_a_price_and_a_code_that_scans() -> None:
    stock = read_stock()
    assert len(stock.goods) >= 200
    classes = {one.id for one in template("default").tax_classes}
    for goods in stock.goods:
        assert goods.name_zh
        assert goods.name_en
        assert goods.list_price_minor > 0
        assert goods.tax_class in classes
        (code,) = goods.barcodes
        if goods.sold_by is SoldBy.UNIT:
            assert ean.is_valid(code)
            assert classify(code) == GoodsCode(code)
    codes = [code for goods in stock.goods for code in goods.barcodes]
    assert len(set(codes)) == len(codes)


def test_labels_of_the_scale_name_their_article_and_weight() -> None:
    stock = read_stock()
    weighed = [goods for goods in stock.goods if goods.sold_by is SoldBy.WEIGHT]
    assert len(weighed) >= 10
    for goods in weighed:
        label = stock.label(goods.name_zh, 1_234)
        assert ean.is_valid(label)
        found = classify(label)
        assert isinstance(found, InStoreCode)
        assert (found.item, found.grams) == (goods.barcodes[0], 1_234)


def test_there_are_ten_members_to_be_in_every_tier() -> None:
    people = read_people()
    tiers = Counter(person.tier for person in people.members)
    ladder = [tier.id for tier in template("default").tiers.ladder]
    assert tiers == dict.fromkeys(ladder, 10)
    assert len({person.phone for person in people.members}) == len(people.members)
    assert sum(len(store.tills) for store in people.stores) == 3
    assert len(people.cashiers()) == 2
    assert people.manager().role == "manager"


def test_new_cards_are_cards_of_members() -> None:
    from desktop.demo.day import NEW_CARD, NEW_CARD_OFFLINE  # noqa: PLC0415 - loads Qt

    for card in (NEW_CARD, NEW_CARD_OFFLINE):
        assert isinstance(classify(card), MemberCode)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(EnvironmentFault, match="demo-folder-in-use"):
        fresh_folder(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_demo_folder_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    fresh_folder(folder)
    (folder / "receipt.txt").write_text("old")
    fresh_folder(folder)
    assert not (folder / "receipt.txt").exists()


@pytest.mark.parametrize(
    ("environment", "headless"),
    [
        ({}, True),
        ({"DISPLAY": ":0"}, False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"DISPLAY": ":0", "EVERTILL_HEADLESS": "1"}, True),
    ],
)
def test_without_a_display_the_day_is_played(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, headless: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "EVERTILL_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_headless() is headless


@pytest.mark.parametrize(
    "data",
    [
        b"no reset\n",
        b"\x1b@a line without an end",
        b"\x1b@\x1bz\n",
        b"\x1b@\xb3\n",
        b"\x1b@\x1ba\x07text\n",
        b"\x1b@\x1dV\x43\x00",
        b"\x1b@\x1dkI\xff{C",
    ],
)
def test_the_second_reader_takes_no_damaged_paper(data: bytes) -> None:
    with pytest.raises(DamagedPaper):
        read_paper(data)


def test_the_second_reader_reads_chinese_and_bar_codes() -> None:
    digits = bytes([95, 0, 1])
    paper = read_paper(b"\x1b@\x1c&" + "合计 1.00\n".encode("gb18030") + b"\x1dkI\x05{C" + digits)
    assert paper.lines == ["合计 1.00", "[CODE128 950001]"]
    assert paper.codes == ["950001"]
