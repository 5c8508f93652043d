"""Dates as loyalty counts them: months that end early, last days that are included."""

from calendar import monthrange
from datetime import date, timedelta

from shared.loyalty.programme import EndOf, Expiry


def add_months(day: date, months: int) -> date:
    """The same day so many months later (or earlier); the month's last day where it has no such."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def anniversary(day: date, year: int) -> date:
    """The same day in another year; 28 February for the 29th where there is none."""
    return date(year, day.month, min(day.day, monthrange(year, day.month)[1]))


def month_end(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def last_day(earned: date, expiry: Expiry | None) -> date | None:
    """The last day on which points earned on ``earned`` can be spent; None: they never lapse.

    They lapse at 00:00 of the next day in the store's calendar.
    """
    if expiry is None or not expiry.is_about_lots:
        return None
    day = add_months(earned, expiry.months) + timedelta(days=expiry.days)
    if expiry.end_of is EndOf.MONTH:
        return month_end(day)
    if expiry.end_of is EndOf.YEAR:
        return day.replace(month=12, day=31)
    return day


def grace_end(today: date, expiry: Expiry | None) -> date:
    """The last day of points that come back to a lot which has lapsed."""
    return today + timedelta(days=(expiry or Expiry()).grace_days)


def last_idle_day(active: date, expiry: Expiry | None) -> date | None:
    """The last day on which a member who did nothing since ``active`` can spend points."""
    if expiry is None or not expiry.is_idle:
        return None
    return add_months(active, expiry.inactive_months) + timedelta(days=expiry.inactive_days)
