"""One till, its basket, and members whose balances move with each sale, without any books."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import singledispatchmethod
from typing import Any, Final

from msgspec.structs import replace as replace_in

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import CouponId, StoreId, TillId
from shared.loyalty.accounts import StoredValue
from shared.loyalty.effects import Gift
from shared.loyalty.gift_card import GiftCard, spent
from shared.loyalty.lots import Lot, draw, less
from shared.loyalty.offers import Limits, Offer
from shared.loyalty.programme import Programme, Treatment
from shared.loyalty.wallet import Wallet, plus, spend
from shared.money import AMOUNT_MINOR_MAX, Rounding, divide_rounded
from shared.pricing.basket import (
    WHOLE,
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    OfferUse,
    PlannedTender,
    PointsOff,
    RewardClaim,
)
from shared.pricing.cash import cash_rounding
from shared.pricing.earning import earn
from shared.pricing.engine import price
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import PointsPayment, offered, redeem, reduce
from shared.pricing.rulebook import rulebook
from shared.pricing.search import SearchMemory
from shared.pricing.tender_rules import payable, rule_of, tender_name
from shared.shares import largest_remainder
from shared.trade.fact import TenderKind
from shared.workbench import scenario as told
from shared.workbench.account import Account
from shared.workbench.coupons import Code, check, made
from shared.workbench.day import Day
from shared.workbench.result import DayState, DrawerState, RefundState, TenderState, WinState
from shared.workbench.sold import Sold, TookIn

NO_LIMITS: Final = Limits()
TIMES_MAX: Final = 1_000
"""A reward is claimed so often in one sale at most."""


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
    paying_share: int = WHOLE
    discount: HandDiscount | None = None
    points_off: PointsOff | None = None
    tenders: list[TenderState] = field(default_factory=list)
    payment: PointsPayment | None = None
    drawer: int = 0
    """Cash that came in less what went out, without the float."""
    float_minor: int = 0
    sales: int = 0
    repeats: int = 0
    added_lines: int = 0
    sold: dict[str, Sold] = field(default_factory=dict)
    held: dict[str, "Held"] = field(default_factory=dict)
    exchanges: list[tuple[Sold, dict[str, int]]] = field(default_factory=list)
    credit: int = 0
    """What goods that come back with this ticket are worth in money."""
    refund: RefundState | None = None
    coupons: dict[str, Code] = field(default_factory=dict)
    gift_cards: dict[str, GiftCard] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)
    day: Day = field(default_factory=Day)
    partner_sales: dict[str, list[int]] = field(default_factory=dict)
    partner_spends: dict[str, list[int]] = field(default_factory=dict)
    batches: dict[str, tuple[told.Batch, ...]] = field(default_factory=dict)
    """By SKU."""
    entries: dict[str, list[str]] = field(default_factory=dict)
    wins: list[WinState] = field(default_factory=list)
    drawer_count: DrawerState | None = None
    days: list[DayState] = field(default_factory=list)
    numbers: int = 0
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
            paying=self._planned(),
            rewards=tuple(RewardClaim(offer, times) for offer, times in self.rewards.items()),
            gifts=tuple(self.gifts.items()),
            uses=tuple(self._uses(account)),
            discount=self.discount,
            points_off=self.points_off,
        )

    def _planned(self) -> tuple[PlannedTender, ...]:
        if not self.paying:
            return ()
        planned = PlannedTender(tender=self.paying, share_basis_points=self.paying_share)
        return (planned,)

    def check_paying(self, quote: Quote) -> None:
        """DomainError ``paying-not-kept`` where less was paid with a tender than was planned."""
        if not self.paying or not self._has_paying_offers:
            return
        others = sum(one.amount_minor for one in self.tenders if one.tender != self.paying)
        whole = max(0, quote.total_minor - self.credit)
        if others * WHOLE > whole * (WHOLE - self.paying_share):
            raise DomainError("paying-not-kept", tender=self.paying)

    @property
    def _has_paying_offers(self) -> bool:
        return rulebook(self.programme).asks_for_tender

    def _plan_to_pay(self, step: told.Pay) -> None:
        """The first tender pays everything: offers that ask for it apply, else they do not."""
        if self.tenders or self.paying or not self._has_paying_offers:
            return
        self.paying = step.tender
        due, in_cash = self.due(self.quote())
        if step.amount_minor is not None and step.amount_minor < (
            in_cash if step.tender == "cash" else due
        ):
            self.paying = ""

    def _uses(self, account: Account | None) -> Iterator[OfferUse]:
        for offer in self.programme.offers:
            if offer.limits != NO_LIMITS:
                yield OfferUse(
                    offer=offer.id,
                    by_member=account.uses[offer.id] if account else 0,
                    by_member_today=account.uses_on[self.at.date(), offer.id] if account else 0,
                    in_store=self.uses[offer.id],
                    in_total=self.uses[offer.id],
                )

    def quote(self) -> Quote:
        """What the basket costs."""
        return price(self.basket(), self.programme, self.memory)

    @property
    def account(self) -> Account | None:
        """The member of the basket."""
        return self.accounts[self.member] if self.member else None

    def free_lots(self) -> list[Lot]:
        """The member's lots without what the rewards of this basket cost."""
        if self.account is None:
            return []
        lots = self.account.usable(self.programme)
        return less(lots, draw(lots, self.quote().reward_points, self.at.date()))

    def earning(self, quote: Quote) -> EarningQuote:
        """What the sale earns, as it is paid so far: neither points nor bonus value earn again."""
        rules = self.programme
        bonus = self.wallet_share(self._tendered("stored-value")).bonus
        stored = rules.stored_value
        if not bonus or (stored is not None and stored.bonus_earns):
            return self.payment.earning if self.payment else quote.earning
        covered = largest_remainder(bonus, [line.pay_minor for line in quote.lines])
        if self.payment and not rules.earning.points_tender_counts:
            values = self.payment.line_values
            covered = [one + other for one, other in zip(covered, values, strict=True)]
        plain = replace_in(rules, earning=replace_in(rules.earning, points_tender_counts=False))
        return earn(self.basket(), quote.lines, plain, covered)

    def due(self, quote: Quote) -> tuple[int, int]:
        """What is still to be paid, and that in cash after rounding."""
        cash = self._tendered("cash")
        others = sum(one.amount_minor for one in self.tenders) - cash
        rest = max(0, quote.total_minor - self.credit) - others
        return rest - cash, max(0, cash_rounding(rest, self.programme).due_minor - cash)

    def _tendered(self, tender: str, code: str = "") -> int:
        given = (one for one in self.tenders if one.tender == tender and one.code == code)
        return sum(one.amount_minor for one in given)

    def wallet_share(self, amount: int) -> Wallet:
        """What principal and bonus of the member pay of an amount."""
        if not amount or self.account is None:
            return Wallet()
        rules = self.programme.stored_value or StoredValue()
        return spend(self.account.wallet, amount, rules.spend_first)

    def list_price(self, goods: str) -> int:
        """What an article costs in the catalogue; DomainError ``unknown-goods``."""
        if goods not in self.goods:
            raise DomainError("unknown-goods", goods=goods)
        return self.goods[goods].list_price_minor

    def card(self, code: str) -> GiftCard:
        """A gift card; DomainError ``no-such-card``."""
        if code not in self.gift_cards:
            raise DomainError("no-such-card", code=code)
        return self.gift_cards[code]

    def untax(self, card: GiftCard, amount: int) -> None:
        """What a single-purpose card pays was taxed when it was sold; below zero it comes back."""
        rules = self.programme.gift_cards
        if rules is not None and card.tax:
            after = replace(card, left=card.left - amount)
            self.day.tax[rules.taxed_when_sold_as] -= card.tax_left - after.tax_left

    def give_to(self, took: TookIn, amount: int, member: str | None) -> None:
        """Money goes back to a card, or to the accounts of stored value that paid it."""
        if took.tender == "gift-card":
            card = self.card(took.code)
            self.untax(card, -amount)
            self.gift_cards[took.code] = replace(card, left=card.left + amount)
        elif took.tender == "stored-value" and member in self.accounts:
            until = divide_rounded(took.parts.principal * took.refunded, took.amount)
            principal = until - took.parts_back.principal
            back = Wallet(principal=principal, bonus=amount - principal)
            took.parts_back = plus(took.parts_back, back)
            account = self.accounts[str(member)]
            account.wallet = plus(account.wallet, back)

    def new_codes(self, coupon: str, units: int, sale: str, member: str) -> list[str]:
        """Issue codes: ``coupon-sale-1`` and so on."""
        known = [code for code in self.coupons if code.startswith(f"{coupon}-{sale}-")]
        codes = [f"{coupon}-{sale}-{len(known) + number}" for number in range(1, units + 1)]
        for code in codes:
            self.coupons[code] = made(self.programme, coupon, code, member, self.at.date())
        return codes

    def next_number(self) -> int:
        """What tells lots and codes apart that no sale gave."""
        self.numbers += 1
        return self.numbers

    def take_in(self, tender: str, amount: int) -> None:
        """Money for a top-up or a gift card, which is no turnover."""
        self.day.paid_in_minor += amount
        self.day.tenders[tender] += amount
        if tender == "cash":
            self.drawer += amount

    def pay_out(self, amount: int) -> None:
        """Cash for principal, or for what was left on a card."""
        self.day.paid_out_minor += amount
        self.day.tenders["cash"] -= amount
        self.drawer -= amount

    def bought_today(self) -> dict[str, int]:
        """Units of restricted goods that the member bought on this day."""
        if self.account is None:
            return {}
        bought, today = self.account.bought_on, self.at.date()
        return {rule.id: bought[today, rule.id] for rule in self.programme.restrictions}

    # Steps

    @singledispatchmethod
    def do(self, step: told.Step) -> None:
        """Do one step; DomainError where it cannot be done."""
        raise AssertionError(step)

    @do.register
    def _(self, step: told.Add) -> None:
        self.untendered()
        goods = self.goods.get(step.goods)
        if goods is None:
            raise DomainError("unknown-goods", goods=step.goods)
        self._check_batch(step)
        self.lines.append(
            BasketLine(
                id=self._line_name(step.line),
                goods=goods,
                units=step.units or (0 if step.grams else 1),
                grams=step.grams,
                price_minor=step.price_minor,
                label_minor=step.label_minor,
                comes_in=step.comes_in,
            )
        )

    def _line_name(self, wanted: str) -> str:
        """The name of a new line: its own, else the next number that no line has."""
        taken = {line.id for line in self.lines}
        if wanted in taken:
            raise DomainError("line-named-twice", line=wanted)
        while not wanted or wanted in taken:
            self.added_lines += 1
            wanted = str(self.added_lines)
        return wanted

    def _check_batch(self, step: told.Add) -> None:
        """DomainError ``unknown-batch``, ``batch-recalled`` or ``batch-lapsed``."""
        known = self.batches.get(step.goods, ())
        if not step.batch or step.comes_in:
            return
        found = next((one for one in known if one.batch == step.batch), None)
        if found is None:
            raise DomainError("unknown-batch", goods=step.goods, batch=step.batch)
        if found.is_recalled:
            raise DomainError("batch-recalled", goods=step.goods, batch=step.batch)
        if found.last_day is not None and self.at.date() > found.last_day:
            on = found.last_day.isoformat()
            raise DomainError("batch-lapsed", goods=step.goods, batch=step.batch, on=on)

    @do.register
    def _(self, step: told.Remove) -> None:
        self.untendered()
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
        if step.line:
            self._change(step.line, discount=given)
            return
        if not 0 <= step.basis_points <= WHOLE or not 0 <= step.amount_minor <= AMOUNT_MINOR_MAX:
            raise DomainError("bad-discount")
        self.untendered()
        self.discount = given

    @do.register
    def _(self, step: told.SetMember) -> None:
        self.untendered()
        if step.member is not None and step.member not in self.accounts:
            raise DomainError("no-such-member", member=step.member)
        self.member = step.member

    @do.register
    def _(self, step: told.Claim) -> None:
        self.untendered()
        if any(claim.instance == step.code for claim in self.claims):
            raise DomainError("coupon-claimed-already")
        held, coupon = self.coupons.get(step.code), step.coupon
        if held is not None:
            check(held, self.member, self.at.date())
            coupon = coupon or held.coupon
        if coupon != (held.coupon if held else coupon) or not coupon:
            raise DomainError("code-of-another-coupon", code=step.code, coupon=step.coupon)
        self.claims.append(CouponClaim(coupon, CouponId(step.code)))

    @do.register
    def _(self, step: told.Unclaim) -> None:
        self.untendered()
        if all(claim.instance != step.code for claim in self.claims):
            raise DomainError("not-claimed", code=step.code)
        self.claims = [claim for claim in self.claims if claim.instance != step.code]

    @do.register
    def _(self, step: told.Reward) -> None:
        self.untendered()
        offer = self._offer(step.offer)
        if not offer.is_reward:
            raise DomainError("not-a-reward", offer=offer.id)
        if not 0 <= step.times <= TIMES_MAX:
            raise DomainError("reward-times", offer=offer.id, times=step.times, highest=TIMES_MAX)
        self.rewards[step.offer] = step.times

    @do.register
    def _(self, step: told.ChooseGift) -> None:
        effect = self._offer(step.offer).effect
        choices = effect.choices if isinstance(effect, Gift) else ()
        if step.goods and step.goods not in choices:
            raise DomainError("not-among-gifts", offer=step.offer, goods=step.goods)
        self.gifts[step.offer] = step.goods

    @do.register
    def _(self, step: told.PlanTender) -> None:
        self.untendered()
        if step.tender:
            self._check_tender(step.tender)
        self.paying, self.paying_share = step.tender, step.share_basis_points

    @do.register
    def _(self, step: told.SpendPoints) -> None:
        basket, account = self.basket(), self.account
        if account is None:
            raise DomainError("points-need-member")
        if self.payment is not None or self.points_off is not None:
            raise DomainError("points-tendered-already")
        quote, lots = self.quote(), self.free_lots()
        most = offered(basket, quote, self.programme, lots, step.rule)
        wanted = most.points if step.points is None else step.points
        rules = {rule.id: rule for rule in self.programme.redemptions}
        named = rules.get(step.rule or most.rule)
        if named is not None and named.treatment is Treatment.PRICE_REDUCTION:
            self.untendered()
            self.points_off = reduce(basket, quote, wanted, self.programme, lots, named.id)
            return
        payment = redeem(basket, quote, wanted, self.programme, lots, step.rule)
        tender = "points"
        if rules[payment.rule].treatment is Treatment.THIRD_PARTY:
            tender = "points-third-party"
        self._take(tender, payment.value_minor, points=payment.points)
        self.payment = payment

    @do.register
    def _(self, step: told.Pay) -> None:
        if step.tender == "points":
            self.do(told.SpendPoints(points=self._points_worth(step.amount_minor)))
            return
        self._check_tender(step.tender)
        self._plan_to_pay(step)
        quote = self.quote()
        due, in_cash = self.due(quote)
        if step.tender == "cash":
            given = in_cash if step.amount_minor is None else step.amount_minor
            self._take("cash", min(given, in_cash), change=max(0, given - in_cash))
            return
        most = self._most(step, quote)
        amount = min(due, most) if step.amount_minor is None else step.amount_minor
        rule = rule_of(step.tender, self.programme)
        if amount > due and rule is not None and rule.gives_change:
            self._take(step.tender, due, change=amount - due, code=step.code)
            return
        if most < amount <= due:
            raise DomainError("tender-may-not-pay", tender=step.tender, amount=amount, most=most)
        self._take(step.tender, amount, code=step.code)

    def _points_worth(self, amount: int | None) -> int | None:
        """How many points pay an amount, by the rule that pays most."""
        if amount is None:
            return None
        most = offered(self.basket(), self.quote(), self.programme, self.free_lots())
        rules = {rule.id: rule for rule in self.programme.redemptions}
        rule = rules.get(most.rule)
        if rule is None:
            raise DomainError("points-not-accepted")
        block, value = rule.points_per_block, rule.value_per_block_minor
        return divide_rounded(max(0, amount) * block, value, Rounding.UP)

    def _check_tender(self, tender: str) -> None:
        """DomainError ``unknown-tender``."""
        known = {tender_name(kind) for kind in TenderKind} - {"points"}
        if tender not in known and rule_of(tender, self.programme) is None:
            raise DomainError("unknown-tender", tender=tender)

    def _offer(self, offer_id: str) -> Offer:
        """DomainError ``not-in-programme``."""
        for offer in self.programme.offers:
            if offer.id == offer_id:
                return offer
        raise DomainError("not-in-programme", what=offer_id)

    def _most(self, step: told.Pay, quote: Quote) -> int:
        """The most that a tender may still pay. Raises what stands against it at all."""
        most = payable(step.tender, self.basket(), quote, self.programme)
        most -= sum(one.amount_minor for one in self.tenders if one.tender == step.tender)
        if step.tender == "stored-value":
            if self.account is None:
                raise DomainError("stored-value-needs-member")
            left = self.account.wallet.total - self._tendered("stored-value")
            if step.amount_minor is not None and step.amount_minor > left:
                raise DomainError("stored-value-not-enough", amount=step.amount_minor, balance=left)
            return min(most, left)
        if step.tender == "gift-card":
            card = self.card(step.code)
            left = card.left - self._tendered("gift-card", step.code)
            spent(replace(card, left=left), step.amount_minor or 0, self.at.date())
            return min(most, left)
        return most

    @do.register
    def _(self, _step: told.Cancel) -> None:
        self.clear()

    @do.register
    def _(self, step: told.MoveClock) -> None:
        self.at = step.at

    @do.register
    def _(self, _step: told.Show) -> None:
        """The caller tells."""

    def _take(
        self, tender: str, amount: int, *, change: int = 0, points: int = 0, code: str = ""
    ) -> None:
        due = self.due(self.quote())[0]
        if not 0 <= amount <= due:
            raise DomainError("tender-exceeds-due", amount=amount, due=due)
        self.tenders.append(
            TenderState(
                tender=tender, amount_minor=amount, change_minor=change, points=points, code=code
            )
        )

    def untendered(self) -> None:
        """DomainError ``tenders-first`` where something was paid already."""
        if self.tenders:
            raise DomainError("tenders-first")

    def _line(self, line_id: str) -> BasketLine:
        for line in self.lines:
            if line.id == line_id:
                return line
        raise DomainError("no-such-line")

    def _change(self, line_id: str, **change: Any) -> None:
        self.untendered()
        line = self._line(line_id)
        self.lines[self.lines.index(line)] = replace(line, **change)

    def clear(self) -> None:
        """An empty basket."""
        self.lines, self.claims, self.tenders = [], [], []
        self.rewards, self.gifts = {}, {}
        self.paying, self.paying_share = "", WHOLE
        self.payment, self.member = None, None
        self.discount, self.points_off = None, None
        self.exchanges, self.credit = [], 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A basket that was put aside."""

    lines: tuple[BasketLine, ...]
    claims: tuple[CouponClaim, ...]
    rewards: dict[str, int]
    gifts: dict[str, str]
    member: str | None
