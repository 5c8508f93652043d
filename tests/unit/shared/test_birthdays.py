"""Birthdays as people type them, as profiles keep them, and as tills get them: without a year."""

from datetime import date

import pytest

from shared.trade.profile import birthday_of, month_day, typed_birthday


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0517", "--05-17"),
        ("5-17", "--05-17"),
        ("05/17", "--05-17"),
        ("5.7", "--05-07"),
        ("5月17日", "--05-17"),
        (" 12 月 1 日 ", "--12-01"),
        ("0229", "--02-29"),
        ("0230", None),
        ("1301", None),
        ("0000", None),
        ("517", None),
        ("1990-05-17", None),
        ("spring", None),
        ("", None),
    ],
)
def test_month_and_day_as_typed(typed, kept):
    assert typed_birthday(typed) == kept


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("--07-23", "--07-23"),
        ("1990-07-23", "--07-23"),
        ("1992-02-29", "--02-29"),
        ("1993-02-29", "--02-29"),
        ("--02-30", ""),
        ("07-23", ""),
        ("1990-07-23T00:00", ""),
        ("", ""),
    ],
)
def test_a_profile_gives_month_and_day_or_nothing(kept, told):
    assert month_day(kept) == told


def test_a_birthday_without_its_year_is_a_day_of_a_leap_year():
    assert birthday_of("1987-02-28") == date(2000, 2, 28)
    assert birthday_of("--02-29") == date(2000, 2, 29)
    assert birthday_of("no day") is None
