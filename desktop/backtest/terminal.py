"""The result as tables in the terminal."""

from collections.abc import Iterator

from rich.table import Table

from desktop.backtest.telling import Teller, groups
from shared.backtest.result import OfferRow, Side

OFFERS_TOLD = 10


def tables_of(teller: Teller) -> Iterator[Table | str]:
    """Everything worth seeing without opening a file."""
    say, result = teller.say, teller.result
    names = teller.against, result.new.names.get(teller.language)
    yield say(
        "backtest.subtitle",
        first=result.assumed.first_day.isoformat(),
        last=result.assumed.last_day.isoformat(),
        baskets=teller.count(result.new.figures.baskets),
        members=teller.count(result.assumed.members),
    )
    yield _summary(teller, names)
    for name, side in zip(names, (result.old, result.new), strict=True):
        applied = [offer for offer in side.offers if offer.times][:OFFERS_TOLD]
        if applied:
            yield _offers(teller, name, side, applied)
    yield _tiers(teller)
    yield _members(teller)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        # Figures are never cut or broken, whatever the width: names give way.
        is_figure = number > 0
        table.add_column(column, justify="right" if is_figure else "left", overflow="fold")
    return table


def _summary(teller: Teller, names: tuple[str, str]) -> Table:
    say = teller.say
    change, percent = say("backtest.column.change"), say("backtest.column.percent")
    table = _table(say("backtest.title"), "", *names, change, percent)
    for group in groups(teller.result):
        table.add_section()
        for row in group.rows:
            table.add_row(*teller.row(row), style="bold" if row.is_sum else None)
    return table


def _offers(teller: Teller, name: str, side: Side, offers: list[OfferRow]) -> Table:
    say = teller.say
    table = _table(
        say("backtest.offers-of", programme=name),
        say("backtest.column.offer"),
        say("backtest.column.funded"),
        say("backtest.column.times"),
        say("backtest.column.baskets"),
        say("backtest.column.members"),
        say("backtest.row.discount"),
        say("backtest.column.share"),
    )
    for offer in offers:
        table.add_row(
            teller.offer(offer),
            offer.funded_by,
            teller.count(offer.times),
            teller.count(offer.baskets),
            teller.count(offer.members),
            teller.money(offer.discount_minor),
            teller.share(offer.share_basis_points),
        )
    if len(side.offers) > len(offers):
        table.caption = say("backtest.offers-more", count=len(side.offers) - len(offers))
    return table


def _tiers(teller: Teller) -> Table:
    movement = teller.result.tiers
    columns = [tier.names.get(teller.language) for tier in movement.new]
    table = _table(teller.say("backtest.tiers"), teller.say("backtest.tiers-corner"), *columns)
    for tier, members in zip(movement.old, movement.members, strict=True):
        table.add_row(tier.names.get(teller.language), *map(teller.count, members))
    return table


def _members(teller: Teller) -> Table:
    say, members = teller.say, teller.result.members
    table = _table(say("backtest.members"), "", say("backtest.column.members"), "")
    table.add_row(
        say("backtest.winners"), teller.count(members.winners), teller.change(members.gain_minor)
    )
    table.add_row(
        say("backtest.losers"), teller.count(members.losers), teller.change(-members.loss_minor)
    )
    table.add_row(say("backtest.unchanged"), teller.count(members.unchanged), "")
    for one in members.percentiles:
        table.add_row(teller.percentile(one), "", teller.change(one.change_minor))
    return table
