"""Words of texts and numbers in the language of the moment."""

from datetime import datetime

from babel.dates import format_datetime

from desktop.presenters.text import Amount, Join, Moment, Named, Say, Text
from shared.error_figures import is_money
from shared.language import Language, Words, words
from shared.money import Currency, Money, format_amount, format_decimal

DAY = {Language.CHINESE: "y年M月d日", Language.ENGLISH: "d MMM y"}
MOMENT = {Language.CHINESE: "M月d日 HH:mm", Language.ENGLISH: "d MMM HH:mm"}


class Wording:
    """Makes words."""

    def __init__(self, language: Language, currency: str) -> None:
        self.language = language
        self.currency = Currency(currency)
        self._words: Words = words(language)

    def text(self, text: Text) -> str:
        """A text as it is read."""
        match text:
            case str():
                return text
            case Amount(minor):
                return self.money(minor)
            case Named(zh, en):
                return zh if self.language is Language.CHINESE else en
            case Moment(at, is_date):
                return self.moment(at, is_date=is_date)
            case Join(parts, between):
                return between.join(filter(None, map(self.text, parts)))
            case Say():
                return self._said(text)

    def _said(self, said: Say) -> str:
        area, _, code = said.key.partition(".")
        is_error = area == "error"
        fields = {
            name: self._field(value, is_money=is_error and is_money(code, name))
            for name, value in said.fields
        }
        if is_error and said.key not in self._words:
            return self._words("till.unexpected", code=code)
        return self._words(said.key, **fields)

    def _field(self, value: object, *, is_money: bool) -> object:
        if isinstance(value, Amount | Named | Moment | Join | Say):
            return self.text(value)
        if is_money and isinstance(value, int):
            return self.money(value)
        return value

    def say(self, key: str, /, **fields: object) -> str:
        """A message of the catalogue."""
        return self._words(key, **fields)

    def money(self, minor: int) -> str:
        """With the currency's sign: ``¥12.50``."""
        sign = "−" if minor < 0 else ""
        return sign + str(Money(abs(minor), self.currency))

    def amount(self, minor: int) -> str:
        """Without the sign, for columns."""
        return format_amount(minor, self.currency)

    def quantity(self, quantity: int, *, is_weighed: bool) -> str:
        """Pieces, or kilograms."""
        return f"{format_decimal(quantity, 3)} kg" if is_weighed else str(quantity)

    def moment(self, at: datetime, *, is_date: bool) -> str:
        """A day, or a day and a time."""
        pattern = (DAY if is_date else MOMENT)[self.language]
        return format_datetime(at, pattern, locale=self.language.value)
