"""Receipts of this till: found by number, printed again as copies, returned."""

from desktop.presenters.intent import Key
from desktop.presenters.returning import ReceiptReturn
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, FieldKind, Fields, Sheet
from desktop.store.tickets import TicketSummary, recent
from shared.trade.ticket import SaleCompleted

SHOWN_MAX = 8


class Receipts(PlainOverlay):
    """The newest first."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._selected = 0
        self._found: list[TicketSummary] = []
        self.edit("number", "")

    def sheet(self) -> Sheet:
        """Number, kind, amount."""
        rows = tuple(
            Choice(
                one.entry_id,
                one.receipt_no,
                detail=say(f"till.receipts.{_kind(one)}", day=one.business_date),
                trailing=Amount(one.total if one.kind == SaleCompleted.kind else -one.total),
                is_selected=index == self._selected,
            )
            for index, one in enumerate(self._found)
        )
        is_sale = bool(self._found) and self._found[self._selected].kind == SaleCompleted.kind
        return Sheet(
            kind="receipts",
            title=say("till.receipts.title"),
            parts=(
                Fields(
                    (Field("number", say("till.receipts.number"), FieldKind.NUMBER, is_live=True),)
                ),
                Choices("receipt", rows, empty=say("till.receipts.none")),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("return", say("till.receipts.return"), is_enabled=is_sale),
                Button("coupons", say("till.receipts.coupons"), is_enabled=is_sale),
                Button(
                    "copy",
                    say("till.receipts.copy"),
                    key="Enter",
                    is_primary=True,
                    is_enabled=bool(self._found),
                ),
            ),
        )

    def edit(self, name: str, text: str) -> None:
        """Search while typing."""
        if name == "number":
            self._selected = 0
            with self._session.till.books.reading() as connection:
                self._found = recent(connection, limit=SHOWN_MAX, text=text.strip())

    def press(self, key: Key, values: Values) -> None:
        """Enter prints a copy, up and down choose."""
        del values
        if key is Key.ENTER and self._found:
            self._copy()
        elif key in (Key.UP, Key.DOWN) and self._found:
            step = 1 if key is Key.DOWN else -1
            self._selected = (self._selected + step) % len(self._found)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or a button."""
        del values
        if name == "receipt":
            ids = [str(one.entry_id) for one in self._found]
            self._selected = ids.index(value)
        elif name == "copy" and self._found:
            self._copy()
        elif name == "coupons" and self._found:
            self._coupons()
        elif name == "return" and self._found:
            sold = self._session.till.returns.by_receipt(self._found[self._selected].receipt_no)
            self._session.pop()
            self._session.push(ReceiptReturn(self._session, sold))

    def _coupons(self) -> None:
        """Each coupon of the sale on a slip of its own."""
        session = self._session
        slips = session.till.coupon_slips(self._found[self._selected].entry_id)
        for slip in slips:
            session.till.print_page(slip, "paper.title.coupon")
        if slips:
            session.tell(say("till.receipts.coupons-printed", count=len(slips)), Tone.GOOD)
        else:
            session.tell(say("till.receipts.no-coupons"), Tone.ATTENTION)

    def _copy(self) -> None:
        chosen = self._found[self._selected]
        session = self._session
        number = session.till.copies.print_copy(
            chosen.entry_id, chosen.receipt_no, session.signed_in.operator_id
        )
        session.written()
        text = say("till.receipts.copied", receipt_no=chosen.receipt_no, number=number)
        session.tell(text, Tone.GOOD)


def _kind(one: TicketSummary) -> str:
    return "sale" if one.kind == SaleCompleted.kind else "refund"
