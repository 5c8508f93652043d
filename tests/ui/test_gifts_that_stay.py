"""Gifts whose goods come back: given back with them, or charged, as the window tells it."""

from dataclasses import replace

from desktop.store.catalogue import apply_goods
from shared.ids import EntryId
from shared.ledger.booking_ticket import post_return
from shared.loyalty.conditions import Spend
from shared.loyalty.effects import AmountOff, FurtherUnits, Gift
from shared.loyalty.programme import ReturnPolicy, Returns
from shared.trade.ticket import SaleReturned
from tests.pricing_builders import offer, only
from tests.support.enrolled_till import goods_row
from tests.support.till_errands import by, facts, paper, sell, take_back, text_of, written
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

TEN_SPENT = (Spend(minimum_minor=10_00),)
WATER_ON_TOP = offer("gift", Gift(choices=("W1",)), only("C1"), conditions=TEN_SPENT)
"""A bottle of 2.00 at 13% with chips for 10.00, two packets at 7.50."""
RICE_ON_TOP = offer("gift", Gift(choices=("R1",)), only("C1"), conditions=TEN_SPENT)
FOUR_FOR_THREE = offer("further", FurtherUnits(per_units=3), only("W1"))
OFF_TEN = offer("off", AmountOff(off_minor=3_00), only("C1"), conditions=TEN_SPENT)
RE_PRICE = Returns(policy=ReturnPolicy.RE_PRICE)


def returned(hands: Hands) -> SaleReturned:
    """The newest return, whose postings balance."""
    fact = facts(hands, SaleReturned)[-1]
    assert sum(posting.amount for posting in post_return(EntryId("back"), fact)) == 0
    taxes = {(row.tax_class, row.component): row.tax for row in fact.taxes if row.tax}
    by_line: dict[tuple[str, str], int] = {}
    for line in fact.lines:
        for tax in line.taxes:
            key = line.tax_class, tax.component
            by_line[key] = by_line.get(key, 0) + tax.tax
    assert taxes == {key: tax for key, tax in by_line.items() if tax}
    return fact


@by(WATER_ON_TOP)
def test_a_gift_that_stays_is_charged_with_its_tax(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS)
    assert take_back(selling, sale, 1) == 5_50
    fact = returned(selling)
    chips, water = fact.lines
    assert (chips.amount, chips.quantity) == (7_50, 1)
    assert (water.amount, water.quantity, water.given_by) == (-2_00, 0, "gift")
    assert [tax.tax for tax in water.taxes] == [-23]


@by(WATER_ON_TOP)
def test_a_gift_that_comes_back_with_its_goods_is_not_charged(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS)
    assert take_back(selling, sale, 1, 2) == 7_50
    assert [line.amount for line in returned(selling).lines] == [7_50, 0]


@by(WATER_ON_TOP)
def test_a_gift_is_charged_once_and_gives_its_price_back_when_it_comes(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS)
    take_back(selling, sale, 1)
    assert take_back(selling, sale, 1) == 7_50
    assert take_back(selling, sale) == 2_00
    (line,) = returned(selling).lines
    assert (line.quantity, line.amount, [tax.tax for tax in line.taxes]) == (1, 2_00, [23])


@by(WATER_ON_TOP)
def test_a_gift_that_is_still_earned_is_not_charged(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS, CHIPS)
    assert take_back(selling, sale, 1) == 7_50


@by(RICE_ON_TOP)
def test_no_more_is_charged_than_is_given_back(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS)
    assert take_back(selling, sale, 1) == 0
    first = returned(selling)
    assert [line.amount for line in first.lines] == [7_50, -7_50]
    assert [row.tax_class for row in first.taxes] == ["standard", "reduced"]
    assert take_back(selling, sale, 1) == 0
    assert take_back(selling, sale) == 15_00


@by(WATER_ON_TOP, offer("with-rice", Gift(choices=("W1",)), only("R1")))
def test_of_two_gifts_that_are_alike_only_the_unearned_one_is_charged(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS, RICE)
    assert [line.given_by for line in sale.lines] == ["", "", "gift", "with-rice"]
    assert take_back(selling, sale, 1) == 5_50


@by(WATER_ON_TOP)
def test_nothing_is_charged_where_the_sale_would_not_give_what_it_gave(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS)
    row = goods_row(replace(CHIPS, no_discount=True))
    selling.station.till.books.writer.run(lambda writing: apply_goods(writing.connection, [row]))
    assert take_back(selling, sale, 1) == 7_50


@by(FOUR_FOR_THREE)
def test_units_on_top_are_charged_as_gifts_are(selling: Hands) -> None:
    sale = sell(selling, *[WATER] * 6)
    assert take_back(selling, sale, 1) == 0
    assert take_back(selling, sale, 1, 1) == 4_00
    assert take_back(selling, sale, 2) == 2_00


@by(WATER_ON_TOP, OFF_TEN, returns=RE_PRICE)
def test_it_is_the_same_where_what_is_kept_is_priced_again(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS, RICE)
    assert sale.total == 81_90
    assert take_back(selling, sale, 1) == 2_50
    returned(selling)
    assert take_back(selling, sale, 2) == 69_90
    assert [line.amount for line in returned(selling).lines] == [69_90]
    assert take_back(selling, sale) == 9_50
    assert [line.amount for line in returned(selling).lines] == [7_50, 2_00]


@by(WATER_ON_TOP)
def test_the_paper_says_what_is_charged(selling: Hands) -> None:
    take_back(selling, sell(selling, CHIPS, CHIPS), 1)
    entry = written(selling, SaleReturned)[-1].envelope.id
    assert "gift kept, charged at list price" in text_of(paper(selling, entry))
    assert "赠品未退回" in text_of(paper(selling, entry, "zh_CN"))
