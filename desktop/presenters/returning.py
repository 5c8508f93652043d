"""Taking goods back: by receipt, line by line; or without one, with an approval."""

from datetime import datetime, time

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Moment, Text, Tone, fact_name, goods_name, say
from desktop.presenters.view import (
    Button,
    Choice,
    Choices,
    Field,
    FieldKind,
    Fields,
    Note,
    Sheet,
    StepRow,
    Steps,
)
from desktop.services.goods_back import ReturnableSale, Wanted
from desktop.services.returns import ReturnedBy
from shared.catalogue.codes import ReceiptCode, classify
from shared.errors import DomainError
from shared.trade.fact import Approval, Measure
from shared.trade.ticket import SaleLine

REASONS = ("changed-mind", "faulty", "wrong-goods", "other")


def _reason_field() -> Field:
    options: tuple[tuple[str, Text], ...] = tuple(
        (reason, say(f"till.return.reason.{reason}")) for reason in REASONS
    )
    return Field("reason", say("till.return.reason"), FieldKind.CHOICE, REASONS[0], options=options)


class ReturnStart(PlainOverlay):
    """Which receipt: scanned or typed; or none, for what is in the basket."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """The receipt number, and the way without one."""
        lines = len(self._session.counter.checkout.basket.state.lines)
        note = "till.return.basket" if lines else "till.return.scan-goods"
        return Sheet(
            kind="return-start",
            title=say("till.return.title"),
            parts=(
                Note(say("till.return.note")),
                Fields((Field("receipt", say("till.return.receipt"), FieldKind.NUMBER),)),
                Note(say(note, lines=lines)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("without", say("till.return.no-receipt"), is_enabled=bool(lines)),
                Button("find", say("till.return.find"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter looks the receipt up."""
        if key is Key.ENTER:
            self._find(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value
        if name == "find":
            self._find(values)
        elif name == "without":
            self._session.pop()
            self._session.push(UnreceiptedReturn(self._session))

    def _find(self, values: Values) -> None:
        number = values.get("receipt", "").replace(" ", "")
        code = classify(number)
        receipt_no = code.code if isinstance(code, ReceiptCode) else number
        sold = self._session.till.returns.by_receipt(receipt_no)
        self._session.pop()
        self._session.push(ReceiptReturn(self._session, sold))


class ReceiptReturn(PlainOverlay):
    """The lines of a sale, and how much of each comes back."""

    def __init__(self, session: Session, sold: ReturnableSale) -> None:
        self._session = session
        self._sold = sold
        self._wanted: dict[int, int] = {}

    def sheet(self) -> Sheet:
        """Lines with what is left of them."""
        sold = self._sold
        rows = tuple(self._row(line) for line in sold.sale.lines)
        zone = self._session.till.books.identity.zone
        on = Moment(datetime.combine(sold.sold_on, time(), zone), is_date=True)
        return Sheet(
            kind=f"return-{sold.entry_id}",
            title=say("till.return.of", receipt_no=sold.sale.receipt_no),
            parts=(
                Note(say("till.return.sold-on", on=on, total=Amount(sold.sale.total))),
                Steps("units", rows),
                Fields((_reason_field(),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("all", say("till.return.all")),
                Button(
                    "go",
                    say("till.return.go"),
                    key="F12",
                    is_primary=True,
                    is_enabled=any(self._wanted.values()),
                ),
            ),
            is_wide=True,
        )

    def _row(self, line: SaleLine) -> StepRow:
        left = self._sold.left(line)
        weighed = line.measure is Measure.GRAM
        detail = say(
            "till.return.line",
            left=1 if weighed and left else left,
            amount=Amount(line.amount),
        )
        most = min(left, 1) if weighed else left
        return StepRow(
            str(line.line), fact_name(line.names), detail, self._wanted.get(line.line, 0), most
        )

    def press(self, key: Key, values: Values) -> None:
        """F12 or Enter takes back what was picked."""
        if key in (Key.F12, Key.ENTER):
            self._go(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """More or less of a line, all, or go."""
        if name == "units":
            number, _, step = value.partition(":")
            line = self._sold.line(int(number))
            most = self._row(line).most
            count = self._wanted.get(line.line, 0) + int(step)
            self._wanted[line.line] = max(0, min(most, count))
        elif name == "all":
            for line in self._sold.sale.lines:
                self._wanted[line.line] = self._row(line).most
        elif name == "go":
            self._go(values)

    def _go(self, values: Values) -> None:
        wanted = [
            Wanted(line.line, self._quantity(line))
            for line in self._sold.sale.lines
            if self._wanted.get(line.line)
        ]
        session = self._session
        by = ReturnedBy(
            shift=session.shift,
            operator_id=session.signed_in.operator_id,
            reason=values.get("reason") or REASONS[0],
        )
        back = session.till.returns.take_back(session.pricing, self._sold, wanted, by)
        session.pop()
        _tell_refund(session, back.fact.total + back.fact.rounding)

    def _quantity(self, line: SaleLine) -> int:
        weighed = line.measure is Measure.GRAM
        return self._sold.left(line) if weighed else self._wanted[line.line]


class UnreceiptedReturn(PlainOverlay):
    """What is in the basket comes back without a receipt, for cash, with an approval."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """What comes back, and why."""
        lines = self._session.counter.checkout.basket.state.lines
        rows = tuple(
            Choice(line.id, goods_name(line.goods), trailing=Amount(line.shelf_minor))
            for line in lines
        )
        return Sheet(
            kind="return-without",
            title=say("till.return.without"),
            parts=(
                Note(say("till.return.without-note"), Tone.ATTENTION),
                Choices("none", rows, empty=say("till.return.scan-goods")),
                Fields((_reason_field(),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("go", say("till.return.go"), key="F12", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """F12 or Enter asks for the approval."""
        if key in (Key.F12, Key.ENTER):
            self._ask(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "go":
            self._ask(values)

    def _ask(self, values: Values) -> None:
        checkout = self._session.counter.checkout
        lines = checkout.basket.state.lines
        if not lines:
            raise DomainError("nothing-to-return")
        if checkout.is_tendering:
            raise DomainError("tenders-first")
        reason = values.get("reason") or REASONS[0]
        ask(
            self._session,
            action="return-without-receipt",
            what=say("till.return.without"),
            amount=sum(line.shelf_minor for line in lines),
            then=lambda approval: self._take(reason, approval),
        )

    def _take(self, reason: str, approval: Approval) -> None:
        session = self._session
        by = ReturnedBy(
            shift=session.shift,
            operator_id=session.signed_in.operator_id,
            reason=reason,
            approvals=(approval,),
        )
        lines = session.counter.checkout.basket.state.lines
        back = session.till.returns.take_back_without_receipt(session.pricing, lines, by)
        session.counter.checkout.clear()
        session.pop()
        _tell_refund(session, back.fact.total + back.fact.rounding)


def _tell_refund(session: Session, amount: int) -> None:
    session.open_drawer()
    session.written()
    session.tell(say("till.return.done", amount=Amount(amount)), Tone.GOOD)
