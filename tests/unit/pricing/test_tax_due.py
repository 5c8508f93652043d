"""What is due in tax by facts: of goods, less what gift cards were taxed with before."""

import msgspec

from shared.trade.tax_due import tax_due, tax_table
from tests.support.every_fact import sale
from tests.support.taxed_cards import taxed_card_facts


def test_a_day_of_a_card_is_due_once_and_a_closed_card_is_due_no_more():
    sold, paid, back, closed, *_ = taxed_card_facts()

    def taxes(*facts):
        return [(row.net, row.tax) for row in tax_table(r for f in facts for r in tax_due(f))]

    assert taxes(sold) == [(10_000, 1_300)]
    assert taxes(paid) == []
    assert taxes(sold, paid, back) == [(10_000, 1_300)]
    assert taxes(sold, paid, back, closed) == []
    assert taxes(msgspec.structs.replace(sale(), training=True)) == []
