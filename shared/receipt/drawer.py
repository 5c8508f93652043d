"""Papers of the till itself: held sale, enrolment, cash movement, shift report."""

from collections.abc import Iterable, Sequence

from shared.money import Currency
from shared.receipt.document import (
    Align,
    Block,
    Document,
    Feed,
    Item,
    Pair,
    Rule,
    Style,
    Table,
    Text,
)
from shared.receipt.issue import Issue
from shared.receipt.parts import HEAVY, foot, head, tax_table
from shared.receipt.points import tier_name
from shared.receipt.voice import amount, full_amount, quantity, signed
from shared.trade.fact import CashCount, TaxTotal
from shared.trade.till import (
    BasketHeld,
    CashDirection,
    CashMoved,
    MemberEnrolled,
    ShiftClosed,
    TenderTotal,
)


def held_slip(held: BasketHeld, issue: Issue) -> Document:
    """A slip to find a held basket by; it is no receipt and says so."""
    currency, voice = Currency(held.currency), issue.voice
    blocks = head(issue, title="paper.title.held")
    for line in held.lines:
        names = issue.names.goods.get(line.goods_id, {})
        count = quantity(line.quantity, line.measure)
        name = voice.name(names, otherwise=line.goods_id)
        blocks.append(Item(name, f"×{count}", amount(line.amount, currency)))
    blocks += [
        HEAVY,
        Pair(voice.say("paper.held-total"), full_amount(held.total, currency), Style.TALL),
        *(Text(line, Align.CENTER) for line in voice.tell("paper.not-a-receipt")),
    ]
    return Document((*blocks, *foot(issue, with_conditions=False)))


def enrolment_slip(enrolled: MemberEnrolled, issue: Issue) -> Document:
    """A welcome with what was agreed."""
    voice, face = issue.voice, issue.member
    blocks = head(issue, title="paper.title.enrolment")
    if face and face.masked_name:
        blocks.append(Pair(voice.say("paper.member"), face.masked_name))
    if face and face.masked_card:
        blocks.append(Pair(voice.say("paper.card"), face.masked_card))
    blocks.append(Pair(voice.say("paper.tier"), tier_name(issue, enrolled.tier), Style.STRONG))
    agreed = voice.tell("paper.terms-accepted", version=enrolled.terms_version)
    blocks += [Text(line) for line in agreed]
    return Document((*blocks, Rule(), *foot(issue, with_conditions=True)))


def cash_slip(moved: CashMoved, issue: Issue) -> Document:
    """Cash in or out, with a line to sign on."""
    currency, voice = Currency(moved.currency), issue.voice
    blocks = head(issue, title=f"paper.title.{moved.direction}")
    figure = moved.amount if moved.direction is CashDirection.PAID_IN else -moved.amount
    blocks += [
        Pair(voice.say("paper.amount"), full_amount(figure, currency), Style.LARGE),
        Pair(voice.say("paper.reason"), voice.reason(moved.reason)),
        Feed(2),
        Text(voice.say("paper.signature") + " " + "_" * 16),
    ]
    return Document((*blocks, *foot(issue, with_conditions=False)))


def shift_report(closed: ShiftClosed, issue: Issue) -> Document:
    """The Z: figures by tender, the way to the expected cash, the count, what is still open."""
    currency, voice = Currency(closed.currency), issue.voice
    blocks = head(
        issue, title="paper.title.shift", number=str(closed.z_number), number_key="paper.z-number"
    )

    def row(key: str, figure: str, style: Style = Style.NORMAL) -> Block:
        return Pair(voice.say(f"paper.shift.{key}"), figure, style)

    blocks += [
        row("sales", f"{closed.sales:,}"),
        row("returns", f"{closed.returns:,}"),
        row("turnover", amount(closed.turnover, currency)),
        row("refunded", amount(-closed.refunded, currency)),
    ]
    if closed.rounding:
        blocks.append(row("rounding", signed(amount(closed.rounding, currency))))
    for key, figure in (("value-in", closed.value_in), ("value-out", -closed.value_out)):
        if figure:
            blocks.append(row(key, amount(figure, currency)))
    blocks += _taxes(issue, closed.taxes, currency)
    blocks += [Rule(), *_tenders(issue, closed.tenders, currency), Rule()]
    blocks += _cash(issue, closed, currency)
    blocks += _counts(issue, closed.counts, currency)
    blocks += _left_open(issue, closed)
    blocks += [HEAVY, row("grand-total", amount(closed.grand_total, currency), Style.STRONG)]
    return Document((*blocks, *foot(issue, with_conditions=False)))


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


def _cash(issue: Issue, closed: ShiftClosed, currency: Currency) -> list[Block]:
    """float + cash sales - cash refunds + paid in - paid out - drops = expected."""
    voice = issue.voice
    moved = closed.paid_in - closed.paid_out - closed.dropped
    from_sales = closed.expected_cash - closed.float_amount - moved - closed.value_cash
    figures = (
        ("float", closed.float_amount),
        ("cash-sales", from_sales),
        ("value-cash", closed.value_cash),
        ("paid-in", closed.paid_in),
        ("paid-out", -closed.paid_out),
        ("dropped", -closed.dropped),
    )
    difference = closed.counted_cash - closed.expected_cash
    blocks: list[Block] = [
        Pair(voice.say(f"paper.shift.{key}"), amount(figure, currency))
        for key, figure in figures
        if figure or key == "float"
    ]
    blocks += [
        Pair(voice.say("paper.shift.expected"), amount(closed.expected_cash, currency)),
        Pair(voice.say("paper.shift.counted"), amount(closed.counted_cash, currency)),
        Pair(voice.say("paper.shift.difference"), _signed(difference, currency), Style.TALL),
    ]
    if closed.difference_reason:
        blocks.append(Pair(voice.say("paper.reason"), voice.reason(closed.difference_reason)))
    return blocks


def _signed(figure: int, currency: Currency) -> str:
    return signed(amount(figure, currency)) if figure else amount(0, currency)


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
    rows: list[Block] = [
        Pair(issue.voice.say(f"paper.shift.{key}"), f"{count:,}") for key, count in figures if count
    ]
    return [Rule(), *rows] if rows else []
