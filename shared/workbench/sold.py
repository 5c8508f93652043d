"""A completed sale as the workbench keeps it, and what came back of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shared.loyalty.programme import Programme
from shared.loyalty.wallet import Wallet
from shared.pricing.basket import Basket
from shared.pricing.cash import CashSettled
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.sale_lines import goods_total, reward_points
from shared.returning.kept import given_on_top
from shared.trade.fact import CardStamped, CardTakenBack, LotDraw, ReferralPaid
from shared.trade.ticket import SaleLine


@dataclass(slots=True)
class TookIn:
    """Money that one tender took, and what was given back to it."""

    tender: str
    amount: int
    code: str = ""
    refunded: int = 0
    parts: Wallet = field(default_factory=Wallet)
    """Of stored value: what each account paid."""
    parts_back: Wallet = field(default_factory=Wallet)


@dataclass(slots=True, kw_only=True)
class Sold:
    """Everything that a return needs to know of a sale."""

    sale: str
    at: datetime
    programme: Programme
    basket: Basket
    quote: Quote
    earning: EarningQuote
    lines: tuple[SaleLine, ...]
    member: str | None
    took: list[TookIn]
    draws: tuple[LotDraw, ...]
    """Lots that paid, and those that rewards took."""
    reward_draws: int
    """What rewards took of them."""
    paid_with_points: int
    """Money that points paid."""
    points_tender: str
    """Whether somebody else owes the shop for them."""
    cash: CashSettled
    """What cash settled, and what of that went back."""
    used: tuple[str, ...]
    """Codes that were spent."""
    issued: tuple[str, ...]
    """Codes that were given."""
    uses: Counter[str]
    """How often it used each offer that still gives something."""
    cards: tuple[CardStamped, ...] = ()
    """Visit cards that it stamped."""
    cards_back: list[CardTakenBack] = field(default_factory=list)
    referral: ReferralPaid | None = None
    """What it paid both sides, as long as enough of it is kept."""
    voided: tuple[str, ...] = ()
    """Codes that were given and are void."""
    returned: Counter[str] = field(default_factory=Counter)
    """Units or grams by line."""
    refunded_minor: int = 0
    """All that was given back, in money and as points, with and without goods."""
    refunded_without_goods_minor: int = 0
    taxes_given: Counter[str] = field(default_factory=Counter)
    """By tax class."""
    points_taken: int = 0
    points_forgiven: int = 0
    """Those of them that were not there to be taken, where the programme stops at zero."""
    growth_taken: int = 0
    spend_taken: int = 0
    points_given: int = 0
    rewards_given: int = 0
    """Those of them that rewards on lines had cost."""
    gift_points_given: int = 0
    """Those that rewards of goods had cost."""
    points_given_minor: int = 0
    gifts_back: Counter[str] = field(default_factory=Counter)
    """Units that were given on top and came back, by article."""
    gifts_charged_minor: int = 0
    gifts_paid: Counter[str] = field(default_factory=Counter)
    """Units that stay and are charged in full, by article."""
    gift_taxes: Counter[str] = field(default_factory=Counter)
    """The tax in that, by tax class."""

    @property
    def total_minor(self) -> int:
        """What the goods cost, before anything was set off that the customer handed in."""
        return goods_total(self.basket, self.quote)

    @property
    def points_earned(self) -> int:
        """By the earning rules, by full cards, and as a friend."""
        on_top = sum(card.points_total for card in self.cards)
        return self.earning.points_total + on_top + self.points_as_friend

    @property
    def points_as_friend(self) -> int:
        """What a referral gave who bought."""
        return self.referral.for_friend if self.referral else 0

    @property
    def taxes(self) -> Counter[str]:
        """The tax in it, by tax class."""
        found: Counter[str] = Counter()
        for line in self.lines:
            if not line.comes_in:
                found[line.tax_class] += sum(tax.tax for tax in line.taxes)
        return found

    @property
    def payment_given(self) -> int:
        """Points given back that had paid."""
        return self.points_given - self.rewards_given - self.gift_points_given

    @property
    def gift_costs(self) -> Counter[str]:
        """Points that rewards of goods cost, by article."""
        points: Counter[str] = Counter()
        for one in self.quote.added:
            points[one.goods] += one.points if one.goods else 0
        return points

    @property
    def line_rewards(self) -> list[int]:
        """What rewards cost in points, by line."""
        return reward_points(self.quote)

    @property
    def gifts(self) -> Counter[str]:
        """Units that were given on top, by article."""
        return given_on_top(self.quote)

    def left_of(self, line: SaleLine) -> int:
        """How much of a line the customer keeps."""
        if self.basket.lines[line.line - 1].comes_in:
            return 0
        return line.quantity - self.returned[self.name_of(line)]

    def name_of(self, line: SaleLine) -> str:
        """The line's name in the basket."""
        return self.basket.lines[line.line - 1].id

    @property
    def offers_kept(self) -> set[str]:
        """Offers of which the customer still has something: off a line, on top, or a coupon."""
        kept = {
            share.offer
            for line, quoted in zip(self.lines, self.quote.lines, strict=True)
            if self.left_of(line)
            for share in quoted.discounts
        }
        gifts = self.gifts - self.gifts_back - self.gifts_paid
        kept |= {one.offer for one in self.quote.added if gifts[one.goods]}
        if set(self.issued) - set(self.voided):
            kept |= {one.offer for one in self.quote.issued}
        return kept

    @property
    def is_all_back(self) -> bool:
        """Whether nothing is kept."""
        return all(not self.left_of(line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes back of a sale at once: units or grams by line, units of gifts by article."""

    sold: Sold
    lines: Counter[str]
    gifts: Counter[str]
