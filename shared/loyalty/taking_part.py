"""When an action counts, when a draw can be entered, and when it can be run."""

from collections.abc import Mapping
from datetime import date, datetime

from shared.errors import DomainError
from shared.loyalty.engagement import Action, PrizeDraw


def check_action(rule: Action, done: Mapping[date, int], today: date) -> None:
    """DomainError ``action-counted-already`` where a limit is reached; ``done`` is by day."""
    limits = (
        (rule.per_member, sum(done.values())),
        (
            rule.per_member_and_year,
            sum(times for day, times in done.items() if day.year == today.year),
        ),
        (rule.per_member_and_day, done.get(today, 0)),
    )
    if any(most and so_far >= most for most, so_far in limits):
        raise DomainError("action-counted-already", action=rule.id)


def check_entries(rule: PrizeDraw, entries: int, *, own: int, at: datetime) -> int:
    """What so many further entries cost, in points; ``own`` are those a member has.

    ``at`` is the store's wall time. Raises DomainError ``draw-not-open`` and ``draw-entries``.
    """
    if not rule.opens <= at <= rule.closes:
        raise DomainError("draw-not-open", draw=rule.id)
    if entries < 1 or (rule.per_member and own + entries > rule.per_member):
        left = max(0, rule.per_member - own)
        raise DomainError("draw-entries", draw=rule.id, entries=entries, left=left)
    return rule.entry_points * entries


def check_closed(rule: PrizeDraw, at: datetime) -> None:
    """DomainError ``draw-still-open`` while entries are sold by this wall clock."""
    if at <= rule.closes:
        raise DomainError("draw-still-open", draw=rule.id, closes=rule.closes.isoformat())
