"""Reports of a drawer: the X of a running shift, the Z of a closed one, the close of a day."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from shared.money import Currency
from shared.receipt.document import Block, Document, Feed, Pair, Rule, Style, Table, Text
from shared.receipt.issue import Issue
from shared.receipt.parts import HEAVY, foot, head, tax_table
from shared.receipt.voice import amount, full_amount, signed
from shared.trade.fact import CashCount, TaxTotal
from shared.trade.till import DayClosed, ShiftClosed, TenderTotal


class _Turnover(Protocol):
    """What every report says first."""

    @property
    def sales(self) -> int: ...
    @property
    def returns(self) -> int: ...
    @property
    def turnover(self) -> int: ...
    @property
    def refunded(self) -> int: ...
    @property
    def rounding(self) -> int: ...
    @property
    def taxes(self) -> tuple[TaxTotal, ...]: ...


class Drawer(_Turnover, Protocol):
    """The books of a shift, running or closed; amounts in minor units."""

    @property
    def tenders(self) -> tuple[TenderTotal, ...]: ...
    @property
    def float_amount(self) -> int: ...
    @property
    def paid_in(self) -> int: ...
    @property
    def paid_out(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def expected_cash(self) -> int: ...
    @property
    def value_in(self) -> int: ...
    @property
    def value_out(self) -> int: ...
    @property
    def value_cash(self) -> int: ...


def shift_report(closed: ShiftClosed, issue: Issue) -> Document:
    """The Z: figures by tender, the way to the expected cash, the count, what is still open."""
    currency, voice = Currency(closed.currency), issue.voice
    blocks = head(
        issue, title="paper.title.shift", number=str(closed.z_number), number_key="paper.z-number"
    )
    blocks += _drawer(issue, closed, currency)
    blocks += _counted(issue, closed.counted_cash, closed.expected_cash, currency)
    if closed.difference_reason:
        blocks.append(Pair(voice.say("paper.reason"), voice.reason(closed.difference_reason)))
    blocks += _counts(issue, closed.counts, currency)
    blocks += _left_open(issue, closed)
    blocks += [HEAVY, _grand_total(issue, closed.grand_total, currency)]
    return Document((*blocks, *foot(issue, with_conditions=False)))


def x_report(drawer: Drawer, currency: Currency, issue: Issue) -> Document:
    """A shift as it stands. It closes nothing, has no number, and does not say what the drawer
    should hold: the count at the close stays blind."""
    blocks = head(issue, title="paper.title.x-report")
    blocks += _drawer(issue, drawer, currency, is_blind=True)
    told = issue.voice.tell("paper.shift.not-closed")
    return Document((*blocks, Rule(), *map(Text, told), *foot(issue, with_conditions=False)))


def day_report(closed: DayClosed, issue: Issue) -> Document:
    """The sums of a day's shifts, what was left open, and a line to sign on."""
    currency, voice = Currency(closed.currency), issue.voice
    blocks = head(issue, title="paper.title.day")
    blocks.append(Pair(voice.say("paper.day.shifts"), f"{len(closed.shifts):,}"))
    blocks += _turnover(issue, closed, currency)
    blocks += [Rule(), _row(issue, "expected", amount(closed.expected_cash, currency))]
    blocks += _counted(issue, closed.counted_cash, closed.expected_cash, currency)
    if closed.left_open:
        blocks += [Rule(), Text(voice.say("paper.day.left-open"), style=Style.STRONG)]
        blocks += [Text(voice.left_open(code), indent=2) for code in closed.left_open]
    blocks += [HEAVY, _grand_total(issue, closed.grand_total, currency)]
    blocks += [Feed(2), Text(voice.say("paper.signature") + " " + "_" * 16)]
    return Document((*blocks, *foot(issue, with_conditions=False)))


def _row(issue: Issue, key: str, figure: str, style: Style = Style.NORMAL) -> Block:
    return Pair(issue.voice.say(f"paper.shift.{key}"), figure, style)


def _grand_total(issue: Issue, total: int, currency: Currency) -> Block:
    return _row(issue, "grand-total", amount(total, currency), Style.STRONG)


