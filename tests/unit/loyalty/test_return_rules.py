"""Returns in several steps, refunds over several tenders, and their limits."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.loyalty.programme import Returns
from shared.loyalty.returns import Paid, check_return_day, return_share, split_refund
from shared.trade.fact import LineTax, TenderKind
from shared.trade.ticket import SaleLine


def sold(quantity: int, amount: int, **more: object) -> SaleLine:
    values = {"line": 1, "goods_id": "A", "names": {}, "list_price": 1, "unit_price": 1}
    return SaleLine(
        **{
            **values,
            "gross": amount,
            "tax_class": "x",
            "quantity": quantity,
            "amount": amount,
            **more,
        }
    )


@given(st.integers(1, 60), st.integers(0, 500), st.data())
def test_the_part_in_points_never_exceeds_what_is_given_back(quantity, amount, data):
    covered = data.draw(st.integers(0, amount))
    line = sold(quantity, amount, points_paid=covered, points_spent=covered * 100)
    shares = [return_share(line, 1, returned_before=n) for n in range(quantity)]
    assert all(share.money >= 0 and share.points_paid >= 0 for share in shares)
    assert sum(share.points_paid for share in shares) == covered
    assert sum(share.points_spent for share in shares) == covered * 100


def test_levies_come_back_in_full_per_unit():
    line = sold(4, 10_00 + 4 * 25, levy=4 * 25, taxes=(LineTax(component="vat", tax=1_15),))
    share = return_share(line, 3, returned_before=0)
    assert (share.levy, share.amount, share.taxes[0].tax) == (75, 7_50 + 75, 86)


@pytest.mark.parametrize(("quantity", "before"), [(0, 0), (-1, 0), (4, 0), (2, 2), (1, 3)])
def test_more_than_was_sold_cannot_come_back(quantity, before):
    with pytest.raises(DomainError, match="return-exceeds-sale"):
        return_share(sold(3, 30_00), quantity, returned_before=before)


def test_a_refund_goes_to_cards_first_up_to_what_they_took_and_to_cash_last():
    paid = [
        Paid(tender=TenderKind.CASH, amount=50_00),
        Paid(tender=TenderKind.POINTS, amount=20_00),
        Paid(tender=TenderKind.WALLET, amount=30_00, refunded=10_00, attempt_id="w"),
        Paid(tender=TenderKind.CARD, amount=15_00),
    ]
    refunds = split_refund(60_00, paid)
    assert [(one.tender, one.amount, one.attempt_id) for one in refunds] == [
        (TenderKind.CARD, 15_00, ""),
        (TenderKind.WALLET, 20_00, "w"),
        (TenderKind.CASH, 25_00, ""),
    ]


def test_what_cash_rounding_kept_from_the_tenders_goes_back_in_cash():
    refunds = split_refund(10_04, [Paid(tender=TenderKind.CASH, amount=10_00)])
    assert [(one.tender, one.amount) for one in refunds] == [(TenderKind.CASH, 10_04)]


def test_a_return_after_the_last_day_is_refused():
    rules, sale = Returns(days=30), date(2026, 1, 31)
    check_return_day(rules, sold=sale, today=date(2026, 3, 2))
    check_return_day(Returns(), sold=sale, today=date(2036, 3, 2))
    with pytest.raises(DomainError, match="return-too-late"):
        check_return_day(rules, sold=sale, today=date(2026, 3, 3))
