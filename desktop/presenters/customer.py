"""What the customer sees: the last line and the total, what is due, the change. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from desktop.presenters.text import Amount, Join, Text, say
from desktop.presenters.view import LineRow, SaleView, TillView
from shared.language import Language


class CustomerKind(StrEnum):
    """What a customer is shown."""

    IDLE = "idle"
    """Nobody is served: a greeting."""
    LINE = "line"
    """The newest goods and the total so far."""
    DUE = "due"
    """Total, and what is left to pay."""
    CHANGE = "change"
    """The sale is paid: total and change."""


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """A text with what stands at its right edge."""

    text: Text
    figure: Text = ""


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """Goods in the list of a large screen."""

    name: Text
    quantity: int
    is_weighed: bool
    amount: int


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Two lines for a display, the goods for a screen. No member, no name, no balance: strangers
    read it too."""

    kind: CustomerKind
    upper: CustomerLine
    lower: CustomerLine
    rows: tuple[CustomerRow, ...] = ()
    saved: int = 0
    language: Language = Language.CHINESE
    currency: str = "CNY"


def customer_view(view: TillView) -> CustomerView:
    """What follows from what the cashier sees."""
    sale = view.body
    if not isinstance(sale, SaleView):
        return _idle(view)
    if sale.tender is not None:
        due = sale.tender.due
        key = "till.customer.change" if due < 0 else "till.customer.due"
        lower = CustomerLine(say(key), Amount(abs(due)))
        return _sale(view, sale, CustomerKind.DUE, _total(sale.total), lower)
    if sale.lines:
        newest = next((row for row in sale.lines if row.is_selected), sale.lines[-1])
        return _sale(view, sale, CustomerKind.LINE, _goods(newest), _total(sale.total))
    if sale.change is not None:
        lower = CustomerLine(say("till.customer.change"), Amount(sale.change.change))
        return _sale(view, sale, CustomerKind.CHANGE, _total(sale.change.total), lower)
    return _idle(view)


def _sale(
    view: TillView, sale: SaleView, kind: CustomerKind, upper: CustomerLine, lower: CustomerLine
) -> CustomerView:
    rows = tuple(
        CustomerRow(row.name, row.quantity, row.is_weighed, _paid(row)) for row in sale.lines
    )
    return CustomerView(kind, upper, lower, rows, sale.saved, view.language, view.currency)


def _idle(view: TillView) -> CustomerView:
    store = view.top.store if view.top is not None else ""
    return CustomerView(
        CustomerKind.IDLE,
        CustomerLine(store),
        CustomerLine(say("till.customer.welcome")),
        language=view.language,
        currency=view.currency,
    )


def _paid(row: LineRow) -> int:
    return row.amount - sum(one.minor for one in row.discounts)


def _goods(row: LineRow) -> CustomerLine:
    counted = not row.is_weighed and row.quantity != 1
    name: Text = Join((f"{row.quantity}×", row.name), "") if counted else row.name
    return CustomerLine(name, Amount(_paid(row)))


def _total(minor: int) -> CustomerLine:
    return CustomerLine(say("till.customer.total"), Amount(minor))
