"""Every message the paper and the devices use exists in both languages with the same fields."""

import re
from pathlib import Path
from string import Formatter

from hardware.ports import Condition
from shared.language import Language, words
from shared.trade.fact import TenderKind

ROOT = Path(__file__).parents[3]
KEY = re.compile(r'"((?:paper|devices)\.[a-z0-9.-]+)"')


def own_keys(language: Language) -> set[str]:
    return {key for key in sorted(words(language).keys()) if key.startswith(("paper.", "devices."))}


def fields(language: Language, key: str) -> set[str]:
    text = "".join(words(language).forms(key))
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_know_the_same_keys_with_the_same_fields() -> None:
    assert own_keys(Language.CHINESE) == own_keys(Language.ENGLISH)
    for key in own_keys(Language.ENGLISH):
        assert fields(Language.CHINESE, key) == fields(Language.ENGLISH, key), key


def test_every_key_in_the_code_has_words() -> None:
    sources = [*(ROOT / "hardware").rglob("*.py"), *(ROOT / "shared/receipt").rglob("*.py")]
    used = {key for file in sources for key in KEY.findall(file.read_text(encoding="utf-8"))}
    assert len(used) > 40
    assert used <= own_keys(Language.ENGLISH)


def test_every_condition_of_a_device_has_words() -> None:
    for language in Language:
        for condition in Condition:
            assert f"error.device-{condition}" in words(language)


def test_every_tender_has_words() -> None:
    for language in Language:
        for tender in TenderKind:
            assert f"paper.tender.{tender}" in words(language)
