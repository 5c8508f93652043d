"""Goods are found by code, name, pinyin and initials."""

import subprocess
import sys

from shared.catalogue.search import fold, search_keys
from tests.pricing_builders import goods


def keys(**more: object) -> tuple[str, ...]:
    return search_keys(goods("A1", **more))


def test_a_chinese_name_is_found_by_full_pinyin_and_initials():
    found = keys(
        name_zh="农夫山泉 550ml", name_en="Nongfu Spring 550ml", barcodes=("6921168509256",)
    )
    assert "nongfushanquan550ml" in found
    assert "nfsq550ml" in found
    assert "农夫山泉" in found
    assert {"a1", "6921168509256", "spring"} <= set(found)


def test_a_character_with_two_readings_takes_the_one_of_its_word():
    assert "yinhang" in keys(name_zh="银行")
    assert "lvcha" in keys(name_zh="绿茶")


def test_keys_and_typed_text_are_folded_alike():
    assert fold("  Ｃoca-COLA　330ＭＬ ") == "coca cola 330ml"
    assert len(set(keys())) == len(keys())


def test_pinyin_is_loaded_only_when_keys_are_made():
    code = "import sys, shared.catalogue.search as s; print('pypinyin' in sys.modules, s.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False")
