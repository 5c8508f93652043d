"""Taking goods back: by receipt, line by line; or without one, with an approval."""

from datetime import datetime, time

from desktop.presenters.amount_refund import AmountRefund
from desktop.presenters.approval import ask
from desktop.presenters.elsewhere import ask_receipt, receipt_message
from desktop.presenters.intent import Act, Key, MembersTold, ReceiptTold
from desktop.presenters.refund_told import tell_refund
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import (
    Amount,
    Message,
    Moment,
    Text,
    Tone,
    fact_name,
    goods_name,
    say,
)
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
from desktop.presenters.weight import format_kilograms, parse_grams
from desktop.services.exchanging import Exchange, in_cash
from desktop.services.returns import ReturnedBy
from shared.catalogue.codes import ReceiptCode, classify
from shared.errors import DomainError
from shared.ids import EntryId
from shared.returning.lines import Wanted
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Approval, Measure
from shared.trade.ticket import SaleLine

REASONS = ("changed-mind", "faulty", "wrong-goods", "other")
WEIGHT = "weight-"
"""Fields of weighed lines are called this and the line's number."""


def _reason_field() -> Field:
    options: tuple[tuple[str, Text], ...] = tuple(
        (reason, say(f"reason.{reason}")) for reason in REASONS
    )
    return Field("reason", say("till.return.reason"), FieldKind.CHOICE, REASONS[0], options=options)


