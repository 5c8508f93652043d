"""Names and codes that papers show and facts know by id only, from the programme of their day."""

from collections import Counter
from collections.abc import Mapping

from shared.ids import EntryId
from shared.loyalty.coupon_code import coupon_instance, issued_coupon_code
from shared.loyalty.programme import Programme
from shared.pricing.sale_lines import names_by_language
from shared.receipt.issue import Names, Vocabulary
from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted
from shared.trade.value import ValueToppedUp


def vocabulary(
    programme: Programme | None, goods: Mapping[str, Names], coupon_codes: Mapping[str, str]
) -> Vocabulary:
    """What a programme calls its tiers, taxes and offers; without one they show their ids."""
    if programme is None:
        return Vocabulary(goods=goods, coupon_codes=coupon_codes)
    return Vocabulary(
        goods=goods,
        coupon_codes=coupon_codes,
        tiers={tier.id: names_by_language(tier.names) for tier in programme.tiers.ladder},
        tax_components={
            rate.id: names_by_language(rate.names)
            for tax_class in programme.tax_classes
            for rate in tax_class.rates
        },
        offers={offer.id: names_by_language(offer.names) for offer in programme.offers},
    )


def coupon_codes(
    fact: Fact, entry_id: EntryId, programme: Programme | None, lookup_key: bytes
) -> dict[str, str]:
    """The codes of coupons that a fact issued: reckoned again, for no journal keeps them."""
    if programme is None or not isinstance(fact, SaleCompleted | ValueToppedUp):
        return {}
    numbers: Counter[str] = Counter()
    codes: dict[str, str] = {}
    for issued in fact.coupons_issued:
        for coupon in programme.coupons:
            code = issued_coupon_code(lookup_key, coupon.id, entry_id, numbers[coupon.id] + 1)
            if coupon_instance(lookup_key, code) == issued.coupon_id:
                numbers[coupon.id] += 1
                codes[issued.coupon_id] = code
    return codes
