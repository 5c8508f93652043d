"""A member's balances as the workbench keeps them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from shared.ids import LotId
from shared.loyalty.calendar import grace_end, last_day, last_idle_day
from shared.loyalty.liability import Movement
from shared.loyalty.lots import Lot, dormant, paying_debts, spendable
from shared.loyalty.member_now import held, standing_with
from shared.loyalty.programme import Programme
from shared.loyalty.stamps import Stamps
from shared.loyalty.tiers import Spending, Standing, TierFloor
from shared.loyalty.usable import usable
from shared.loyalty.wallet import Wallet
from shared.pricing.basket import MemberContext
from shared.pricing.conditions import around_birthday
from shared.trade.fact import LotDraw
from shared.workbench.scenario import Person


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a draw by the name that is drawn, and whose it is now."""

    name: str
    member: str


@dataclass(slots=True)
class Account:
    """A member as the scenario has made them so far."""

    person: Person
    lots: list[Lot]
    spending: list[Spending]
    wallet: Wallet = field(default_factory=Wallet)
    stamps: dict[str, int] = field(default_factory=dict)
    """On the running card, by visit card."""
    stamped_on: Counter[tuple[str, date]] = field(default_factory=Counter)
    """Stamps that were given and kept, by visit card and day."""
    uses: Counter[str] = field(default_factory=Counter)
    uses_on: Counter[tuple[date, str]] = field(default_factory=Counter)
    last_active: date | None = None
    """The last day on which they bought, earned or spent."""
    acted_on: Counter[tuple[str, date]] = field(default_factory=Counter)
    """Actions that gave points, by day."""
    friends: int = 0
    """Members this one referred whose first sale counted."""
    is_referral_paid: bool = False
    """Whether who referred this one has been paid for it."""
    moves: list[Movement] = field(default_factory=list)
    """Everything that came into a lot or went out of it."""

    def __post_init__(self) -> None:
        for lot in self.lots:
            self._note(lot.lot, lot.points, lot.earned_on)

    def _note(self, lot: str, points: int, day: date) -> None:
        self.moves.append(Movement(lot=lot, points=points, on=day))

    def stamp(self, card: str, stamps: int, day: date, *, filled: int, size: int) -> None:
        """Stamps onto a card, or off it, and so many cards more (or fewer) that are full."""
        self.stamps[card] = self.stamps.get(card, 0) + stamps - filled * size
        self.stamped_on[card, day] += stamps

    @property
    def cards(self) -> dict[str, Stamps]:
        """How far every visit card is."""
        return {
            card: Stamps(
                stamps=stamps,
                last_on=max(
                    (day for (name, day), n in self.stamped_on.items() if name == card and n > 0),
                    default=None,
                ),
            )
            for card, stamps in self.stamps.items()
        }

    @property
    def points(self) -> int:
        """All points held, less what is owed."""
        return sum(lot.points for lot in self.lots)

    @property
    def floors(self) -> tuple[TierFloor, ...]:
        """The tier set by hand, if one is."""
        person = self.person
        floor = TierFloor(person.tier_floor, person.floor_until or date.max)
        return (floor,) if person.tier_floor else ()

    def standing(self, programme: Programme, at: datetime) -> Standing:
        """Where the member stands on a day."""
        points = held(self.usable(programme), at.date())
        return standing_with(self, programme, at.date(), points=points)

    def usable(self, programme: Programme) -> list[Lot]:
        """The lots, knowing from when on and until when they can be spent."""
        return usable(self.lots, programme, [self.last_active] if self.last_active else [])

    def touch(self, programme: Programme, today: date) -> None:
        """The member did something: what lapsed for want of it before stays lapsed."""
        self.lapse(programme, today)
        self.last_active = max(today, self.last_active or today)

    def lapse(self, programme: Programme, today: date) -> None:
        """What has lapsed for want of activity is lapsed for good."""
        if self.last_active is not None:
            last = last_idle_day(self.last_active, programme.expiry)
            if last is not None and last < today:
                self.lots = dormant(self.lots, last)

    def context(self, programme: Programme, at: datetime) -> MemberContext:
        """What prices depend on."""
        days = [one.day for one in self.spending if one.spend_minor > 0]
        return MemberContext(
            tier=self.standing(programme, at).tier,
            birthday=around_birthday(self.person.birthday, at.date()),
            segments=self.person.segments,
            sales=len(days),
            visits=len(set(days)),
            was_here_today=at.date() in days,
            points=spendable(self.usable(programme), at.date()),
        )

    def earn(self, lot: str, points: int, programme: Programme, today: date) -> None:
        """A new lot; what is owed is paid first."""
        if points <= 0:
            return
        self.touch(programme, today)
        lapses = last_day(today, programme.expiry)
        self.lots.append(Lot(lot=LotId(lot), points=points, earned_on=today, last_day=lapses))
        self._note(lot, points, today)
        self.pay_debt(today)

    def take(self, draws: Iterable[LotDraw], today: date) -> None:
        """Take points out of lots; what none holds is owed."""
        for one in draws:
            self._note(one.lot, -one.points, today)
            held = next((lot for lot in self.lots if lot.lot == one.lot), None)
            if held is None:
                self.lots.append(Lot(lot=one.lot, points=-one.points, earned_on=today))
            else:
                self._put(replace(held, points=held.points - one.points))

    def give_back(
        self,
        given: Iterable[LotDraw],
        taken: Iterable[LotDraw],
        programme: Programme,
        today: date,
    ) -> None:
        """Spent points come back to their lots, and earned ones are taken out.

        A lapsed lot lives for another while; what is owed is paid with what is left.
        """
        for one in given:
            held = next((lot for lot in self.lots if lot.lot == one.lot), None)
            if held is not None:
                if held.last_day is not None and held.last_day < today:
                    held = replace(held, last_day=grace_end(today, programme.expiry))
                self._put(replace(held, points=held.points + one.points))
                self._note(one.lot, one.points, today)
        self.take(taken, today)
        self.pay_debt(today)

    def _put(self, lot: Lot) -> None:
        self.lots = [lot if one.lot == lot.lot else one for one in self.lots]

    def pay_debt(self, today: date) -> None:
        """What is owed is paid with what there is."""
        moved = paying_debts(self.lots, today)
        self.take([LotDraw(lot=lot, points=-change) for lot, change in moved.items()], today)
