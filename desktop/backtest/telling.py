"""The result in words and figures of one language, for the terminal and the page alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from shared.backtest.comparing import share_of
from shared.backtest.result import Bin, MemberRow, OfferRow, Percentile, PeriodUnit, Result, Side
from shared.language import Language, Words, words
from shared.money import Currency, format_amount, format_decimal

MINUS = "−"
NONE = "–"


class Unit(StrEnum):
    """What a figure counts."""

    COUNT = "count"
    """Baskets, lines, members."""
    MONEY = "money"
    """Minor units."""
    POINTS = "points"
    """Smallest units of the programme's points."""
    SHARE = "share"
    """Basis points."""


class Row(NamedTuple):
    """A figure under both programmes."""

    name: str
    """The words are ``backtest.row.<name>``."""
    unit: Unit
    old: int
    new: int
    is_sum: bool = False
    """Whether it sums up the rows before it."""


class Group(NamedTuple):
    """Rows that belong together; the words are ``backtest.group.<name>``."""

    name: str
    rows: list[Row]


def groups(result: Result) -> list[Group]:
    """The rows of the summary; what has no figure on either side is left out."""
    sides = result.old, result.new
    found = [
        Group("sales", list(_sales(*sides))),
        Group("cost", list(_cost(*sides))),
        Group("points", list(_points(*sides))),
    ]
    kept = [Group(name, [row for row in rows if row.old or row.new]) for name, rows in found]
    return [group for group in kept if group.rows]


def _sales(old: Side, new: Side) -> Iterator[Row]:
    a, b = old.figures, new.figures
    yield Row("baskets", Unit.COUNT, a.baskets, b.baskets)
    yield Row("member-baskets", Unit.COUNT, a.member_baskets, b.member_baskets)
    yield Row("lines", Unit.COUNT, a.lines, b.lines)
    yield Row("returns", Unit.COUNT, a.returns, b.returns)
    yield Row("gross", Unit.MONEY, a.gross_minor, b.gross_minor)
    yield Row("hand", Unit.MONEY, a.hand_minor, b.hand_minor)
    yield Row("discount", Unit.MONEY, a.discount_minor, b.discount_minor)
    yield Row("discount-share", Unit.SHARE, old.discount_basis_points, new.discount_basis_points)
    yield Row("revenue", Unit.MONEY, a.revenue_minor, b.revenue_minor, is_sum=True)
    yield Row("tax", Unit.MONEY, a.tax_minor, b.tax_minor)
    yield Row("net", Unit.MONEY, a.net_minor, b.net_minor)
    yield Row("levies", Unit.MONEY, a.levy_minor, b.levy_minor)
    yield Row("unproved", Unit.COUNT, a.unproved, b.unproved)


def _cost(old: Side, new: Side) -> Iterator[Row]:
    a, b = old.figures, new.figures
    yield Row("added-units", Unit.COUNT, a.added_units, b.added_units)
    yield Row("added-value", Unit.MONEY, a.added_value_minor, b.added_value_minor)
    yield Row("costed-net", Unit.MONEY, a.costed_net_minor, b.costed_net_minor)
    yield Row("cost", Unit.MONEY, a.cost_minor, b.cost_minor)
    yield Row("added-cost", Unit.MONEY, a.added_cost_minor, b.added_cost_minor)
    yield Row("margin", Unit.MONEY, old.margin_minor, new.margin_minor, is_sum=True)


def _points(old: Side, new: Side) -> Iterator[Row]:
    a, b = old.figures, new.figures
    yield Row("points-issued", Unit.POINTS, a.points_issued, b.points_issued)
    yield Row("points-taken-back", Unit.POINTS, a.points_taken_back, b.points_taken_back)
    yield Row("points-spent", Unit.POINTS, a.points_spent, b.points_spent)
    yield Row("points-expired", Unit.POINTS, a.points_expired, b.points_expired)
    yield Row("breakage", Unit.SHARE, old.breakage_basis_points, new.breakage_basis_points)
    yield Row("points-live", Unit.POINTS, a.points_live, b.points_live)
    yield Row("points-owed", Unit.POINTS, a.points_owed, b.points_owed)
    yield Row("points-paid", Unit.MONEY, a.points_paid_minor, b.points_paid_minor)
    yield Row("liability", Unit.MONEY, old.liability_minor, new.liability_minor)
    yield Row("points-cost", Unit.MONEY, old.points_cost_minor, new.points_cost_minor)
    rest = revenue_less_points(old), revenue_less_points(new)
    yield Row("revenue-less-points", Unit.MONEY, rest[0], rest[1], is_sum=True)


def revenue_less_points(side: Side) -> int:
    """Revenue less what was and can still be paid with points."""
    return side.figures.revenue_minor - side.points_cost_minor


