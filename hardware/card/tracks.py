"""Magnetic stripe tracks (ISO/IEC 7811, 7813): member cards are read, payment cards dropped."""

import re

PAYMENT_TRACK_1 = re.compile(r"%B\d{8,19}\^")
PAYMENT_TRACK_2 = re.compile(r";\d{8,19}=\d{4}")
"""A number, the separator and an expiry: that is a bank card whatever its number."""
TRACK = re.compile(r"[%;+]([^?%;+]+)\?")
LONG_NUMBER = re.compile(r"(?<!\d)\d{13,19}(?!\d)")


def is_payment_card(swipe: str) -> bool:
    """Whether a swipe may be a payment card; in doubt it is one."""
    if PAYMENT_TRACK_1.search(swipe) or PAYMENT_TRACK_2.search(swipe):
        return True
    return any(passes_luhn(number) and number[0] in "3456" for number in LONG_NUMBER.findall(swipe))


def passes_luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
    return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0


def member_token(swipe: str) -> str | None:
    """The token of a member card: the data of its first track without sentinels.

    None for payment cards and for swipes without a whole track.
    """
    if is_payment_card(swipe):
        return None
    track = TRACK.search(swipe)
    return track[1] if track else None
