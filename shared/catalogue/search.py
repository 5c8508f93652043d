"""The keys goods are found by while somebody types."""

import re
import unicodedata

from shared.catalogue.goods import Goods


def search_keys(goods: Goods) -> tuple[str, ...]:
    """Lower-case keys of an article: code, names, words, full pinyin and pinyin initials.

    A Chinese name gives ``nongfushanquan550ml`` and ``nfsq550ml``, and both again from each
    syllable on; characters with several readings
    take the one that fits their word. Loads pypinyin (68 MB), so call it when a catalogue is made,
    never while selling.
    """
    keys = [goods.sku.lower(), *goods.barcodes]
    for name in (goods.name_zh, goods.name_en):
        plain = fold(name)
        keys += [plain, *plain.split()]
    keys += _pinyin(goods.name_zh)
    return tuple(dict.fromkeys(key for key in keys if key))


def fold(text: str) -> str:
    """What the keys, and what is typed, are compared as: NFKC, lower case, single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", " ", plain).strip()


def _pinyin(name: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - 68 MB, only when a catalogue is made

    plain = fold(name).replace(" ", "")
    if plain.isascii():
        return []
    keys: list[str] = []
    for style in (Style.NORMAL, Style.FIRST_LETTER):
        syllables = lazy_pinyin(plain, style=style, v_to_u=False)
        # From every syllable on: people type the word they remember, not always the first one.
        keys += ["".join(syllables[start:]) for start in range(len(syllables))]
    return keys
