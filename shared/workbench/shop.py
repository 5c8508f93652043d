"""One till, its basket, and members whose balances move with each sale, without any books."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import StoreId, TillId
from shared.loyalty.accounts import StoredValue
from shared.loyalty.gift_card import GiftCard, refunded, spent
from shared.loyalty.lots import Lot, draw, less
from shared.loyalty.offers import Limits
from shared.loyalty.prepaid_tax import TaxTable
from shared.loyalty.programme import Programme
from shared.loyalty.wallet import Wallet, plus, spend
from shared.pricing.basket import (
    WHOLE,
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    OfferUse,
    PlannedTender,
    RewardClaim,
)
from shared.pricing.cash import Handed
from shared.pricing.engine import price
from shared.pricing.paid_by_bonus import earning_of
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import Lowering, PointsPayment, lowered
from shared.pricing.rulebook import rulebook
from shared.pricing.search import SearchMemory
from shared.returning.history import units_kept
from shared.trade.fact import Tender, TenderKind
from shared.workbench.account import Account, Entry
from shared.workbench.coupons import Code, made, standing
from shared.workbench.day import Day
from shared.workbench.result import (
    DayState,
    DrawerState,
    LiabilityState,
    RefundState,
    TenderState,
    WinState,
)
from shared.workbench.sold import Coming, PartnerSale, Sold
from shared.workbench.tenders import tender_fact

NO_LIMITS: Final = Limits()


@dataclass(slots=True)
class Shop:
    """The state that steps change; a step that cannot be done leaves it as it was."""

    programme: Programme
    goods: dict[str, Goods]
    accounts: dict[str, Account]
    at: datetime
    """On the store's wall."""
    store: str
    till: str
    zone: str = ""
    member: str | None = None
    lines: list[BasketLine] = field(default_factory=list)
    claims: list[CouponClaim] = field(default_factory=list)
    rewards: dict[str, int] = field(default_factory=dict)
    gifts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was chosen, by offer; empty where the customer wants none."""
    paying: str = ""
    paying_share: int = WHOLE
    discount: HandDiscount | None = None
    lowering: Lowering | None = None
    """Points that are to lower the price; how much they do follows the basket."""
    tenders: list[TenderState] = field(default_factory=list)
    payment: PointsPayment | None = None
    drawer: int = 0
    """Cash that came in less what went out, without the float."""
    float_minor: int = 0
    sales: int = 0
    repeats: int = 0
    added_lines: int = 0
    """Lines of this basket that were named by their number."""
    sold: dict[str, Sold] = field(default_factory=dict)
    held: dict[str, "Held"] = field(default_factory=dict)
    exchanges: list[Coming] = field(default_factory=list)
    """Of one sale at most."""
    credit: int = 0
    """What goods that come back with this ticket are worth in money."""
    refund: RefundState | None = None
    coupons: dict[str, Code] = field(default_factory=dict)
    gift_cards: dict[str, GiftCard] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)
    day: Day = field(default_factory=Day)
    partner_sales: dict[str, list[PartnerSale]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    """By draw."""
    wins: list[WinState] = field(default_factory=list)
    drawer_count: DrawerState | None = None
    days: list[DayState] = field(default_factory=list)
    liability: LiabilityState | None = None
    without_receipt: Counter[date] = field(default_factory=Counter)
    """What was given back so, by day."""
    numbers: int = 0
    memory: SearchMemory = field(default_factory=SearchMemory)

    def member_account(self, member: str) -> Account:
        """The account of a member; DomainError ``no-such-member``."""
        if member not in self.accounts:
            raise DomainError("no-such-member", member=member)
        return self.accounts[member]

    def basket(self) -> Basket:
        """The basket as the engine sees it."""
        basket = self._without_points()
        if self.lowering is None or self.account is None:
            return basket
        lots = self.account.usable(self.programme)
        return lowered(basket, self.programme, self.lowering, lots)

    def _without_points(self) -> Basket:
        account = self.account
        return Basket(
            lines=tuple(self.lines),
            at=self.at,
            store=StoreId(self.store),
            till=TillId(self.till),
            member=account.context(self.programme, self.at) if account else None,
            claims=standing(self.claims, self.coupons, self.member, self.at.date()),
            paying=self._planned(),
            rewards=tuple(RewardClaim(offer, times) for offer, times in self.rewards.items()),
            gifts=tuple((offer, one) for offer, chosen in self.gifts.items() for one in chosen),
            uses=tuple(self._uses(account)),
            discount=self.discount,
        )

    def _planned(self) -> tuple[PlannedTender, ...]:
        if not self.paying:
            return ()
        planned = PlannedTender(tender=self.paying, share_basis_points=self.paying_share)
        return (planned,)

    def check_paying(self, quote: Quote) -> None:
        """DomainError ``paying-not-kept`` where less was paid with a tender than was planned."""
        if not self.paying or not self.has_paying_offers:
            return
        others = sum(one.amount_minor for one in self.tenders if one.tender != self.paying)
        whole = max(0, quote.total_minor - self.credit)
        if others * WHOLE > whole * (WHOLE - self.paying_share):
            raise DomainError("paying-not-kept", tender=self.paying)

    @property
    def has_paying_offers(self) -> bool:
        """Whether prices may depend on how the customer pays."""
        return rulebook(self.programme).asks_for_tender

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
        return price(self.basket(), self.programme, self.memory, tells_all=True)

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
        bonus = self.wallet_share(self.tendered("stored-value")).bonus
        return earning_of(self.basket(), quote, self.programme, self.payment, bonus)

    def due(self, quote: Quote) -> tuple[int, int]:
        """What is still to be paid, and that in cash after rounding."""
        handed, total = self.handed, max(0, quote.total_minor - self.credit)
        in_cash = max(0, handed.due_in_cash(total, self.programme))
        return max(0, handed.due(total)), in_cash

    @property
    def handed(self) -> Handed:
        """What was handed over so far."""
        cash = self.tendered("cash")
        return Handed(
            cash=cash,
            others=sum(one.amount_minor for one in self.tenders) - cash,
            change=sum(one.change_minor for one in self.tenders if one.given_minor),
            moves_cash=any(one.given_minor or one.tender == "cash" for one in self.tenders),
        )

    def tendered(self, tender: str, code: str = "") -> int:
        """What was paid so far with a tender, or with one card."""
        given = (one for one in self.tenders if one.tender == tender and one.code == code)
        return sum(one.amount_minor for one in given)

    def wallet_share(self, amount: int) -> Wallet:
        """What principal and bonus of the member pay of an amount."""
        if not amount or self.account is None:
            return Wallet()
        rules = self.programme.stored_value or StoredValue()
        return spend(self.account.wallet, amount, rules.spend_first)

    def article(self, goods: str) -> Goods:
        """An article of the catalogue; DomainError ``unknown-goods``."""
        if goods not in self.goods:
            raise DomainError("unknown-goods", goods=goods)
        return self.goods[goods]

    def card(self, code: str) -> GiftCard:
        """A gift card; DomainError ``no-such-card``."""
        if code not in self.gift_cards:
            raise DomainError("no-such-card", code=code)
        return self.gift_cards[code]

    def given(self) -> tuple[Tender, ...]:
        """What was taken so far, each card's part with the tax that it was sold with."""
        cards = dict(self.gift_cards)
        found = []
        for one in self.tenders:
            prepaid: TaxTable = ()
            if card := cards.get(one.code):
                prepaid = card.tax_used_by(one.amount_minor)
                cards[one.code] = spent(card, one.amount_minor, self.at.date())
            found.append(tender_fact(one.tender, one.amount_minor, code=one.code, prepaid=prepaid))
        return tuple(found)

    def give_to(self, refund: Tender, member: str | None) -> None:
        """Money goes back to a card, or to the accounts of stored value that paid it."""
        if refund.tender is TenderKind.GIFT_CARD:
            card = self.card(refund.reference)
            self.gift_cards[card.code] = refunded(card, refund.amount, refund.prepaid)
        elif refund.tender is TenderKind.STORED_VALUE and member in self.accounts:
            account = self.accounts[str(member)]
            principal = refund.amount - refund.bonus
            back = Wallet(principal=principal, bonus=refund.bonus)
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
        """Units by restriction that the member bought on this day, and kept."""
        kept: Counter[str] = Counter()
        for sold in self.sold.values():
            if sold.member and sold.member == self.member and sold.at.date() == self.at.date():
                kept += units_kept(sold.fact, sold.returns)
        return {
            rule.id: sum(n for sku, n in kept.items() if rule.goods.contains(self.goods[sku]))
            for rule in self.programme.restrictions
        }

    def untendered(self) -> None:
        """DomainError ``tenders-first`` where something was paid already."""
        if self.tenders:
            raise DomainError("tenders-first")

    def line(self, line_id: str) -> BasketLine:
        """A line by its name; DomainError ``no-such-line``."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise DomainError("no-such-line")

    def change(self, line_id: str, **change: Any) -> None:
        """Another quantity, price or discount of a line."""
        self.untendered()
        line = self.line(line_id)
        self.lines[self.lines.index(line)] = replace(line, **change)

    def clear(self) -> None:
        """An empty basket."""
        self.lines, self.claims, self.tenders = [], [], []
        self.added_lines = 0
        self.rewards, self.gifts = {}, {}
        self.paying, self.paying_share = "", WHOLE
        self.payment, self.member = None, None
        self.discount, self.lowering = None, None
        self.exchanges, self.credit = [], 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A basket that was put aside."""

    lines: tuple[BasketLine, ...]
    added_lines: int
    claims: tuple[CouponClaim, ...]
    rewards: dict[str, int]
    gifts: dict[str, tuple[str, ...]]
    discount: HandDiscount | None
    paying: str
    paying_share: int
    lowering: Lowering | None
    member: str | None
