"""Which offers of a sale still give something after returns."""

from types import SimpleNamespace

import pytest

from shared.ids import MemberId
from shared.loyalty.effects import PercentOff
from shared.returning.lines import Wanted, lines_back
from shared.returning.offers_kept import offers_kept
from shared.trade.fact import BundleRef
from tests.pricing_builders import basket, goods, line, offer, only, programme
from tests.support.priced_facts import sale_of


@pytest.mark.parametrize(
    ("back", "kept"),
    [
        ((), {"a": 1, "b": 1}),
        ((Wanted(1, 1),), {"a": 1, "b": 1}),
        ((Wanted(1, 2),), {"b": 1}),
        ((Wanted(1, 1), Wanted(1, 1)), {"b": 1}),
        ((Wanted(1, 2), Wanted(2, 1)), {}),
    ],
)
def test_an_offer_is_kept_while_a_unit_stays_that_it_is_on(back, kept):
    rules = programme(
        offer("a", PercentOff(basis_points_off=1_000), only("A")),
        offer("b", PercentOff(basis_points_off=2_000), only("B")),
    )
    shopping = basket(line(goods("A", 10_00), units=2, id="1"), line(goods("B", 10_00), id="2"))
    sale = sale_of(shopping, rules, BundleRef(version=1, sha256="0" * 64), member=MemberId("m"))
    lines = lines_back(sale, [], back, None)
    returned = [SimpleNamespace(lines=lines, coupons_voided=())]
    assert offers_kept(sale, returned) == kept