class ReturnStart(PlainOverlay):
    """Which receipt: scanned or typed; or none, for what is in the basket."""

    def __init__(self, session: Session, *, asked: str = "") -> None:
        self._session = session
        self._asked = asked
        self._told: Message | None = None

    def sheet(self) -> Sheet:
        """The receipt number, what became of asking for it, and the way without one."""
        lines = len(self._session.counter.checkout.basket.state.lines)
        note = "till.return.basket" if lines else "till.return.scan-goods"
        return Sheet(
            kind="return-start",
            title=say("till.return.title"),
            parts=(
                self._note(),
                Choices("found", self._found()),
                Fields((Field("receipt", say("till.return.receipt"), FieldKind.NUMBER),)),
                Note(say(note, count=lines)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("without", say("till.return.no-receipt"), is_enabled=bool(lines)),
                Button("find", say("till.return.find"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter looks the receipt up; without a number it opens the one that was found."""
        if key is Key.ENTER:
            self._find(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value
        if name == "find":
            self._find(values)
        elif name == "found" and (found := self._session.found_receipt):
            self._open(found)
        elif name == "without":
            self._session.pop()
            self._session.push(UnreceiptedReturn(self._session))

    def _note(self) -> Note:
        if self._told is not None:
            return Note(self._told.text, self._told.tone)
        if self._asked:
            return Note(say("till.elsewhere.asking-receipt", receipt_no=self._asked))
        return Note(say("till.return.note"))

    def _found(self) -> tuple[Choice, ...]:
        found = self._session.found_receipt
        if found is None:
            return ()
        title = say("till.return.of", receipt_no=found.sale.receipt_no)
        return (Choice(found.entry_id, title, trailing=Amount(found.sale.total)),)

    def _find(self, values: Values) -> None:
        number = values.get("receipt", "").replace(" ", "")
        if not number and self._session.found_receipt is not None:
            self._open(self._session.found_receipt)
            return
        # Behind a dash: the mark of the hash, where two receipts have one number.
        plain, dash, mark = number.partition("-")
        code = classify(plain)
        receipt_no = code.code + dash + mark if isinstance(code, ReceiptCode) else number
        try:
            sold = self._session.till.returns.by_receipt(receipt_no)
        except DomainError as error:
            if error.code != "unknown-receipt" or not isinstance(code, ReceiptCode):
                raise
            self._asked, self._told = receipt_no, None
            ask_receipt(self._session, receipt_no)
        else:
            self._open(sold)

    def answered(self, news: ReceiptTold | MembersTold) -> bool:
        """The receipt of another till opens here; or the sheet says what to do instead."""
        if not isinstance(news, ReceiptTold) or news.receipt_no != self._asked:
            return False
        self._asked = ""
        if news.sold is None:
            self._told = receipt_message(news)
        else:
            self._open(news.sold)
        return True

    def _open(self, sold: ReturnableSale) -> None:
        session = self._session
        session.remove(self)
        session.found_receipt = None
        session.push(ReceiptReturn(session, sold))


class ReceiptReturn(PlainOverlay):
    """The lines of a sale, and how much of each comes back; weighed goods in kilograms."""

    def __init__(self, session: Session, sold: ReturnableSale) -> None:
        self._session = session
        self._sold = sold
        self._wanted: dict[int, int] = {}
        self._weights: dict[int, str] = {}
        """Kilograms as typed, by line."""
        self._filled = 0
        """How often all was asked for: the fields are then made anew, with the weights in them."""

    @property
    def entry_id(self) -> EntryId:
        """The sale that something comes back of."""
        return self._sold.entry_id

    def sheet(self) -> Sheet:
        """Lines with what is left of them."""
        sold = self._sold
        rows = tuple(self._row(line) for line in self._lines(weighed=False))
        weights = tuple(self._weight(line) for line in self._lines(weighed=True))
        zone = self._session.till.books.identity.zone
        on = Moment(datetime.combine(sold.sold_on, time(), zone), is_date=True)
        checkout = self._session.counter.checkout
        is_picked = any(self._wanted.values()) or any(self._weights.values())
        return Sheet(
            kind=f"return-{sold.entry_id}-{self._filled}",
            title=say("till.return.of", receipt_no=sold.sale.receipt_no),
            parts=(
                Note(say("till.return.sold-on", on=on, total=Amount(sold.sale.total))),
                Steps("units", rows),
                Fields(weights),
                Fields((_reason_field(),)),
                Choices("amount", (Choice("amount", say("till.refund-amount.button")),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("all", say("till.return.all")),
                Button(
                    "exchange",
                    say("till.return.exchange"),
                    is_enabled=is_picked and bool(checkout.basket.state.lines),
                ),
                Button(
                    "go",
                    say("till.return.go"),
                    key="F12",
                    is_primary=True,
                    is_enabled=is_picked,
                ),
            ),
            is_wide=True,
        )

    def _lines(self, *, weighed: bool) -> list[SaleLine]:
        bought = (line for line in self._sold.sale.lines if not line.comes_in)
        return [line for line in bought if (line.measure is Measure.GRAM) == weighed]

    def _row(self, line: SaleLine) -> StepRow:
        left = self._sold.left(line)
        detail = say("till.return.line", left=left, amount=Amount(line.amount))
        count = self._wanted.get(line.line, 0)
        return StepRow(str(line.line), fact_name(line.names), detail, count, left)

    def _weight(self, line: SaleLine) -> Field:
        label = say(
            "till.return.weight",
            name=fact_name(line.names),
            left=format_kilograms(self._sold.left(line)),
            amount=Amount(line.amount),
        )
        value = self._weights.get(line.line, "")
        name = f"{WEIGHT}{line.line}"
        return Field(name, label, FieldKind.NUMBER, value, is_live=True)

    def edit(self, name: str, text: str) -> None:
        """A weight is typed."""
        if name.startswith(WEIGHT):
            self._weights[int(name.removeprefix(WEIGHT))] = text.strip()

    def press(self, key: Key, values: Values) -> None:
        """F12 or Enter takes back what was picked."""
        if key in (Key.F12, Key.ENTER):
            self._go(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """More or less of a line, all, or go."""
        if name == "units":
            number, _, step = value.partition(":")
            line = self._sold.line(int(number))
            count = self._wanted.get(line.line, 0) + int(step)
            self._wanted[line.line] = max(0, min(self._sold.left(line), count))
        elif name == "all":
            self._take_all()
        elif name == "go":
            self._go(values)
        elif name == "exchange":
            self._exchange(values)
        elif name == "amount":
            self._session.pop()
            self._session.push(AmountRefund(self._session, self._sold, _reason_field()))

    def _take_all(self) -> None:
        for line in self._lines(weighed=False):
            self._wanted[line.line] = self._sold.left(line)
        for line in self._lines(weighed=True):
            left = self._sold.left(line)
            self._weights[line.line] = format_kilograms(left) if left else ""
            self._filled += 1

    def _picked(self, values: Values) -> list[Wanted]:
        for name, text in values.items():
            self.edit(name, text)
        return [
            Wanted(line.line, quantity)
            for line in self._sold.sale.lines
            if (quantity := self._quantity(line))
        ]

    def _exchange(self, values: Values) -> None:
        """What comes back pays for the basket; both are written when it is paid."""
        session, wanted = self._session, self._picked(values)
        session.check_quiet()
        refunds = session.till.returns.would_give(session.pricing, self._sold, wanted)
        exchange = Exchange(
            sold=self._sold,
            wanted=wanted,
            reason=values.get("reason") or REASONS[0],
            cash=in_cash(refunds),
        )
        session.counter.checkout.exchange(exchange)
        session.pop()
        session.post(Act("exchanged", str(exchange.cash)))

    def _go(self, values: Values) -> None:
        wanted = self._picked(values)
        session = self._session
        by = ReturnedBy(
            shift=session.shift,
            operator_id=session.signed_in.operator_id,
            reason=values.get("reason") or REASONS[0],
        )
        back = session.till.returns.take_back(session.pricing, self._sold, wanted, by)
        session.pop()
        tell_refund(session, "till.return.done", back.fact)

    def _quantity(self, line: SaleLine) -> int:
        if line.measure is not Measure.GRAM:
            return self._wanted.get(line.line, 0)
        text = self._weights.get(line.line, "")
        return parse_grams(text) if text else 0


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
        self._session.check_quiet()
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
        session.check_quiet()
        by = ReturnedBy(
            shift=session.shift,
            operator_id=session.signed_in.operator_id,
            reason=reason,
            approvals=(approval,),
        )
        lines = session.counter.checkout.basket.state.lines
        hold_id = session.counter.checkout.basket.state.hold_id
        back = session.till.returns.take_back_without_receipt(
            session.pricing, lines, by, hold_id=hold_id
        )
        session.counter.checkout.clear()
        session.pop()
        tell_refund(session, "till.return.done", back.fact)