@dataclass(frozen=True, slots=True)
class Teller:
    """Says figures in one language."""

    result: Result
    language: Language

    @property
    def say(self) -> Words:
        """The words."""
        return words(self.language)

    @property
    def currency(self) -> Currency:
        """Of all amounts."""
        return Currency(self.result.currency)

    def money(self, minor: int) -> str:
        """An amount with its sign and symbol."""
        amount = self.currency.symbol + format_amount(abs(minor), self.currency)
        return f"{MINUS}{amount}" if minor < 0 else amount

    def change(self, minor: int) -> str:
        """A difference of amounts, with + where it grows."""
        return f"+{self.money(minor)}" if minor > 0 else self.money(minor)

    def count(self, number: int) -> str:
        """A number of things."""
        return _signed(f"{abs(number):,}", number)

    def share(self, basis_points: int) -> str:
        """A share in percent."""
        return _signed(f"{format_decimal(abs(basis_points), 2)}%", basis_points)

    def figure(self, unit: Unit, figure: int, side: Side) -> str:
        """A figure of one programme."""
        match unit:
            case Unit.COUNT:
                return self.count(figure)
            case Unit.MONEY:
                return self.money(figure)
            case Unit.SHARE:
                return self.share(figure)
            case Unit.POINTS:
                return self.points(figure, side)

    def points(self, points: int, side: Side) -> str:
        """Points of one programme."""
        return _signed(format_decimal(abs(points), side.point_decimals), points)

    def row(self, row: Row) -> tuple[str, str, str, str, str]:
        """What it is, old, new, difference and difference in percent."""
        old, new = self.result.old, self.result.new
        is_comparable = row.unit is not Unit.POINTS or old.point_decimals == new.point_decimals
        growth = row.new - row.old
        told = NONE
        if is_comparable and growth:
            figure = self.figure(row.unit, growth, new)
            told = f"+{figure}" if growth > 0 else figure
        is_relative = is_comparable and row.old > 0 and growth and row.unit is not Unit.SHARE
        percent = self.share(share_of(growth, row.old)) if is_relative else ""
        return (
            self.say(f"backtest.row.{row.name}"),
            self.figure(row.unit, row.old, old),
            self.figure(row.unit, row.new, new),
            told,
            f"+{percent}" if percent and growth > 0 else percent,
        )

    def offer(self, row: OfferRow) -> str:
        """An offer's name."""
        return row.names.get(self.language)

    def period(self, first: date) -> str:
        """The first day of a week, or a month."""
        is_week = self.result.period_unit is PeriodUnit.WEEK
        return first.isoformat() if is_week else first.isoformat()[:7]

    def bin(self, one: Bin) -> str:
        """The bounds of a bin."""
        if one.low_minor is None:
            return f"< {self.change(one.high_minor or 0)}"
        if one.high_minor is None:
            return f"> {self.change(one.low_minor)}"
        if one.low_minor == one.high_minor:
            return self.say("backtest.unchanged")
        return f"{self.change(one.low_minor)} … {self.change(one.high_minor)}"

    def percentile(self, one: Percentile) -> str:
        """Which part of the members it bounds."""
        match one.percent:
            case 0:
                return self.say("backtest.percentile-lowest")
            case 50:
                return self.say("backtest.percentile-median")
            case 100:
                return self.say("backtest.percentile-highest")
            case _:
                return self.say("backtest.percentile", percent=one.percent)

    def tiers(self, row: MemberRow) -> str:
        """A member's tier under both programmes."""
        movement = self.result.tiers
        old = {one.tier: one.names.get(self.language) for one in movement.old}[row.old.tier]
        new = {one.tier: one.names.get(self.language) for one in movement.new}[row.new.tier]
        return old if old == new else f"{old} → {new}"

    @property
    def against(self) -> str:
        """What the new programme is held against."""
        if self.result.assumed.against_same_without_offers:
            return self.say("backtest.against-same")
        return self.result.old.names.get(self.language)

    def assumptions(self) -> list[str]:
        """What was assumed, in sentences."""
        assumed, say = self.result.assumed, self.say
        spending = "backtest.assumed-spend-none"
        if assumed.spenders_percent:
            spending = "backtest.assumed-spend"
        return [
            say(
                "backtest.assumed-source",
                source=assumed.source,
                lines=self.count(assumed.lines),
                refused=self.count(assumed.refused_lines),
            ),
            say("backtest.assumed-behaviour"),
            say("backtest.assumed-start"),
            say("backtest.assumed-claims"),
            say(spending, percent=assumed.spenders_percent),
            say(
                "backtest.assumed-returns",
                returned=self.count(assumed.returned_units),
                loose=self.count(assumed.loose_units),
            ),
            say("backtest.assumed-benefit"),
        ]


def _signed(text: str, figure: int) -> str:
    return f"{MINUS}{text}" if figure < 0 else text
