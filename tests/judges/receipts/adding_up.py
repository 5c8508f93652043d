"""Adds up a receipt as a customer with a pencil would: from its printed text alone.

Knows the words of receipts in both languages and nothing of the product: no import from it.
Command line: ``python tests/judges/receipts/adding_up.py FILE …``; exit code 1 where something does
not add up.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

FIGURE = r"-?[\d,]+\.\d\d"
AMOUNT = re.compile(rf"^(?P<label>.*?)\s*(?<![\d,.])(?P<figure>{FIGURE})$")
DETAIL = re.compile(
    rf"(?P<count>[\d,]+(?:\.\d{{3}}kg)?)\s*×\s*(?P<price>{FIGURE})\s+(?P<gross>{FIGURE})$"
)
RETURNED = re.compile(rf"(?:×\s*[\d,]+|[\d,]+\.\d{{3}}kg)?\s+(?P<figure>{FIGURE})$")
WITH_SIGN = re.compile(r"(?P<minus>-?)\D{1,3}\s?(?P<figure>[\d,]+\.\d\d)$")
TAX_ROW = re.compile(rf"(?P<net>{FIGURE})\s+(?P<tax>{FIGURE})\s+(?P<gross>{FIGURE})$")
POINTS = re.compile(r"(?P<sign>[+-]?)(?P<figure>[\d,]+(?:\.\d+)?)(?P<star> \*)?$")

SUBTOTAL = ("小计", "Subtotal")
BEFORE_ROUNDING = ("抹零前", "Before rounding")
ROUNDING = ("抹零", "Rounding")
TOTAL = ("合计", "Total")
RETURNED_TOTAL = ("退货金额", "Goods returned")
REFUND = ("退款", "Refund")
DIFFERENCE = ("差额", "Difference")
SAVED = ("已省", "Saved")
CHANGE = ("找零", "Change")
PAID_OUT = ("现金退还", "Paid out in cash")
ASIDE = ("余额", "Left", "售卡时已计税", "Taxed when")
LIST_PRICE = ("原价", "Regular price")
TAX_HEAD = ("税率", "Rate")
OPENING = ("原有积分", "Points before")
CLOSING = ("现有积分", "Points now")


@dataclass
class Checked:
    """What was added up, and what is wrong with it."""

    sums: int = 0
    flaws: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """Which of lines, discounts, basket, rounding, tenders, change, tax and points it had."""

    def equal(self, what: str, printed: Decimal, expected: Decimal) -> None:
        """Note one sum."""
        self.sums += 1
        if printed != expected:
            self.flaws.append(f"{what}: {printed} is printed, {expected} is right")


def number(text: str) -> Decimal:
    """A printed figure."""
    return Decimal(text.replace(",", ""))


def cells(text: str) -> int:
    """Columns of a text on a screen."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def parts(text: str) -> list[tuple[str, list[str]]]:
    """The receipt between its rules: the rule above, then the lines."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        if (line and set(line) <= {"─"}) or (line and set(line) <= {"━"}):
            found.append((line[0], []))
        else:
            found[-1][1].append(line)
    return found


def width_of(text: str) -> int:
    """Columns of the paper: its rules are as wide."""
    rules = [line for line in text.splitlines() if line and set(line) <= {"─", "━"}]
    return max(map(len, rules), default=0)


def starts(line: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words leads a line."""
    return line.strip().startswith(words)


