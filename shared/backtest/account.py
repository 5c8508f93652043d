"""A member's balances, moved by sales and returns of one programme."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from shared.backtest.figures import MemberTally
from shared.ids import LotId
from shared.loyalty.calendar import grace_end, last_day
from shared.loyalty.lots import DEBT, ClawBack, Lot, claw_back, paying_debts, pending, spendable
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending, standing
from shared.pricing.basket import MemberContext
from shared.pricing.quote import EarningQuote
from shared.trade.fact import LotDraw


@dataclass(slots=True)
class Account:
    """A member who begins with nothing: lots, spending, and how often each offer was used."""

    tally: MemberTally
    lots: dict[LotId, Lot] = field(default_factory=dict)
    spending: dict[str, Spending] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)
    uses_on: Counter[tuple[date, str]] = field(default_factory=Counter)
    forgiven: Counter[str] = field(default_factory=Counter)
    """By sale, what its returns did not find to take back."""

    def context(self, programme: Programme, today: date) -> MemberContext:
        """What prices depend on."""
        days = [one.day for one in self.spending.values() if one.spend_minor > 0]
        return MemberContext(
            tier=self.tier(programme, today),
            sales=len(days),
            visits=len(set(days)),
            was_here_today=today in days,
            points=spendable(self._usable(programme), today),
        )

    def tier(self, programme: Programme, today: date) -> str:
        """The tier that the spending, and the points held, give on a day."""
        held = sum(lot.points for lot in self.lots.values())
        return standing(self.spending.values(), programme.tiers, today, balance=held).tier

    def _usable(self, programme: Programme) -> list[Lot]:
        return pending(self.lots.values(), programme.earning.pending_days)

    def spendable(self, today: date) -> int:
        """Points that can be spent on a day, or later where they are pending."""
        return spendable(self.lots.values(), today)

    @property
    def owed(self) -> int:
        """Points that were taken back after they had been spent."""
        debt = self.lots.get(DEBT)
        return -debt.points if debt else 0

    def expire(self, today: date) -> int:
        """Take what has lapsed before a day; how much it was."""
        lapsed = [lot for lot in self.lots.values() if lot.points > 0 and not lot.is_alive(today)]
        for lot in lapsed:
            self.lots[lot.lot] = replace(lot, points=0)
        return sum(lot.points for lot in lapsed)

    def draw(self, draws: Iterable[LotDraw], today: date) -> None:
        """Take points out of lots; debt grows."""
        for one in draws:
            lot = self.lots.get(one.lot) or Lot(lot=one.lot, points=0, earned_on=today)
            self.lots[one.lot] = replace(lot, points=lot.points - one.points)

    def earn(self, sale: str, earning: EarningQuote, programme: Programme, today: date) -> int:
        """A new lot, which pays debt first, and what counts for tiers; the points issued."""
        points = earning.points_total
        if points:
            lot, lapses = LotId(sale), last_day(today, programme.expiry)
            self.lots[lot] = Lot(lot=lot, points=points, earned_on=today, last_day=lapses)
            self._pay_debt(today)
        self.spending[sale] = Spending(
            sale=sale, day=today, spend_minor=earning.spend_minor, growth=earning.growth_total
        )
        return points

    def give_back(self, given: Iterable[LotDraw], programme: Programme, today: date) -> None:
        """Spent points return to their lots; one that has lapsed lives on for its grace."""
        for one in given:
            lot = self.lots[one.lot]
            if lot.last_day is not None and lot.last_day < today:
                lot = replace(lot, last_day=grace_end(today, programme.expiry))
            self.lots[one.lot] = replace(lot, points=lot.points + one.points)
        self._pay_debt(today)

    def take_back(self, sale: str, points: int, programme: Programme, today: date) -> ClawBack:
        """Take earned points back."""
        claw = claw_back(
            self.lots.values(),
            points,
            of_sale=LotId(sale),
            today=today,
            floor=programme.returns.points_floor,
            forgiven_before=self.forgiven[sale],
        )
        self.forgiven[sale] = claw.forgiven
        self.draw(claw.draws, today)
        return claw

    def _pay_debt(self, today: date) -> None:
        """Points that come to a member pay at once what is owed: nobody has both."""
        if self.owed:
            moved = paying_debts(self.lots.values(), today)
            self.draw([LotDraw(lot=lot, points=-change) for lot, change in moved.items()], today)

    def unspend(self, sale: str, *, spend_minor: int, growth: int) -> None:
        """Lower what a sale counts for tiers, as if what came back had never been bought."""
        one = self.spending[sale]
        self.spending[sale] = replace(
            one, spend_minor=one.spend_minor - spend_minor, growth=one.growth - growth
        )

    def use(self, offer: str, times: int, today: date) -> bool:
        """Note uses of an offer; whether they are the member's first."""
        is_first = not self.uses[offer]
        self.uses[offer] += times
        self.uses_on[today, offer] += times
        return is_first

    def unuse(self, offer: str, times: int, day: date) -> None:
        """Uses of an offer of which nothing is kept."""
        self.uses[offer] -= times
        self.uses_on[day, offer] -= times

    def used_on(self, offer: str, today: date) -> int:
        """How often an offer was used on a day."""
        return self.uses_on[today, offer]
