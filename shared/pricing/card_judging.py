"""What a gift card that is taxed when it is sold should have been taxed, and by how much it is not.

Differences are tax in minor units: more of it in the card's sale, its payment or its closing than
there should be. None where all agrees.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.ledger.account import AccountKind, Posting, tax_of_lot
from shared.loyalty.prepaid_tax import TaxTable, class_of, tax_in, tax_used, unused_by
from shared.loyalty.programme import Programme
from shared.pricing.card_tax import taxes_of_card
from shared.trade.ticket import SaleCompleted
from shared.trade.value import GiftCardSold


@dataclass(slots=True)
class CardState:
    """A card as the books had it at some moment."""

    as_sold: TaxTable
    left: int = 0
    taxes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Not used up, by class and component."""

    def book(self, postings: Iterable[Posting]) -> None:
        """Go on to the moment after an entry; the postings are all of this card."""
        for account, amount in postings:
            if account.kind is AccountKind.GIFT_CARD:
                self.left -= amount
            elif account.kind is AccountKind.PREPAID_TAX:
                self.taxes[tax_of_lot(account.lot)] += amount

    def used_by(self, amount: int) -> TaxTable:
        """What a payment of an amount should use up."""
        unused = unused_by(self.as_sold, self.left, self.taxes)
        return tax_used(self.as_sold, unused, self.left, amount)


def sold_otherwise(fact: GiftCardSold, programme: Programme) -> int | None:
    """The tax of a card that was sold."""
    return _unlike(fact.taxes, [taxes_of_card(fact.amount, programme)])


def paid_otherwise(
    told: TaxTable, amount: int, left: int | None, states: Iterable[tuple[int, TaxTable]]
) -> int | None:
    """The tax that a payment, or a closing, uses up.

    ``states`` are what the server had booked one after another, the newest last: what was left, and
    what the payment should use up then. The till knew one with so much ``left`` after the payment;
    agreeing with one of those is enough.
    """
    known = list(states)
    then = [right for had, right in known if left is not None and had == left + amount]
    return _unlike(told, then or [right for _had, right in known[-1:]])


def pays_other_goods(sale: SaleCompleted) -> int:
    """What cards for one tax class have paid beyond the goods of their class, in minor units."""
    paid: Counter[str] = Counter()
    for tender in sale.tenders:
        if tax_class := class_of(tender.prepaid):
            paid[tax_class] += tender.amount
    for line in sale.lines:
        if line.tax_class in paid:
            paid[line.tax_class] -= line.amount
    return sum(max(0, over) for over in paid.values())


def _unlike(told: TaxTable, right: Iterable[TaxTable]) -> int | None:
    found = list(right) or [()]
    return None if told in found else tax_in(told) - tax_in(found[-1])
