"""The figures of the running shift, and of a closed one, as rows."""

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Tone, say
from desktop.presenters.view import Button, Figure, Figures, Sheet
from desktop.services.paper import issue_now
from desktop.services.shifts import ShiftFigures
from shared.loyalty.prepaid_tax import tax_in
from shared.receipt.shift import x_report
from shared.receipt.voice import PaperLanguage
from shared.trade.till import ShiftClosed


class ShiftFiguresSheet(PlainOverlay):
    """An X: looked at, printed where wanted, changing nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._figures = session.counter.shifts.figures()

    def sheet(self) -> Sheet:
        """Everything but what the drawer should hold: the count stays blind."""
        return Sheet(
            kind="figures",
            title=say("till.figures.title"),
            parts=(Figures(shift_rows(self._figures)),),
            buttons=(
                Button("back", say("till.key.back"), key="Esc", is_primary=True),
                Button("print", say("till.figures.print"), key="Enter"),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter prints."""
        if key is Key.ENTER:
            self.act("print", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value, values
        if name != "print":
            return
        session, till = self._session, self._session.till
        issue = issue_now(
            till.books,
            till.receipt_form.shop(),
            operator_label=session.signed_in.name,
            language=PaperLanguage(till.books.paper_language),
            day=session.shift.business_date.isoformat(),
        )
        report = x_report(self._figures, session.pricing.programme.money, issue)
        till.print_page(report, "paper.title.x-report")
        session.tell(say("till.figures.printed"), Tone.GOOD)


def shift_rows(figures: ShiftFigures | ShiftClosed) -> tuple[Figure, ...]:
    """Sales, returns, tenders, cash movements."""
    tenders = [
        Figure(say(f"paper.tender.{one.tender}"), Amount(one.taken - one.refunded))
        for one in figures.tenders
    ]
    tax = [Figure(say("till.figures.tax"), Amount(tax_in(figures.taxes)))] if figures.taxes else []
    return (
        Figure(say("till.figures.sales"), str(figures.sales)),
        Figure(say("till.figures.turnover"), Amount(figures.turnover), is_strong=True),
        Figure(say("till.figures.returns"), str(figures.returns)),
        Figure(say("till.figures.refunded"), Amount(figures.refunded)),
        Figure(say("till.figures.rounding"), Amount(figures.rounding)),
        *tax,
        *tenders,
        Figure(say("till.figures.float"), Amount(figures.float_amount)),
        Figure(say("till.figures.paid-in"), Amount(figures.paid_in)),
        Figure(say("till.figures.paid-out"), Amount(figures.paid_out)),
        Figure(say("till.figures.dropped"), Amount(figures.dropped)),
    )
