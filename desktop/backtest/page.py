"""The report as one HTML page in both languages, without anything from elsewhere."""

from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from desktop.backtest.charts import Bar, Point, bars_chart, lines_chart, pairs_chart
from desktop.backtest.telling import Group, Teller, groups, revenue_less_points
from shared.backtest.result import Bin, MembersOutcome, OfferRow, Result, Side, TierMovement
from shared.language import Language
from shared.money import format_amount

TEMPLATE: Final = "report.html"


def report_page(result: Result, first: Language) -> bytes:
    """The page; ``first`` is the language it opens in, a switch shows the other one."""
    environment = Environment(
        loader=PackageLoader("desktop.backtest", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tellings = [Telling(Teller(result, language)) for language in Language]
    page = environment.get_template(TEMPLATE).render(
        first=first,
        tellings=tellings,
        title=next(one for one in tellings if one.teller.language is first).title,
    )
    return page.encode()


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures at the top."""

    label: str
    figure: str
    note: str


@dataclass(frozen=True, slots=True)
class Telling:
    """The report in one language, as the template asks for it."""

    teller: Teller

    @property
    def result(self) -> Result:
        """The figures."""
        return self.teller.result

    @property
    def title(self) -> str:
        """Which programme instead of which."""
        new = self.result.new.names.get(self.teller.language)
        return self.teller.say("backtest.heading", new=new, old=self.teller.against)

    @property
    def names(self) -> tuple[str, str]:
        """What the two programmes are called."""
        return self.teller.against, self.result.new.names.get(self.teller.language)

    @property
    def subtitle(self) -> str:
        """From when to when, how many baskets and members."""
        assumed, teller = self.result.assumed, self.teller
        return teller.say(
            "backtest.subtitle",
            first=assumed.first_day.isoformat(),
            last=assumed.last_day.isoformat(),
            baskets=teller.count(self.result.new.figures.baskets),
            members=teller.count(assumed.members),
        )

    @property
    def groups(self) -> list[Group]:
        """The summary."""
        return groups(self.result)

    @property
    def tiles(self) -> list[Tile]:
        """What is asked first."""
        old, new, teller, say = self.result.old, self.result.new, self.teller, self.teller.say
        members = self.result.members

        def tile(name: str, before: int, after: int) -> Tile:
            note = say("backtest.tile-note", figure=teller.money(after))
            return Tile(say(f"backtest.row.{name}"), teller.change(after - before), note)

        return [
            tile("revenue", old.figures.revenue_minor, new.figures.revenue_minor),
            tile("discount", old.figures.discount_minor, new.figures.discount_minor),
            tile("liability", old.liability_minor, new.liability_minor),
            tile("revenue-less-points", revenue_less_points(old), revenue_less_points(new)),
            Tile(
                say("backtest.winners-losers"),
                f"{teller.count(members.winners)} / {teller.count(members.losers)}",
                say("backtest.tile-unchanged", count=members.unchanged),
            ),
        ]

    @property
    def revenue_chart(self) -> Markup:
        """Revenue period by period."""
        points = [
            Point(self.teller.period(row.first), row.old_revenue_minor, row.new_revenue_minor)
            for row in self.result.periods
        ]
        return lines_chart(self.series("revenue"), points, self._axis, self.teller.money)

    @property
    def discount_chart(self) -> Markup:
        """Discounts period by period."""
        points = [
            Point(self.teller.period(row.first), row.old_discount_minor, row.new_discount_minor)
            for row in self.result.periods
        ]
        return pairs_chart(self.series("discount"), points, self._axis, self.teller.money)

    @property
    def members_chart(self) -> Markup:
        """How many members win or lose how much."""
        bars = [
            Bar(self.teller.bin(one), one.members, _kind(one)) for one in self.members.distribution
        ]
        return bars_chart(self.teller.say("backtest.distribution"), bars, self.teller.count)

    @property
    def members(self) -> MembersOutcome:
        """Winners and losers."""
        return self.result.members

    @property
    def sides(self) -> list[tuple[str, str, Side]]:
        """Class in the style sheet, name and figures of both programmes."""
        return list(
            zip(("old", "new"), self.names, (self.result.old, self.result.new), strict=True)
        )

    @property
    def tiers(self) -> TierMovement:
        """Who ends where."""
        return self.result.tiers

    def series(self, name: str) -> str:
        """What a series is called: revenue by week."""
        return self.teller.say(f"backtest.{name}-by-{self.result.period_unit}")

    def width(self, offer: OfferRow) -> int:
        """How long the bar of an offer is, in percent of the longest of both programmes."""
        offers = (*self.result.old.offers, *self.result.new.offers)
        most = max((one.discount_minor for one in offers), default=0)
        return max(0, offer.discount_minor) * 100 // most if most > 0 else 0

    def heat(self, members: int) -> int:
        """How strongly a field of the tier table is coloured, in percent."""
        return members * 100 // max(1, self.members.members)

    def _axis(self, minor: int) -> str:
        """An amount at an axis, without cents where they are zero everywhere."""
        currency = self.teller.currency
        if minor % 10**currency.exponent:
            return self.teller.money(minor)
        text = format_amount(abs(minor), currency).partition(".")[0]
        return ("−" if minor < 0 else "") + currency.symbol + text


def _kind(one: Bin) -> str:
    if one.low_minor == one.high_minor == 0:
        return "kept"
    is_loss = one.low_minor is None or one.low_minor < 0
    return "loss" if is_loss else "gain"
