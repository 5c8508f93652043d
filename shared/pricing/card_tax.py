"""Gift cards for goods of one tax class: the tax in what they cost, and what they may pay for."""

from collections.abc import Iterable

from shared.loyalty.prepaid_tax import TaxTable, class_of
from shared.loyalty.programme import Programme
from shared.pricing.quote import Quote
from shared.pricing.tax import split_class
from shared.trade.fact import TaxTotal, Tender


def taxes_of_card(amount: int, programme: Programme) -> TaxTable:
    """The tax table of a card that is sold for an amount, tax included.

    Empty where the programme taxes cards when they are spent.
    """
    rules = programme.gift_cards
    if rules is None or not rules.taxed_when_sold_as:
        return ()
    tax_class = programme.tax_class(rules.taxed_when_sold_as)
    split = split_class(tax_class, [amount])
    rates = [
        (rate.id, rate.rate_ppm, tax)
        for rate, tax in zip(tax_class.rates, split.taxes, strict=True)
    ]
    return tuple(
        TaxTotal(tax_class=tax_class.id, component=name, rate_ppm=ppm, net=split.net, tax=tax)
        for name, ppm, tax in rates or [("", 0, 0)]
    )


def payable_by_card(quote: Quote, tax_class: str, tendered: Iterable[Tender]) -> int:
    """The most that a card for goods of a tax class may still pay, in minor units.

    Of what was ``tendered``, other cards for these goods have paid for them.
    """
    own = sum(line.pay_minor for line in quote.lines if line.tax_class == tax_class)
    paid = sum(one.amount for one in tendered if class_of(one.prepaid) == tax_class)
    return max(0, own - paid)


def covers_cards(quote: Quote, tendered: Iterable[Tender]) -> bool:
    """Whether a basket still has the goods that cards for one tax class were taken for."""
    paid = tuple(tendered)
    classes = {class_of(one.prepaid) for one in paid} - {""}
    return all(
        sum(line.pay_minor for line in quote.lines if line.tax_class == name)
        >= sum(one.amount for one in paid if class_of(one.prepaid) == name)
        for name in classes
    )
