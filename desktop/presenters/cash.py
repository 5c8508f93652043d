"""Notes and coins: what is counted, and what customers hand over."""

from shared.money import Currency

PIECES = {
    "CNY": (10000, 5000, 2000, 1000, 500, 100, 50, 10),
    "EUR": (20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "GBP": (5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "USD": (10000, 5000, 2000, 1000, 500, 200, 100, 25, 10, 5, 1),
    "HKD": (100000, 50000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10),
    "JPY": (10000, 5000, 2000, 1000, 500, 100, 50, 10, 5, 1),
}
NOTES_SHOWN = 5
NOTES_FROM = 100
"""Coins below one unit are not what somebody rounds up to."""


def denominations(currency: Currency) -> tuple[int, ...]:
    """Pieces in circulation, largest first, in minor units; 1-2-5 where we have no list."""
    if currency.code in PIECES:
        return PIECES[currency.code]
    unit = 10**currency.exponent
    series = (100, 50, 20, 10, 5, 2, 1)
    return tuple(unit * one for one in series)


def suggested_notes(due: int, currency: Currency) -> tuple[int, ...]:
    """What a customer is likely to hand over for ``due``: rounded up to each note, no repeats."""
    if due <= 0:
        return ()
    notes = [piece for piece in denominations(currency) if piece >= NOTES_FROM]
    rounded = {-(-due // note) * note for note in notes}
    return tuple(sorted(amount for amount in rounded if amount > due)[:NOTES_SHOWN])