def _turnover(issue: Issue, books: _Turnover, currency: Currency) -> list[Block]:
    blocks = [
        _row(issue, "sales", f"{books.sales:,}"),
        _row(issue, "returns", f"{books.returns:,}"),
        _row(issue, "turnover", amount(books.turnover, currency)),
        _row(issue, "refunded", amount(-books.refunded, currency)),
    ]
    if books.rounding:
        blocks.append(_row(issue, "rounding", signed(amount(books.rounding, currency))))
    return blocks + _taxes(issue, books.taxes, currency)


def _drawer(
    issue: Issue, drawer: Drawer, currency: Currency, *, is_blind: bool = False
) -> list[Block]:
    blocks = _turnover(issue, drawer, currency)
    for key, figure in (("value-in", drawer.value_in), ("value-out", -drawer.value_out)):
        if figure:
            blocks.append(_row(issue, key, amount(figure, currency)))
    blocks += [Rule(), *_tenders(issue, drawer.tenders, currency), Rule()]
    return blocks + _cash(issue, drawer, currency, is_blind=is_blind)


def _taxes(issue: Issue, taxes: Sequence[TaxTotal], currency: Currency) -> list[Block]:
    """What became due, by rate."""
    if not taxes:
        return []
    title = Text(issue.voice.say("paper.shift.taxes"), style=Style.STRONG)
    rule, *table = tax_table(issue, taxes, currency)
    return [rule, title, *table]


def _tenders(issue: Issue, totals: Iterable[TenderTotal], currency: Currency) -> list[Block]:
    voice = issue.voice
    rows: list[tuple[str, str, str]] = []
    for total in totals:
        label = voice.say(f"paper.tender.{total.tender}")
        rows.append((label, f"×{total.count:,}", amount(total.taken, currency)))
        if total.refunded:
            label = "  " + voice.say("paper.shift.refunded")
            rows.append((label, "", amount(-total.refunded, currency)))
    return [Table(tuple(rows))] if rows else []


def _cash(issue: Issue, drawer: Drawer, currency: Currency, *, is_blind: bool) -> list[Block]:
    """float + cash sales - cash refunds + paid in - paid out - drops = expected."""
    moved = drawer.paid_in - drawer.paid_out - drawer.dropped
    from_sales = drawer.expected_cash - drawer.float_amount - moved - drawer.value_cash
    figures = (
        ("float", drawer.float_amount),
        ("cash-sales", from_sales),
        ("value-cash", drawer.value_cash),
        ("paid-in", drawer.paid_in),
        ("paid-out", -drawer.paid_out),
        ("dropped", -drawer.dropped),
        ("expected", drawer.expected_cash),
    )
    always, reckoned = ("float", "expected"), ("cash-sales", "expected")
    return [
        _row(issue, key, amount(figure, currency))
        for key, figure in figures
        if (figure or key in always) and not (is_blind and key in reckoned)
    ]


def _counted(issue: Issue, counted: int, expected: int, currency: Currency) -> list[Block]:
    difference = counted - expected
    shown = signed(amount(difference, currency)) if difference else amount(0, currency)
    return [
        _row(issue, "counted", amount(counted, currency)),
        _row(issue, "difference", shown, Style.TALL),
    ]


def _counts(issue: Issue, counts: Iterable[CashCount], currency: Currency) -> list[Block]:
    rows = [count for count in counts if count.pieces]
    if not rows:
        return []
    return [
        Rule(),
        Text(issue.voice.say("paper.shift.denominations"), style=Style.STRONG),
        Table(
            tuple(
                (
                    full_amount(count.denomination, currency),
                    f"×{count.pieces:,}",
                    amount(count.denomination * count.pieces, currency),
                )
                for count in sorted(rows, key=lambda count: -count.denomination)
            )
        ),
    ]


def _left_open(issue: Issue, closed: ShiftClosed) -> list[Block]:
    """What a close leaves behind is printed, never hidden."""
    figures = (
        ("held-open", closed.held_open),
        ("payments-open", closed.payments_open),
        ("unsent", closed.unsent),
    )
    rows = [_row(issue, key, f"{count:,}") for key, count in figures if count]
    return [Rule(), *rows] if rows else []
