"""How a receipt speaks: Chinese, English or both, with amounts, points and times written out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from shared.language import Language, words
from shared.money import Currency, Money, format_decimal
from shared.trade.fact import Measure

GRAMS_DECIMALS = 3


class PaperLanguage(StrEnum):
    """What a receipt is written in."""

    CHINESE = "zh_CN"
    """简体中文."""
    ENGLISH = "en"
    """English."""
    BOTH = "both"
    """Chinese first, English behind or below it."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """In the order they are printed."""
        if self is PaperLanguage.BOTH:
            return Language.CHINESE, Language.ENGLISH
        return (Language(self.value),)


@dataclass(frozen=True, slots=True)
class Voice:
    """Makes words for one receipt."""

    paper_language: PaperLanguage
    zone: tzinfo

    def say(self, key: str, /, **fields: object) -> str:
        """A short label; in both languages side by side."""
        return " ".join(self.tell(key, **fields))

    def tell(self, key: str, /, **fields: object) -> list[str]:
        """A sentence, once per language; a field that is a name is said in that language."""
        said = [
            words(language)(key, **{name: _said(field, language) for name, field in fields.items()})
            for language in self.paper_language.languages
        ]
        return list(dict.fromkeys(said))

    def reason(self, code: str) -> str:
        """Why somebody did something; a code of another release is shown as it is."""
        return self._known(f"reason.{code}", code)

    def left_open(self, code: str) -> str:
        """What a day close found unfinished; a code of another release is shown as it is."""
        return self._known(f"paper.day.{code}", code)

    def _known(self, key: str, code: str) -> str:
        return self.say(key) if key in words(Language.CHINESE) else code

    def names(self, names: Mapping[str, str], *, otherwise: str = "") -> list[str]:
        """A name in each language; what has no name in a language is called as it is elsewhere."""
        found = [_name(names, language) or otherwise for language in self.paper_language.languages]
        return list(dict.fromkeys(name for name in found if name))

    def name(self, names: Mapping[str, str], *, otherwise: str = "") -> str:
        """The same on one line."""
        return " ".join(self.names(names, otherwise=otherwise))

    def time(self, at: datetime) -> str:
        """Local time with its zone: ``2026-11-22 14:05 +08:00``."""
        local = at.astimezone(self.zone)
        offset = local.strftime("%z")
        return f"{local:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"

    def short_time(self, at: datetime) -> str:
        """Local time to the minute."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


def _said(field: object, language: Language) -> object:
    return _name(field, language) if isinstance(field, Mapping) else field


def _name(names: Mapping[str, str], language: Language) -> str:
    keys = (language.value, language.value.split("_")[0])
    found = next((names[key] for key in keys if names.get(key)), "")
    return found or next(iter(names.values()), "")


def amount(minor: int, currency: Currency) -> str:
    """An amount in a column, without sign of the currency: ``1,234.50``."""
    return format_decimal(minor, currency.exponent)


def full_amount(minor: int, currency: Currency) -> str:
    """An amount with the sign of its currency, minus in front: ``-¥12.00``."""
    sign = "-" if minor < 0 else ""
    return sign + str(Money(abs(minor), currency))


def quantity(count: int, measure: Measure) -> str:
    """``2`` pieces, or a weight in kilograms to the gram: ``0.256kg``."""
    if measure is Measure.GRAM:
        return format_decimal(count, GRAMS_DECIMALS) + "kg"
    return f"{count:,}"


def percent(parts_per_million: int) -> str:
    """``13%``, ``2.5%``."""
    text = format_decimal(parts_per_million, 4)
    return text.rstrip("0").rstrip(".") + "%"


def signed(text: str) -> str:
    """A figure that is added or taken, with its sign: ``+32``, ``-5``."""
    return text if text.startswith("-") else "+" + text
