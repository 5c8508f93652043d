"""Tax of gift cards that are taxed when sold: used up once, and exactly, whatever they pay."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.loyalty.accounts import GiftCards
from shared.loyalty.bundle import template
from shared.loyalty.gift_card import refunded, sold, spent
from shared.loyalty.prepaid_tax import TaxTable, tax_given_back, tax_in, tax_used
from shared.pricing.card_tax import taxes_of_card
from shared.trade.fact import TaxTotal, Tender, TenderKind
from tests.pricing_builders import names, rate

DAY = date(2026, 3, 2)
CARDS = GiftCards(taxed_when_sold_as="both")
TWO_TAXES = msgspec.structs.replace(
    template("default").tax_classes[0],
    id="both",
    names=names("both"),
    components=(
        rate(50_000, included=True, key="gst"),
        rate(99_750, included=True, key="pst"),
    ),
)
PROGRAMME = msgspec.structs.replace(template("default"), tax_classes=(TWO_TAXES,), gift_cards=CARDS)


def paid(amount: int, prepaid: TaxTable) -> Tender:
    return Tender(tender=TenderKind.GIFT_CARD, amount=amount, reference="g", prepaid=prepaid)


@given(st.integers(1, 10**6), st.data())
def test_all_that_a_card_pays_and_gets_back_uses_up_exactly_its_tax(worth, data):
    card = sold("g", worth, CARDS, DAY, taxes_of_card(worth, PROGRAMME))
    assert card.as_sold[0].net + tax_in(card.as_sold) == worth
    for _ in range(data.draw(st.integers(0, 6))):
        amount = data.draw(st.integers(0, card.left))
        table = card.tax_used_by(amount)
        assert all(0 <= used.tax <= has.tax for used, has in zip(table, card.unused, strict=True))
        assert table[0].net + tax_in(table) == amount
        card = spent(card, amount, DAY)
        if amount:
            first = data.draw(st.integers(0, amount))
            backs = [
                tax_given_back([paid(amount, table)], 0, first),
                tax_given_back([paid(amount, table)], first, amount - first),
            ]
            assert [tax_in(one) for one in zip(*backs, strict=True)] == [one.tax for one in table]
            card = refunded(card, first, backs[0])
    card = spent(card, card.left, DAY)
    assert [one.tax for one in card.unused] == [0, 0]


def test_many_small_payments_use_up_as_much_as_a_great_one():
    card = sold("g", 11_300, CARDS, DAY, taxes_of_card(11_300, PROGRAMME))
    small = card
    for _ in range(5_650):
        small = spent(small, 1, DAY)
    assert small == spent(card, 5_650, DAY)


def test_what_was_left_out_before_is_made_good():
    as_sold = (TaxTotal(tax_class="a", component="t", rate_ppm=130_000, net=10_000, tax=1_300),)
    (used,) = tax_used(as_sold, as_sold, 5_650, 1_130)
    assert used.tax == 1_300 - 520


def test_a_card_without_a_tax_class_and_one_of_goods_that_bear_no_tax():
    plain = template("default")
    assert taxes_of_card(100, plain) == ()
    zero = msgspec.structs.replace(plain, gift_cards=GiftCards(taxed_when_sold_as="zero"))
    (only,) = taxes_of_card(100, zero)
    assert (only.tax_class, only.component, only.net, only.tax) == ("zero", "", 100, 0)
