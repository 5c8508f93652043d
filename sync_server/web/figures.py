"""Amounts, points and times as head office shows them."""

from datetime import datetime

from shared.language import Words
from shared.money import Currency, Money, format_decimal

MINUS = "\N{MINUS SIGN}"


def show_amount(unit: str, amount: int, *, signed: bool = False) -> str:
    """An amount of a ledger unit: ``¥12.50`` for money, ``1,284`` for everything else."""
    code, _, exponent = unit.rpartition("/")
    sign = MINUS if amount < 0 else "+" if signed else ""
    if code.startswith("spend:") or len(code) == 3:
        currency = Currency(code.removeprefix("spend:"))
        return sign + str(Money(abs(amount), currency))
    return sign + format_decimal(abs(amount), int(exponent))


def show_money(currency: str, minor: int) -> str:
    """Minor units of a currency."""
    sign = MINUS if minor < 0 else ""
    return sign + str(Money(abs(minor), Currency(currency)))


def show_time(text: str) -> str:
    """A stored time as it was on the clock where it was written."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M")


def show_ago(words: Words, text: str | None, now: datetime) -> str:
    """How long ago something was, in words."""
    if text is None:
        return words("web.ago.never")
    minutes = int((now - datetime.fromisoformat(text)).total_seconds() // 60)
    if minutes < 1:
        return words("web.ago.now")
    if minutes < 60:
        return words("web.ago.minutes", count=minutes)
    if minutes < 48 * 60:
        return words("web.ago.hours", count=minutes // 60)
    return words("web.ago.days", count=minutes // (24 * 60))


def show_quantity(quantity: int, measure: str) -> str:
    """Pieces as they are, weights in kilograms."""
    return f"{format_decimal(quantity, 3)} kg" if measure == "gram" else str(quantity)