def check(text: str) -> Checked:
    """Everything on one receipt that can be added up; nothing where it is no sale or return.

    On the paper of an exchange a sale stands above a return, and what the two leave below them.
    """
    checked, columns = Checked(), width_of(text)
    found = parts(text)
    heavy = [at for at, (rule, _) in enumerate(found) if rule == "━" and at]
    due: list[Decimal] = []
    for at, end in pairwise([*heavy, len(found)]):
        sums = found[at][1]
        if any(starts(line, DIFFERENCE) for line in sums):
            left = next(_with_sign(line) for line in sums if starts(line, DIFFERENCE))
            checked.kinds.add("exchange")
            checked.equal("difference", left, sum(due, Decimal(0)))
            _points_among(found[at:end], columns, checked)
        elif any(starts(line, REFUND) for line in sums):
            due.append(-_ticket(found[at - 1 : end], columns, checked, is_return=True))
        elif any(starts(line, TOTAL) for line in sums):
            due.append(_ticket(found[at - 1 : end], columns, checked, is_return=False))
        elif not due:
            return checked
    if len(due) > 1 and "exchange" not in checked.kinds:
        checked.flaws.append("exchange: nothing says what the two leave")
    return checked


def _ticket(
    found: list[tuple[str, list[str]]], columns: int, checked: Checked, *, is_return: bool
) -> Decimal:
    """Goods, sums and what follows of one sale or return; what it came to."""
    goods, sums = found[0][1], found[1][1]
    if is_return:
        taken = _returned_lines(goods, columns, checked)
        total, paid = _refund(sums, taken, checked)
    else:
        taken, off = _goods_lines(goods, columns, checked)
        total, paid = _sale_sums(sums, taken, off, checked)
    _tenders(paid, total, columns, checked)
    # What was due before it was rounded to coins is what the taxes are of.
    untaxed = next(
        (number(row["figure"]) for line in sums if starts(line, (*BEFORE_ROUNDING, *RETURNED_TOTAL))
         and (row := AMOUNT.match(line))), total,
    )  # fmt: skip
    for rule, lines in found[2:]:
        if rule == "─" and lines and starts(lines[0], TAX_HEAD):
            check_taxes(lines, checked, of_total=untaxed)
    _points_among(found[2:], columns, checked)
    return total


def _points_among(found: list[tuple[str, list[str]]], columns: int, checked: Checked) -> None:
    for _rule, lines in found:
        if any(starts(line, OPENING) for line in lines):
            _points(lines, columns, checked)


def _flush(line: str, columns: int) -> bool:
    """Figures stand at the right edge; what only looks like one in a name does not."""
    return cells(line) == columns


