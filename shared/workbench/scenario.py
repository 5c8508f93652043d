"""The document of ``evertill quote``: a programme, goods, members, and steps at one till.

JSON or TOML; ``evertill quote --schema`` prints its JSON Schema. Amounts are minor units, points
the programme's smallest units, times those of the store's wall clock.
"""

from datetime import date, datetime
from typing import Any

import msgspec

from shared.catalogue.goods import SoldBy
from shared.documents import UNREADABLE, read_document
from shared.errors import DomainError
from shared.loyalty.programme import Programme
from shared.workbench import later_steps as later
from shared.workbench.part import Part, StepPart


class Batch(Part, frozen=True, kw_only=True):
    """Goods that were made together; none are sold after the last day, or once recalled."""

    batch: str
    last_day: date | None = None
    is_recalled: bool = False


class Article(Part, frozen=True, kw_only=True):
    """Goods; what is left out of the names is called by its SKU."""

    sku: str
    price_minor: int
    """As on the shelf, per piece or kilogram."""
    tax_class: str = ""
    """The programme's first one where left out."""
    name_zh: str = ""
    name_en: str = ""
    category: str = ""
    brand: str = ""
    supplier: str = ""
    marks: tuple[str, ...] = ()
    sold_by: SoldBy = SoldBy.UNIT
    no_discount: bool = False
    no_points: bool = False
    cost_minor: int | None = None
    batches: tuple[Batch, ...] = ()


class StartLot(Part, frozen=True, kw_only=True):
    """Points a member holds at the start."""

    points: int
    earned_on: date
    last_day: date | None = None
    """The last day on which they can be spent; none: they never lapse."""
    lot: str = ""
    """Numbered where left out."""


class PastSale(Part, frozen=True, kw_only=True):
    """A sale of before, as far as it counts for tiers and visits."""

    day: date
    spend_minor: int
    growth: int = 0


class HeldCoupon(Part, frozen=True, kw_only=True):
    """A code that was issued before; a personal one names its member."""

    code: str
    coupon: str
    member: str = ""
    from_day: date | None = None
    last_day: date | None = None
    uses_left: int = 1


class HeldCard(Part, frozen=True, kw_only=True):
    """A gift card that was sold before."""

    code: str
    left_minor: int
    last_day: date | None = None


class Person(Part, frozen=True, kw_only=True):
    """A member; the tier follows from what was spent, unless one is set by hand.

    That is ``tier_floor``, until a day, or for ever where none is named.
    """

    id: str
    lots: tuple[StartLot, ...] = ()
    past: tuple[PastSale, ...] = ()
    tier_floor: str = ""
    floor_until: date | None = None
    birthday: date | None = None
    segments: tuple[str, ...] = ()
    principal_minor: int = 0
    """Stored value that was paid in."""
    bonus_minor: int = 0
    """Stored value that was given on top."""
    stamps: dict[str, int] = msgspec.field(default_factory=dict)
    """By visit card."""
    referred_by: str = ""
    last_active: date | None = None
    """Their last day with a sale or a lot where left out."""


class Add(StepPart, frozen=True, kw_only=True, tag="add", tag_field="do"):
    """Ring up units, one where nothing is said, or grams of weighed goods.

    ``line`` names the line for later steps.
    """

    goods: str
    units: int | None = None
    grams: int = 0
    line: str = ""
    price_minor: int | None = None
    label_minor: int | None = None
    comes_in: bool = False
    """Handed in by the customer, as an empty bottle: it counts against the total."""
    batch: str = ""
    """Of goods that have batches: which one it is from; any that may be sold where left out."""


class Remove(StepPart, frozen=True, kw_only=True, tag="remove", tag_field="do"):
    """Take a line off."""

    line: str


class SetQuantity(StepPart, frozen=True, kw_only=True, tag="quantity", tag_field="do"):
    """Change the units or grams of a line; none of either takes it off."""

    line: str
    units: int = 0
    grams: int = 0


class SetPrice(StepPart, frozen=True, kw_only=True, tag="price", tag_field="do"):
    """Type a price by hand; without one the catalogue's holds again."""

    line: str
    price_minor: int | None = None


class Discount(StepPart, frozen=True, kw_only=True, tag="discount", tag_field="do"):
    """Type a discount by hand, on a line or on the whole basket; without a figure it goes again."""

    line: str = ""
    basis_points: int = 0
    amount_minor: int = 0


class SetMember(StepPart, frozen=True, kw_only=True, tag="member", tag_field="do"):
    """Price for a member, or for nobody."""

    member: str | None = None


class Claim(StepPart, frozen=True, kw_only=True, tag="claim", tag_field="do"):
    """Claim a coupon of the programme by one of its codes.

    ``coupon`` may be left out for a code that the scenario knows.
    """

    code: str
    coupon: str = ""


class Unclaim(StepPart, frozen=True, kw_only=True, tag="unclaim", tag_field="do"):
    """Give a claimed code back."""

    code: str


