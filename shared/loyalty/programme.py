"""The programme document: every rule of price and loyalty of a retailer, as one value.

It is data: signed and sent as a bundle (``shared.loyalty.bundle``) and applied by
``shared.pricing`` and the other modules here. ``docs/programme.md`` shows each field.
"""

from enum import StrEnum
from typing import Literal

from shared.errors import DomainError
from shared.loyalty.accounts import GiftCards, Restriction, StoredValue, TenderRule
from shared.loyalty.conditions import Condition
from shared.loyalty.document import EVERYTHING, Document, GoodsSet, Names
from shared.loyalty.engagement import Action, Partner, PrizeDraw, Referral, VisitCard
from shared.loyalty.leasing import Leases
from shared.loyalty.offers import Coupon, Group, Offer
from shared.money import Currency, Rounding


class TaxBase(StrEnum):
    """What a rate is taken of."""

    NET = "net"
    """The net price."""
    NET_AND_EARLIER = "net-and-earlier"
    """The net price and the rates that stand before it in the class."""


class Rate(Document, frozen=True, kw_only=True, tag="rate"):
    """A percentage of the price.

    In parts per million (130,000 is 13%), because rates such as 8.875% are finer than a basis
    point. ``included`` tells whether the list price already contains it.
    """

    id: str
    names: Names
    rate_ppm: int
    included: bool = True
    base: TaxBase = TaxBase.NET


class Levy(Document, frozen=True, kw_only=True, tag="levy"):
    """A fixed amount per unit, such as a bottle deposit; weighed goods bear none.

    Never discounted, never earning, given back in full, outside the rates.
    """

    id: str
    names: Names
    amount_minor: int
    included: bool = False


class TaxClass(Document, frozen=True, kw_only=True):
    """How goods are taxed; no components means not at all."""

    id: str
    names: Names
    components: tuple[Rate | Levy, ...] = ()

    @property
    def rates(self) -> tuple[Rate, ...]:
        """Its percentages, in order."""
        return tuple(part for part in self.components if isinstance(part, Rate))

    @property
    def levies(self) -> tuple[Levy, ...]:
        """Its fixed amounts per unit."""
        return tuple(part for part in self.components if isinstance(part, Levy))


class Points(Document, frozen=True, kw_only=True):
    """The unit of points: its name and its decimals (0 to 2). All points are smallest units."""

    names: Names
    decimals: int = 0


class CashRounding(Document, frozen=True, kw_only=True):
    """How what is due in cash is rounded: to a multiple of ``step_minor``.

    抹零 is ``down`` to 10 or 100; 1 means that cash is exact.
    """

    step_minor: int = 1
    rounding: Rounding = Rounding.HALF_UP


class Basis(StrEnum):
    """What a rule gives points for."""

    AMOUNT = "amount"
    """Every ``per_minor`` of the base."""
    UNITS = "units"
    """Every ``per_units`` units that are paid for; a weighed line counts as one."""
    SALE = "sale"
    """Each sale with anything of its goods that is paid for."""
    VISIT = "visit"
    """The first such sale of a day."""


class EarningRule(Document, frozen=True, kw_only=True):
    """``points`` smallest units for every ``per_minor`` of the base, or by another ``basis``.

    Rounded once per sale; where several rules meet on a line, they add up. A fixed bonus is a rule
    of another basis that is not ``multiplied``.
    """

    id: str
    names: Names
    points: int
    per_minor: int = 0
    basis: Basis = Basis.AMOUNT
    per_units: int = 1
    multiplied: bool = True
    goods: GoodsSet = EVERYTHING
    conditions: tuple[Condition, ...] = ()
    rounding: Rounding = Rounding.DOWN


class Multiplier(Document, frozen=True, kw_only=True):
    """Times ``basis_points`` / 10,000 on the points of some goods, tiers, days or stores."""

    id: str
    names: Names
    basis_points: int
    goods: GoodsSet = EVERYTHING
    conditions: tuple[Condition, ...] = ()


class Overlap(StrEnum):
    """What happens where several multipliers meet on one line."""

    HIGHEST = "highest"
    """The highest one applies."""
    PRODUCT = "product"
    """They are multiplied."""
    SUM = "sum"
    """They are added: twice and three times are five times."""


