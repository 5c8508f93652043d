"""Adds up reports of a drawer and slips of stored value from their printed text alone.

Knows the words of papers in both languages and nothing of the product, as ``adding_up`` does.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from tests.judges.receipts.adding_up import TAX_HEAD, Checked, check_taxes, number, parts, starts

FIGURE = re.compile(r"(?P<sign>[-+]?)[^\d\s+-]{0,3}\s?(?P<figure>[\d,]+\.\d\d)(?: \*)?$")
COUNTED_PIECES = re.compile(
    r"(?P<unit>[\d,]+\.\d\d)\s+×\s*(?P<count>[\d,]+)\s+(?P<sum>[\d,]+\.\d\d)$"
)
TENDER = re.compile(r"×\s*[\d,]+\s+(?P<figure>-?[\d,]+\.\d\d)$")
ENDS_IN_COUNT = re.compile(r"\s[\d,]+$")
TURNOVER = ("销售额（含税）", "Turnover")
REFUNDED = ("退款", "Refunds")
ROUNDING = ("抹零", "Rounding")
VALUE_IN = ("储值与礼品卡收款", "Stored value and cards sold")
VALUE_OUT = ("储值与礼品卡退款", "Stored value and cards paid out")
FLOAT = ("备用金", "Float")
FLOW = (
    FLOAT,
    ("现金净收", "Net cash taken"),
    ("储值与礼品卡现金", "Cash of value and cards"),
    ("存入", "Paid in"),
    ("支出", "Paid out"),
    ("缴存保险柜", "To safe"),
)
EXPECTED = ("应有现金", "Expected cash")
COUNTED = ("实点现金", "Counted cash")
DIFFERENCE = ("差额", "Difference")
SLIP_TOTALS = ("充值", "Paid in", "金额", "Amount")
PRINCIPAL = ("本金余额", "Principal")
BONUS = ("赠送余额", "Bonus")
BALANCE = ("储值余额", "Balance")


def rows(lines: list[str]) -> Iterator[tuple[str, Decimal]]:
    """Label and figure of each row; a label may go on over several lines."""
    label = ""
    for line in lines:
        found = FIGURE.search(line)
        label = f"{label} {line}".strip()
        if found:
            figure = number(found["figure"])
            yield label, -figure if found["sign"] == "-" else figure
        if found or ENDS_IN_COUNT.search(line):
            label = ""


def first(figures: list[tuple[str, Decimal]], words: tuple[str, ...]) -> Decimal | None:
    """The figure of a label."""
    return next((figure for label, figure in figures if label.startswith(words)), None)


def check_report(text: str) -> Checked:
    """An X, a Z or the close of a day."""
    checked = Checked()
    found = [lines for _rule, lines in parts(text)]
    figures = [row for lines in found for row in rows(lines)]
    at = next((n for n, part in enumerate(found) if part and starts(part[0], FLOAT)), None)
    if at is not None:
        _tenders(found[at - 1], figures, checked)
    expected, counted = first(figures, EXPECTED), first(figures, COUNTED)
    if at is not None and expected is not None:
        flow = [first(figures, words) or Decimal(0) for words in FLOW]
        checked.kinds.add("drawer")
        checked.equal("expected", expected, sum(flow, Decimal(0)))
    difference = first(figures, DIFFERENCE)
    if difference is not None and counted is not None and expected is not None:
        checked.kinds.add("difference")
        checked.equal("difference", difference, counted - expected)
    pieces = [row for lines in found for line in lines if (row := COUNTED_PIECES.search(line))]
    for row in pieces:
        right = number(row["unit"]) * number(row["count"])
        checked.equal(row[0], number(row["sum"]), right)
    if pieces and counted is not None:
        checked.kinds.add("count")
        checked.equal("count", counted, sum((number(row["sum"]) for row in pieces), Decimal(0)))
    for lines in found:
        for number_of, line in enumerate(lines):
            if starts(line, TAX_HEAD):
                check_taxes(lines[number_of:], checked)
    return checked


def _tenders(lines: list[str], figures: list[tuple[str, Decimal]], checked: Checked) -> None:
    """What all tenders took, less what they gave back, is what was sold and paid in."""
    taken = Decimal(0)
    for label, figure in rows(lines):
        is_tender = TENDER.search(label) is not None or label.startswith(REFUNDED)
        taken += figure if is_tender else 0
    due = sum(
        (first(figures, words) or Decimal(0)
         for words in (TURNOVER, REFUNDED, ROUNDING, VALUE_IN, VALUE_OUT)),
        Decimal(0),
    )  # fmt: skip
    checked.kinds.add("tenders")
    checked.equal("tenders", taken, due)


def check_slip(text: str) -> Checked:
    """A top-up or a gift card: what was paid, in which ways, and what is on the account now."""
    checked = Checked()
    found = [lines for _rule, lines in parts(text)]
    figures = [row for lines in found for row in rows(lines)]
    at = next((n for n, lines in enumerate(found) if _slip_total(lines) is not None), None)
    total = _slip_total(found[at]) if at is not None else None
    if at is not None and total is not None and at + 1 < len(found):
        paid = sum((figure for _label, figure in rows(found[at + 1])), Decimal(0))
        checked.kinds.add("paid")
        checked.equal("paid", paid, total)
    principal, bonus = first(figures, PRINCIPAL), first(figures, BONUS)
    balance = first(figures, BALANCE)
    if principal is not None and bonus is not None and balance is not None:
        checked.kinds.add("balance")
        checked.equal("balance", balance, principal + bonus)
    for lines in found:
        for number_of, line in enumerate(lines):
            if starts(line, TAX_HEAD):
                check_taxes(lines[number_of:], checked)
    return checked


def _slip_total(lines: list[str]) -> Decimal | None:
    """What was paid for a slip; lines without a figure above it are read into its label."""
    found = (figure for label, figure in rows(lines) if any(one in label for one in SLIP_TOTALS))
    return next(found, None)
