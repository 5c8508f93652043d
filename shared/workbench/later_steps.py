"""Steps beside ringing up: baskets put aside, returns, the programme, the drawer, benefits."""

from datetime import date
from typing import Literal

import msgspec

from shared.loyalty.offers import Offer
from shared.workbench.part import Part, StepPart


class Hold(StepPart, frozen=True, kw_only=True, tag="hold", tag_field="do"):
    """Put the basket aside under a name."""

    name: str = "held"


class Recall(StepPart, frozen=True, kw_only=True, tag="recall", tag_field="do"):
    """Take a held basket up again, at today's prices."""

    name: str = "held"


class Units(Part, frozen=True, kw_only=True):
    """So many units, or grams, of a line of a sale; all that is left where neither is given."""

    line: str
    units: int | None = None
    grams: int | None = None


class Return(StepPart, frozen=True, kw_only=True, tag="return", tag_field="do"):
    """Goods of a sale come back; all that is left where no lines are named.

    ``gifts`` are units that were given on top, by article. Of those that what is kept does not give
    any more, what stays with the customer is charged at list price; all are back where no lines are
    named. Without a name it is the last sale.
    """

    sale: str = ""
    lines: tuple[Units, ...] = ()
    gifts: dict[str, int] = msgspec.field(default_factory=dict)


class Handed(Part, frozen=True, kw_only=True):
    """So many units of an article, one where nothing is said, or grams."""

    goods: str
    units: int | None = None
    grams: int = 0


class ReturnWithoutReceipt(
    StepPart, frozen=True, kw_only=True, tag="return-without-receipt", tag_field="do"
):
    """Goods come back of which nobody knows the sale: for cash, within the programme's limit.

    A manager has to approve of it.
    """

    goods: tuple[Handed, ...]
    is_approved: bool = False


class Exchange(StepPart, frozen=True, kw_only=True, tag="exchange", tag_field="do"):
    """Goods of a sale come back on the ticket of the running basket: one difference is paid."""

    sale: str = ""
    lines: tuple[Units, ...] = ()
    gifts: dict[str, int] = msgspec.field(default_factory=dict)


class RefundAmount(StepPart, frozen=True, kw_only=True, tag="refund-amount", tag_field="do"):
    """Give back money of a sale without goods; points are taken back on the amount."""

    amount_minor: int
    sale: str = ""


class ChangeOffer(StepPart, frozen=True, kw_only=True, tag="change-offer", tag_field="do"):
    """Switch an offer off, or put another in its place; earlier sales keep theirs."""

    offer: str
    replacement: Offer | None = None


class ChangePriceList(StepPart, frozen=True, kw_only=True, tag="change-price-list", tag_field="do"):
    """Put other prices on a price list; without prices it goes."""

    price_list: str
    prices: dict[str, int] = msgspec.field(default_factory=dict)


class TellLiability(StepPart, frozen=True, kw_only=True, tag="liability", tag_field="do"):
    """What the shop owes for points at the end of a day, and what has lapsed unused by then."""

    on: date | None = None
    """Today where left out."""


class MoveCash(StepPart, frozen=True, kw_only=True, tag="move-cash", tag_field="do"):
    """Cash into the drawer, or out of it, that no sale has moved."""

    kind: Literal["paid-in", "paid-out", "drop"]
    amount_minor: int


class CountDrawer(StepPart, frozen=True, kw_only=True, tag="count-drawer", tag_field="do"):
    """Count the cash; the result tells what was expected and the difference."""

    amount_minor: int


class CloseDay(StepPart, frozen=True, kw_only=True, tag="close-day", tag_field="do"):
    """Close the day: its totals are told, and the next day begins with none."""


class MergeMembers(StepPart, frozen=True, kw_only=True, tag="merge-members", tag_field="do"):
    """Everything of one member goes to another; ``member`` is no more."""

    member: str
    into: str


class TopUp(StepPart, frozen=True, kw_only=True, tag="top-up", tag_field="do"):
    """Pay stored value in for a member."""

    member: str
    amount_minor: int
    tender: Literal["cash", "card", "wallet"] = "cash"


class CloseStoredValue(
    StepPart, frozen=True, kw_only=True, tag="close-stored-value", tag_field="do"
):
    """Pay a member's principal out in cash; the bonus is forfeited."""

    member: str


class SellGiftCard(StepPart, frozen=True, kw_only=True, tag="sell-gift-card", tag_field="do"):
    """Sell a gift card."""

    code: str
    amount_minor: int
    tender: Literal["cash", "card", "wallet"] = "cash"


class CloseGiftCard(StepPart, frozen=True, kw_only=True, tag="close-card", tag_field="do"):
    """Pay out in cash what is left on a gift card."""

    code: str


class BuyAtPartner(StepPart, frozen=True, kw_only=True, tag="partner", tag_field="do"):
    """A member buys at a partner and earns at its rate; ``points`` pay there what they can."""

    partner: str
    member: str
    spend_minor: int
    points: int = 0
    reference: str = ""
    """Its name there, for a return."""


class ReturnAtPartner(StepPart, frozen=True, kw_only=True, tag="partner-return", tag_field="do"):
    """A part of a sale at a partner is given back; without an amount all that is left of it."""

    partner: str
    reference: str
    amount_minor: int | None = None


class Act(StepPart, frozen=True, kw_only=True, tag="action", tag_field="do"):
    """A member did something that the programme gives points for."""

    action: str
    member: str


class EnterDraw(StepPart, frozen=True, kw_only=True, tag="enter-draw", tag_field="do"):
    """A member buys entries of a prize draw with points."""

    draw: str
    member: str
    entries: int = 1


class RunDraw(StepPart, frozen=True, kw_only=True, tag="run-draw", tag_field="do"):
    """Reveal the seed and draw."""

    draw: str
    seed: str
