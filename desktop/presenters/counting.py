"""Counting a drawer by denomination: opening floats and blind counts."""

from desktop.presenters.cash import denominations
from desktop.presenters.session import Values
from desktop.presenters.text import Amount
from desktop.presenters.view import Field, FieldKind, Fields
from shared.errors import DomainError
from shared.money import Currency
from shared.trade.fact import CashCount

PIECES_MAX = 100_000
PREFIX = "pieces-"


def count_fields(currency: Currency, counts: tuple[CashCount, ...] = ()) -> Fields:
    """One field per denomination."""
    known = {count.denomination: count.pieces for count in counts}
    return Fields(
        tuple(
            Field(
                f"{PREFIX}{piece}",
                Amount(piece),
                FieldKind.NUMBER,
                value=str(known[piece]) if known.get(piece) else "",
            )
            for piece in denominations(currency)
        ),
        columns=2,
    )


def read_counts(values: Values, currency: Currency) -> tuple[CashCount, ...]:
    """What was typed; empty fields count as none. DomainError ``bad-count``."""
    counts = []
    for piece in denominations(currency):
        text = values.get(f"{PREFIX}{piece}", "").strip()
        is_short = len(text) <= len(str(PIECES_MAX))
        if text and not (text.isdecimal() and is_short and int(text) <= PIECES_MAX):
            raise DomainError("bad-count", pieces=text[:20])
        counts.append(CashCount(denomination=piece, pieces=int(text or 0)))
    return tuple(counts)
