"""A day's totals: sums of rounded sales, never reckoned again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.trade.fact import TaxTotal, Tender
from shared.trade.tax_due import tax_due
from shared.workbench.sold import Sold
from shared.workbench.tenders import name_of


@dataclass(slots=True)
class Day:
    """What happened since the last close. Amounts are minor units."""

    sales: int = 0
    turnover_minor: int = 0
    tax: Counter[str] = field(default_factory=Counter)
    """Of sales less that of refunds, by tax class."""
    refunded_tax: Counter[str] = field(default_factory=Counter)
    """What refunds took out of it."""
    tenders: Counter[str] = field(default_factory=Counter)
    """Taken in less given back."""
    refunds: int = 0
    refunded_minor: int = 0
    paid_in_minor: int = 0
    """Top-ups and gift cards sold."""
    paid_out_minor: int = 0
    """Principal and gift cards that were paid out."""
    points_earned: int = 0
    points_spent: int = 0
    points_taken_back: int = 0

    def count(self, sold: Sold) -> None:
        """A sale that is complete."""
        self.sales += 1
        fact = sold.fact
        self.turnover_minor += fact.total
        self.note_tax(tax_due(fact))
        for tender in fact.tenders:
            self.tenders[name_of(tender)] += tender.amount + tender.change
            if tender.change:
                # Paid out of the drawer, whatever was given for it.
                self.tenders["cash"] -= tender.change
        self.points_earned += fact.member.points.earned if fact.member else 0
        self.points_spent += sum(tender.points for tender in fact.tenders)

    def give_back(
        self, amount: int, taxes: Mapping[str, int], refunds: Iterable[Tender] = ()
    ) -> None:
        """A refund, the tax in its goods by tax class, and what goes back to whom."""
        self.refunds += 1
        self.refunded_minor += amount
        for tax_class, tax in taxes.items():
            self.tax[tax_class] -= tax
            self.refunded_tax[tax_class] += tax
        for refund in refunds:
            self.note_tax(refund.prepaid)

    def note_tax(self, rows: Iterable[TaxTotal], *, sign: int = 1) -> None:
        """Tax that is due, or with ``sign`` -1 is due no more."""
        for row in rows:
            self.tax[row.tax_class] += sign * row.tax