def _goods_lines(lines: list[str], columns: int, checked: Checked) -> tuple[Decimal, Decimal]:
    """The sum of the lines with their discounts, and the discounts alone."""
    total = off = Decimal(0)
    for line in lines:
        if not _flush(line, columns) or starts(line, LIST_PRICE):
            continue
        detail = DETAIL.search(line)
        amount = AMOUNT.match(line)
        if detail:
            count = number(detail["count"].removesuffix("kg"))
            price, gross = number(detail["price"]), number(detail["gross"])
            right = (count * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
            checked.equal(f"line {line.strip()}", gross, right)
            checked.kinds.add("lines")
            total += gross
        elif amount:
            checked.kinds.add("discounts")
            total += number(amount["figure"])
            off -= number(amount["figure"])
    return total, off


def _returned_lines(lines: list[str], columns: int, checked: Checked) -> Decimal:
    total = Decimal(0)
    for line in lines:
        figure = RETURNED.search(line)
        if figure and _flush(line, columns):
            total += number(figure["figure"])
            checked.kinds.add("lines")
    return total


def _with_sign(line: str) -> Decimal:
    """A total with the sign of its currency."""
    figure = WITH_SIGN.search(line.strip())
    assert figure is not None, line
    return number(figure["minus"] + figure["figure"])


def _sale_sums(
    lines: list[str], taken: Decimal, off: Decimal, checked: Checked
) -> tuple[Decimal, list[str]]:
    """From the subtotal to the total; the total, and the lines below it."""
    running = taken
    rest = iter(lines)
    for line in rest:
        if starts(line, TOTAL):
            total = _with_sign(line)
            checked.equal("total", total, running)
            break
        amount = AMOUNT.match(line)
        if amount is None:
            continue
        figure = number(amount["figure"])
        if starts(line, SUBTOTAL):
            checked.equal("subtotal", figure, running)
        elif starts(line, BEFORE_ROUNDING):
            checked.equal("before rounding", figure, running)
        else:
            kind = "rounding" if starts(line, ROUNDING) else "basket"
            checked.kinds.add(kind)
            off -= figure if kind == "basket" and figure < 0 else 0
            running += figure
    below = list(rest)
    for line in below[:2]:
        saved = next((line[line.index(word) :] for word in SAVED if word in line), "")
        if saved:
            checked.equal("saved", _with_sign(saved), off)
            break
    return total, [line for line in below if not any(word in line for word in SAVED)]


def _refund(lines: list[str], taken: Decimal, checked: Checked) -> tuple[Decimal, list[str]]:
    running = taken
    rest = iter(lines)
    for line in rest:
        if starts(line, REFUND):
            total = _with_sign(line)
            checked.equal("refund", total, running)
            break
        amount = AMOUNT.match(line)
        if amount and starts(line, RETURNED_TOTAL):
            checked.equal("returned", number(amount["figure"]), running)
        elif amount and starts(line, ROUNDING):
            checked.kinds.add("rounding")
            running += number(amount["figure"])
    return total, list(rest)


def _tenders(lines: list[str], total: Decimal, columns: int, checked: Checked) -> None:
    paid, seen = Decimal(0), False
    for line in lines:
        amount = AMOUNT.match(line)
        if amount is None or not _flush(line, columns) or starts(line, ASIDE):
            continue
        figure, seen = number(amount["figure"]), True
        if starts(line, CHANGE):
            checked.kinds.add("change")
        is_out = starts(line, CHANGE) or starts(line, PAID_OUT)
        paid += -figure if is_out else figure
    if seen:
        checked.kinds.add("tenders")
    if seen or total:
        checked.equal("tenders", paid, total)


def check_taxes(lines: list[str], checked: Checked, of_total: Decimal | None = None) -> None:
    """Each row by itself; of a sale, all rows against its total: where a rate has several parts,
    each of them is on the same net, which counts once."""
    nets: list[Decimal] = []
    taxed = Decimal(0)
    for line in lines:
        row = TAX_ROW.search(line)
        if row:
            checked.kinds.add("tax")
            net, tax, gross = (number(row[name]) for name in ("net", "tax", "gross"))
            checked.equal(f"tax {line.strip()}", gross, net + tax)
            nets.append(net)
            taxed += tax
    if of_total is not None and nets:
        checked.kinds.add("tax total")
        once = sum(dict.fromkeys(nets), Decimal(0)) + taxed
        whole = sum(nets, Decimal(0)) + taxed
        checked.equal("tax total", of_total, once if once == of_total else whole)


def _points(lines: list[str], columns: int, checked: Checked) -> None:
    running: Decimal | None = None
    for line in lines:
        figure = POINTS.search(line)
        if figure is None or not _flush(line, columns):
            continue
        value = number(figure["figure"])
        if starts(line, OPENING):
            running = number(figure["sign"] + figure["figure"])
        elif running is not None and starts(line, CLOSING):
            checked.kinds.add("points")
            checked.equal("points", number(figure["sign"] + figure["figure"]), running)
            return
        elif running is not None and figure["sign"]:
            running += -value if figure["sign"] == "-" else value
    checked.flaws.append("points: the block has no end")


def main(names: list[str]) -> Iterator[str]:
    """What does not add up, file by file."""
    for name in names:
        for flaw in check(Path(name).read_text(encoding="utf-8")).flaws:
            yield f"{name}: {flaw}"


if __name__ == "__main__":
    wrong = list(main(sys.argv[1:]))
    print("\n".join(wrong) or f"{len(sys.argv) - 1} receipts add up")
    sys.exit(bool(wrong))