class Earning(Document, frozen=True, kw_only=True):
    """How points and growth are earned.

    ``tax_counts`` and ``points_tender_counts`` tell whether tax, and what was paid with points,
    belong to the base. Growth is an account of its own, which moves tiers and buys nothing. Points
    can be spent from the sale on, or from the day that is ``pending_days`` after it.
    """

    rules: tuple[EarningRule, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    overlap: Overlap = Overlap.HIGHEST
    growth: tuple[EarningRule, ...] = ()
    tax_counts: bool = True
    points_tender_counts: bool = False
    pending_days: int = 0


class Treatment(StrEnum):
    """What points are for the tax."""

    PAYMENT = "payment"
    """Money in another form: the price and its tax stay."""
    PRICE_REDUCTION = "price-reduction"
    """A discount: price and tax are lower."""
    THIRD_PARTY = "third-party"
    """Money that somebody else owes the shop for them."""


class Redemption(Document, frozen=True, kw_only=True):
    """Points as payment: ``points_per_block`` are worth ``value_per_block_minor``.

    At least ``minimum_points`` at a time, for at most ``maximum_share_basis_points`` of the basket,
    never for ``excluded`` goods. With ``whole_blocks`` a block cannot be cut. A programme may have
    several, each under its ``conditions``; where nobody names one, the one that pays most is taken.
    With ``running_sale`` the points that the sale earns can pay for it: they are earned on the
    basket before that. ``treatment`` says what points are for the tax.
    """

    points_per_block: int
    value_per_block_minor: int
    minimum_points: int = 0
    maximum_share_basis_points: int = 10_000
    excluded: GoodsSet | None = None
    whole_blocks: bool = False
    id: str = "points"
    conditions: tuple[Condition, ...] = ()
    running_sale: bool = False
    treatment: Treatment = Treatment.PAYMENT


class EndOf(StrEnum):
    """To which end a lot's last day is moved forward."""

    DAY = "day"
    """Not at all."""
    MONTH = "month"
    """The last day of its month."""
    YEAR = "year"
    """31 December of its year."""


class Expiry(Document, frozen=True, kw_only=True):
    """How long earned points live: ``months`` and ``days`` on, then to an end.

    ``months`` 12 with ``end_of`` year is the end of the following year. With ``inactive_months`` or
    ``inactive_days`` all points of a member lapse who has neither bought, earned nor spent for so
    long; where nothing else is stated that is the only end they have. Members are reminded so many
    days before (``reminders_days``). Points that come back to a lot which has lapsed live for
    another ``grace_days``.
    """

    months: int = 0
    days: int = 0
    end_of: EndOf = EndOf.DAY
    inactive_months: int = 0
    inactive_days: int = 0
    reminders_days: tuple[int, ...] = (30, 7)
    grace_days: int = 30

    @property
    def is_about_lots(self) -> bool:
        """Whether each earning has an end of its own."""
        return bool(self.months or self.days) or self.end_of is not EndOf.DAY or not self.is_idle

    @property
    def is_idle(self) -> bool:
        """Whether doing nothing for long makes points lapse."""
        return bool(self.inactive_months or self.inactive_days)


class InTotal(Document, frozen=True, kw_only=True, tag="total"):
    """So much spent since joining; the tier is kept while that holds."""

    spend_minor: int


class InOneSale(Document, frozen=True, kw_only=True, tag="one-sale"):
    """So much spent in one sale; the tier is kept while that holds."""

    spend_minor: int


class InWindow(Document, frozen=True, kw_only=True, tag="window"):
    """So much spent within so many months; reviewed at the end of the tier's validity."""

    spend_minor: int
    months: int = 12


class GrowthReached(Document, frozen=True, kw_only=True, tag="growth"):
    """A growth value; the tier is kept while that holds."""

    growth: int


class VisitsReached(Document, frozen=True, kw_only=True, tag="visits"):
    """So many days with a sale, since joining or within so many months (0 = since joining)."""

    visits: int
    months: int = 0


class BalanceReached(Document, frozen=True, kw_only=True, tag="balance"):
    """So many points now: the tier follows the balance at once, up and down."""

    points: int


TierCondition = InTotal | InOneSale | InWindow | GrowthReached | VisitsReached | BalanceReached


class Tier(Document, frozen=True, kw_only=True):
    """A step of the ladder, reached by any one of its conditions; the first needs none."""

    id: str
    names: Names
    reached_by: tuple[TierCondition, ...] = ()


class Fall(StrEnum):
    """Where a member lands whose tier has lapsed."""

    ONE_STEP = "one-step"
    """On the step below, for another validity."""
    RE_RATE = "re-rate"
    """On the highest step whose conditions hold on that day."""


class Tiers(Document, frozen=True, kw_only=True):
    """The ladder, lowest first, and what happens to a tier that was reached within a window."""

    ladder: tuple[Tier, ...]
    validity_months: int = 12
    grace_days: int = 0
    fall: Fall = Fall.RE_RATE


class Floor(StrEnum):
    """How low taking points back may bring a balance."""

    DEBT = "debt"
    """Below zero; later earnings pay that first."""
    ZERO = "zero"
    """No lower than zero."""


class ReturnPolicy(StrEnum):
    """What is given back where an offer no longer holds for what the customer keeps."""

    LINE_SHARES = "line-shares"
    """Each line's own share of what was paid."""
    RE_PRICE = "re-price"
    """What was paid, less what the goods that are kept would have cost; never less than nothing."""


class Returns(Document, frozen=True, kw_only=True):
    """What may be returned, and what a return gives and takes back.

    ``days`` counts from the day after the sale, 0 meaning without end. Without a receipt at most
    ``without_receipt_minor`` is given back in one return, and ``without_receipt_per_day_minor`` at
    one till in a day (0: no such limit).
    """

    days: int = 0
    without_receipt_minor: int = 0
    without_receipt_per_day_minor: int = 0
    points_floor: Floor = Floor.DEBT
    policy: ReturnPolicy = ReturnPolicy.LINE_SHARES


class PriceList(Document, frozen=True, kw_only=True):
    """Prices of some goods, instead of the catalogue's, while its conditions hold.

    Of several lists that name an article the one with the highest ``priority`` decides, then the
    lower id. Prices are per piece or kilogram, as they stand on the shelf.
    """

    id: str
    names: Names
    prices: dict[str, int]
    conditions: tuple[Condition, ...] = ()
    priority: int = 0


class Programme(Document, frozen=True, kw_only=True):
    """Everything that price and loyalty depend on, beside the goods."""

    format: Literal[1]
    id: str
    names: Names
    currency: str
    points: Points
    tax_classes: tuple[TaxClass, ...]
    tiers: Tiers
    cash_rounding: CashRounding = CashRounding()
    earning: Earning = Earning()
    redemption: Redemption | tuple[Redemption, ...] | None = None
    price_lists: tuple[PriceList, ...] = ()
    groups: tuple[Group, ...] = ()
    offers: tuple[Offer, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    expiry: Expiry | None = None
    returns: Returns = Returns()
    stored_value: StoredValue | None = None
    gift_cards: GiftCards | None = None
    leases: Leases = Leases()
    tenders: tuple[TenderRule, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    referral: Referral | None = None
    partners: tuple[Partner, ...] = ()
    actions: tuple[Action, ...] = ()
    visit_cards: tuple[VisitCard, ...] = ()
    draws: tuple[PrizeDraw, ...] = ()

    @property
    def redemptions(self) -> tuple[Redemption, ...]:
        """The ways in which points pay."""
        if self.redemption is None:
            return ()
        one_or_more = self.redemption
        return one_or_more if isinstance(one_or_more, tuple) else (one_or_more,)

    @property
    def money(self) -> Currency:
        """The currency of all its amounts."""
        return Currency(self.currency)

    def tax_class(self, tax_class: str) -> TaxClass:
        """A tax class by id. Raises DomainError ``unknown-tax-class``."""
        for known in self.tax_classes:
            if known.id == tax_class:
                return known
        raise DomainError("unknown-tax-class", tax_class=tax_class)
