"""One till, its basket, and members whose balances move with each sale, without any books."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import singledispatchmethod
from typing import Any

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import CouponId, LotId, StoreId, TillId
from shared.loyalty.calendar import last_day
from shared.loyalty.lots import Lot, draw, spendable
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending, Standing, TierFloor, standing
from shared.pricing.basket import (
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    MemberContext,
    PlannedTender,
    RewardClaim,
)
from shared.pricing.cash import cash_rounding
from shared.pricing.engine import price
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import PointsPayment, offered, redeem
from shared.pricing.search import SearchMemory
from shared.trade.fact import LotDraw
from shared.workbench import scenario as told
from shared.workbench.result import TenderState


@dataclass(slots=True)
class Account:
    """A member as the scenario has made them so far."""

    person: told.Person
    lots: list[Lot]
    spending: list[Spending]

    def standing(self, programme: Programme, at: datetime) -> Standing:
        """Where the member stands on a day."""
        person, floor = self.person, None
        if person.tier_floor and person.floor_until is not None:
            floor = TierFloor(person.tier_floor, person.floor_until)
        return standing(self.spending, programme.tiers, at.date(), floor)

    def context(self, programme: Programme, at: datetime) -> MemberContext:
        """What prices depend on."""
        days = [one.day for one in self.spending if one.spend_minor > 0]
        return MemberContext(
            tier=self.standing(programme, at).tier,
            birthday=self.person.birthday,
            segments=self.person.segments,
            sales=len(days),
            visits=len(set(days)),
            was_here_today=at.date() in days,
            points=spendable(self.lots, at.date()),
        )


@dataclass(slots=True)
class Shop:
    """The state that steps change; a step that cannot be done leaves it as it was."""

    programme: Programme
    goods: dict[str, Goods]
    accounts: dict[str, Account]
    at: datetime
    store: str
    till: str
    member: str | None = None
    lines: list[BasketLine] = field(default_factory=list)
    claims: list[CouponClaim] = field(default_factory=list)
    rewards: dict[str, int] = field(default_factory=dict)
    gifts: dict[str, str] = field(default_factory=dict)
    paying: str = ""
    tenders: list[TenderState] = field(default_factory=list)
    payment: PointsPayment | None = None
    drawer: int = 0
    sales: int = 0
    added_lines: int = 0
    memory: SearchMemory = field(default_factory=SearchMemory)

    def basket(self) -> Basket:
        """The basket as the engine sees it."""
        account = self.account
        return Basket(
            lines=tuple(self.lines),
            at=self.at,
            store=StoreId(self.store),
            till=TillId(self.till),
            member=account.context(self.programme, self.at) if account else None,
            claims=tuple(self.claims),
            paying=(PlannedTender(tender=self.paying),) if self.paying else (),
            rewards=tuple(RewardClaim(offer, times) for offer, times in self.rewards.items()),
            gifts=tuple(self.gifts.items()),
        )

    def quote(self) -> Quote:
        """What the basket costs."""
        return price(self.basket(), self.programme, self.memory)

    @property
    def account(self) -> Account | None:
        """The member of the basket."""
        return self.accounts[self.member] if self.member else None

    def earning(self, quote: Quote) -> EarningQuote:
        """What the sale earns, as it is paid so far."""
        return self.payment.earning if self.payment else quote.earning

    def due(self, quote: Quote) -> tuple[int, int]:
        """What is still to be paid, and that in cash after rounding."""
        cash = sum(one.amount_minor for one in self.tenders if one.tender == "cash")
        others = sum(one.amount_minor for one in self.tenders if one.tender != "cash")
        rest = quote.total_minor - others
        return rest - cash, max(0, cash_rounding(rest, self.programme).due_minor - cash)

    # Steps

    @singledispatchmethod
    def do(self, step: told.Step) -> None:
        """Do one step; DomainError where it cannot be done."""
        raise AssertionError(step)

    @do.register
    def _(self, step: told.Add) -> None:
        self._untendered()
        goods = self.goods.get(step.goods)
        if goods is None:
            raise DomainError("unknown-goods", goods=step.goods)
        self.added_lines += 1
        self.lines.append(
            BasketLine(
                id=step.line or str(self.added_lines),
                goods=goods,
                units=step.units or (0 if step.grams else 1),
                grams=step.grams,
                price_minor=step.price_minor,
                label_minor=step.label_minor,
            )
        )

    @do.register
    def _(self, step: told.Remove) -> None:
        self._untendered()
        self.lines.remove(self._line(step.line))

    @do.register
    def _(self, step: told.SetQuantity) -> None:
        self._change(step.line, units=step.units, grams=step.grams)

    @do.register
    def _(self, step: told.SetPrice) -> None:
        self._change(step.line, price_minor=step.price_minor)

    @do.register
    def _(self, step: told.Discount) -> None:
        hand = HandDiscount(basis_points=step.basis_points, amount_minor=step.amount_minor)
        given = hand if step.basis_points or step.amount_minor else None
        self._change(step.line, discount=given)

    @do.register
    def _(self, step: told.SetMember) -> None:
        self._untendered()
        if step.member is not None and step.member not in self.accounts:
            raise DomainError("no-such-member", member=step.member)
        self.member = step.member

    @do.register
    def _(self, step: told.Claim) -> None:
        self._untendered()
        if any(claim.instance == step.code for claim in self.claims):
            raise DomainError("coupon-claimed-already")
        self.claims.append(CouponClaim(step.coupon, CouponId(step.code)))

    @do.register
    def _(self, step: told.Unclaim) -> None:
        self._untendered()
        self.claims = [claim for claim in self.claims if claim.instance != step.code]

    @do.register
    def _(self, step: told.Reward) -> None:
        self._untendered()
        self.rewards[step.offer] = max(0, step.times)

    @do.register
    def _(self, step: told.ChooseGift) -> None:
        self.gifts[step.offer] = step.goods

    @do.register
    def _(self, step: told.PlanTender) -> None:
        self._untendered()
        self.paying = step.tender

    @do.register
    def _(self, step: told.SpendPoints) -> None:
        basket, account = self.basket(), self.account
        if account is None:
            raise DomainError("points-need-member")
        if self.payment is not None:
            raise DomainError("points-tendered-already")
        quote = self.quote()
        most = offered(basket, quote, self.programme, account.lots).points
        wanted = most if step.points is None else step.points
        payment = redeem(basket, quote, wanted, self.programme, account.lots)
        self._take("points", payment.value_minor, points=payment.points)
        self.payment = payment

    @do.register
    def _(self, step: told.Pay) -> None:
        due, in_cash = self.due(self.quote())
        if step.tender == "cash":
            given = in_cash if step.amount_minor is None else step.amount_minor
            self._take("cash", min(given, in_cash), change=max(0, given - in_cash))
        else:
            amount = due if step.amount_minor is None else step.amount_minor
            self._take(step.tender, amount)

    @do.register
    def _(self, _step: told.Complete) -> None:
        quote = self.quote()
        if not self.lines:
            raise DomainError("basket-empty")
        due, in_cash = self.due(quote)
        takes_cash = any(tender.tender == "cash" for tender in self.tenders)
        if due and not (takes_cash and in_cash == 0):
            raise DomainError("not-settled", due=due)
        if self.account is not None:
            # Points for rewards beside points as payment: refused before anything moves.
            left = _without(self.account.lots, self.payment.draws if self.payment else ())
            draw(left, quote.reward_points, self.at.date())
        self.sales += 1
        self.drawer += sum(one.amount_minor for one in self.tenders if one.tender == "cash")
        self._move_balances(quote)
        self._clear()

    @do.register
    def _(self, _step: told.Cancel) -> None:
        self._clear()

    @do.register
    def _(self, step: told.MoveClock) -> None:
        self.at = step.at

    @do.register
    def _(self, _step: told.Show) -> None:
        """The caller tells."""

    def _take(self, tender: str, amount: int, *, change: int = 0, points: int = 0) -> None:
        due = self.due(self.quote())[0]
        if not 0 <= amount <= due:
            raise DomainError("tender-exceeds-due", amount=amount, due=due)
        self.tenders.append(
            TenderState(tender=tender, amount_minor=amount, change_minor=change, points=points)
        )

    def _untendered(self) -> None:
        if self.tenders:
            raise DomainError("tenders-first")

    def _line(self, line_id: str) -> BasketLine:
        for line in self.lines:
            if line.id == line_id:
                return line
        raise DomainError("no-such-line")

    def _change(self, line_id: str, **change: Any) -> None:
        self._untendered()
        line = self._line(line_id)
        self.lines[self.lines.index(line)] = replace(line, **change)

    def _move_balances(self, quote: Quote) -> None:
        account = self.account
        if account is None:
            return
        sale, today, earning = f"sale-{self.sales}", self.at.date(), self.earning(quote)
        account.lots = _without(account.lots, self.payment.draws if self.payment else ())
        account.lots = _without(account.lots, draw(account.lots, quote.reward_points, today))
        if earning.points_total:
            account.lots.append(
                Lot(
                    lot=LotId(sale),
                    points=earning.points_total,
                    earned_on=today,
                    last_day=last_day(today, self.programme.expiry),
                )
            )
        account.spending.append(
            Spending(
                sale=sale,
                day=today,
                spend_minor=earning.spend_minor,
                growth=earning.growth_total,
            )
        )

    def _clear(self) -> None:
        self.lines, self.claims, self.tenders = [], [], []
        self.rewards, self.gifts, self.paying = {}, {}, ""
        self.payment, self.member = None, None


def _without(lots: Iterable[Lot], draws: Iterable[LotDraw]) -> list[Lot]:
    drawn = {one.lot: one.points for one in draws}
    return [replace(lot, points=lot.points - drawn.get(lot.lot, 0)) for lot in lots]
