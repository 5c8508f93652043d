"""Small pasts for tests of the backtest: who bought what on which day, and what came back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.backtest.comparing import Comparison, Trial, compare
from shared.backtest.events import Back, Bought, BroughtBack, Event, whole
from shared.backtest.figures import Played
from shared.backtest.player import Terms, play
from shared.backtest.result import Assumed
from shared.ids import StoreId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, BasketLine

FIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""


def on(day: int) -> datetime:
    return FIRST + timedelta(days=day)


def bought(sale: str, member: str, day: int, *lines: BasketLine, **more: Any) -> Bought:
    values = {"at": on(day), "store": StoreId("s1"), **more}
    return Bought(sale=sale, member=member, basket=Basket(lines=lines, **values))


def came_back(sale: str, day: int, quantity: int = 1, line: int = 0) -> BroughtBack:
    return BroughtBack(at=on(day), matched=(Back(sale, line, quantity),))


def terms(day: int = 0, **more: Any) -> Terms:
    return Terms(until=on(day).date(), **more)


def played(programme: Programme, *events: Event, until: int = 60, **more: Any) -> Played:
    return play(whole(events), programme, terms(until, **more))


def compared(old: Programme, new: Programme, events: list[Event], until: int) -> Comparison:
    assumed = Assumed(
        source="test",
        first_day=date(2026, 1, 5),
        last_day=on(until).date(),
        lines=0,
        refused_lines=0,
        members=0,
        spenders_percent=0,
        returned_units=0,
        loose_units=0,
    )
    trials = [Trial(one, played(one, *events, until=until)) for one in (old, new)]
    return compare(trials[0], trials[1], assumed)