class Reward(StepPart, frozen=True, kw_only=True, tag="reward", tag_field="do"):
    """Want a reward for points so many times; 0 takes it back."""

    offer: str
    times: int = 1


class ChooseGift(StepPart, frozen=True, kw_only=True, tag="gift", tag_field="do"):
    """Choose among the gifts of an offer; an empty SKU where the customer wants none.

    ``mix`` says how many units of each article, where they may be mixed; the rest is not wanted.
    """

    offer: str
    goods: str = ""
    mix: dict[str, int] = msgspec.field(default_factory=dict)


class PlanTender(StepPart, frozen=True, kw_only=True, tag="paying", tag_field="do"):
    """How the customer wants to pay, for offers that ask: all with this tender, or a share.

    It has to come true when the sale is complete. Without this step, the first tender of a sale
    that pays everything is what the customer wants.
    """

    tender: str = ""
    share_basis_points: int = 10_000


class SpendPoints(StepPart, frozen=True, kw_only=True, tag="points", tag_field="do"):
    """Pay with points; all that can pay where no number is given, by the rule that pays most.

    By a rule that lowers the price it comes before all tenders.
    """

    points: int | None = None
    rule: str = ""


class Pay(StepPart, frozen=True, kw_only=True, tag="tender", tag_field="do"):
    """Pay an amount, or the rest, or what this tender may pay of it where that is less.

    ``cash``, ``card``, ``wallet``, ``voucher``, ``stored-value``, ``gift-card`` (with its
    ``code``), ``points``, or any other name that the programme's ``tenders`` have a rule for.
    """

    tender: str = "cash"
    amount_minor: int | None = None
    """What is given: with cash more than is due gives change."""
    code: str = ""


class Complete(StepPart, frozen=True, kw_only=True, tag="complete", tag_field="do"):
    """Finish the sale: points, spending and tier move, the basket is empty.

    ``sale`` names it for later steps (``sale-1`` and so on where left out). To complete a sale that
    is complete already does nothing, nor does it with an empty basket after a sale.
    """

    sale: str = ""


class Cancel(StepPart, frozen=True, kw_only=True, tag="cancel", tag_field="do"):
    """Give the basket up with everything that was taken for it."""


class MoveClock(StepPart, frozen=True, kw_only=True, tag="clock", tag_field="do"):
    """It is a later time."""

    at: datetime


class Show(StepPart, frozen=True, kw_only=True, tag="show", tag_field="do"):
    """Tell how things stand; ``expect`` is what they are to be, as that of the whole document."""

    title: str = ""
    expect: dict[str, Any] = msgspec.field(default_factory=dict)


Step = (
    Add
    | Remove
    | SetQuantity
    | SetPrice
    | Discount
    | SetMember
    | Claim
    | Unclaim
    | Reward
    | ChooseGift
    | PlanTender
    | SpendPoints
    | Pay
    | Complete
    | Cancel
    | MoveClock
    | Show
    | later.Hold
    | later.Recall
    | later.Return
    | later.ReturnWithoutReceipt
    | later.Exchange
    | later.RefundAmount
    | later.ChangeOffer
    | later.ChangePriceList
    | later.TellLiability
    | later.MoveCash
    | later.CountDrawer
    | later.CloseDay
    | later.MergeMembers
    | later.TopUp
    | later.CloseStoredValue
    | later.SellGiftCard
    | later.CloseGiftCard
    | later.BuyAtPartner
    | later.ReturnAtPartner
    | later.Act
    | later.EnterDraw
    | later.RunDraw
)


class Scenario(Part, frozen=True, kw_only=True):
    """Everything at once."""

    at: datetime
    """On the store's wall; with an offset where ``zone`` says where the store is."""
    goods: tuple[Article, ...]
    steps: tuple[Step, ...]
    programme: Programme | None = None
    template: str = ""
    """A programme that comes with the product, instead of ``programme``."""
    members: tuple[Person, ...] = ()
    coupons: tuple[HeldCoupon, ...] = ()
    gift_cards: tuple[HeldCard, ...] = ()
    float_minor: int = 0
    """Cash in the drawer at the start."""
    zone: str = ""
    """The store's IANA time zone, for times that come with an offset."""
    store: str = "store"
    till: str = "till"
    expect: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the last state is to be: any part of its JSON; a difference is told."""


def read_scenario(data: bytes, *, is_toml: bool) -> Scenario:
    """Read a document. Raises DomainError ``scenario-unreadable``, which names the place."""
    try:
        scenario = msgspec.convert(read_document(data, is_toml=is_toml), Scenario)
    except UNREADABLE as error:
        raise DomainError("scenario-unreadable", detail=str(error)) from error
    if (scenario.programme is None) == (not scenario.template):
        raise DomainError("scenario-unreadable", detail="either programme or template - at `$`")
    return scenario


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario, for editors."""
    return msgspec.json.schema(Scenario)
