"""The drawer's day: expected, counted, numbered, and never held up."""

from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import select

from desktop.reckoning.file import read_till
from desktop.store.schema import balances
from shared.errors import DomainError
from shared.loyalty.accounts import TenderRule
from shared.loyalty.programme import CashRounding
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.sale_basket import judge
from shared.trade.fact import Approval, CashCount, TenderKind
from shared.trade.till import CashDirection
from tests.pricing_builders import programme
from tests.support.desk import BISCUIT_CODE, FLOAT, WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import CASHIER, GOODS, MANAGER

APPROVED = (Approval(approval_id="p1", action="paid-out", approver_id=MANAGER),)


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


def counted(amount: int) -> list[CashCount]:
    return [CashCount(denomination=1, pieces=amount)]


def close(desk: Desk, amount: int | None = None, reason: str = ""):
    expected = desk.counter.shifts.figures().expected_cash
    counts = counted(expected if amount is None else amount)
    return desk.counter.shifts.close(CASHIER, counts, difference_reason=reason)


def test_the_expected_drawer_is_float_and_cash_and_what_was_carried_in_and_out(desk):
    shifts = desk.counter.shifts
    sale = desk.sell(*[BISCUIT_CODE] * 2)  # 25.00 in cash
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender(TenderKind.CARD, 1250)
    desk.finish()
    desk.take_back(sale, (1, 1))  # 12.50 back in cash
    shifts.move_cash(CASHIER, CashDirection.PAID_IN, 50_00, reason="change")
    shifts.move_cash(
        CASHIER, CashDirection.PAID_OUT, 7_00, reason="tea", note="给快递员", approvals=APPROVED
    )
    shifts.move_cash(MANAGER, CashDirection.DROP, 100_00, reason="safe")
    shifts.no_sale(CASHIER, reason="change a note")

    figures = shifts.figures()
    assert figures.expected_cash == 500_00 + 25_00 - 12_50 + 50_00 - 7_00 - 100_00
    assert (figures.sales, figures.returns) == (2, 1)
    assert figures.turnover - figures.refunded + figures.rounding == sum(
        total.taken - total.refunded for total in figures.tenders
    )
    kept = read_till(desk.till.store.folder.database)
    drawer = sum(amount for (account, *_), amount in kept.balances.items() if account == "drawer")
    assert drawer == figures.expected_cash
    assert kept.imbalance() == 0


@pytest.mark.parametrize("difference", [0, -300, 250])
def test_a_blind_count_is_kept_as_counted_with_its_difference(desk, difference):
    desk.sell(BISCUIT_CODE)
    z = close(desk, 512_50 + difference, reason="miscounted" if difference else "")
    assert (z.expected_cash, z.counted_cash) == (512_50, 512_50 + difference)
    assert z.difference_reason == ("miscounted" if difference else "")
    assert read_till(desk.till.store.folder.database).imbalance() == 0
    assert desk.counter.shifts.current() is None


def test_z_numbers_count_up_and_the_grand_total_never_falls_back_to_zero(folder):
    numbers, totals = [], []
    for _ in range(3):  # a restart between any two shifts
        desk = open_desk(folder)
        sale = desk.sell(BISCUIT_CODE, WATER_CODE)
        desk.take_back(sale, (2, 1))
        z = close(desk)
        numbers.append(z.z_number)
        totals.append(z.grand_total)
        desk.till.close()
    assert numbers == [1, 2, 3]
    assert totals == [1250, 2500, 3750]


def test_one_shift_at_a_time_and_nothing_without_one(desk):
    shifts = desk.counter.shifts
    assert refused(shifts.open, CASHIER, FLOAT).code == "shift-already-open"
    close(desk)
    assert refused(shifts.required).code == "no-shift"
    assert refused(shifts.figures).code == "no-shift"
    assert refused(shifts.close, CASHIER, []).code == "no-shift"
    assert refused(shifts.no_sale, CASHIER, "x").code == "no-shift"
    assert refused(shifts.move_cash, CASHIER, CashDirection.DROP, 1, reason="x").code == "no-shift"


@pytest.mark.parametrize(
    "count",
    [
        CashCount(denomination=100, pieces=-1),
        CashCount(denomination=0, pieces=1),
        CashCount(denomination=-5, pieces=1),
        CashCount(denomination=10**9, pieces=10**9),
    ],
)
def test_what_cannot_be_counted_closes_nothing(desk, count):
    assert refused(desk.counter.shifts.close, CASHIER, [count]).code == "bad-count"
    assert desk.counter.shifts.current() is not None


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MINOR_MAX + 1])
def test_only_real_amounts_go_in_and_out(desk, amount):
    move = desk.counter.shifts.move_cash
    error = refused(move, CASHIER, CashDirection.PAID_OUT, amount, reason="x", approvals=APPROVED)
    assert (error.code, error.fields["currency"]) == ("bad-amount", "CNY")


def test_cash_leaves_the_till_for_good_only_when_a_manager_allows_it(desk):
    move = desk.counter.shifts.move_cash
    error = refused(move, CASHIER, CashDirection.PAID_OUT, 7_00, reason="petty")
    assert error.code == "approval-needed"
    assert desk.counter.shifts.figures().paid_out == 0


def test_a_clock_set_back_never_opens_a_day_that_is_over(folder):
    desk = open_desk(folder)
    today = desk.shift.business_date
    close(desk)
    desk.counter.shifts.close_day(CASHIER)
    desk.clock.set(desk.clock.at - timedelta(days=3))
    assert desk.counter.shifts.is_clock_behind
    assert desk.counter.shifts.open(CASHIER, []).business_date == today
    desk.till.close()


def test_a_day_closes_whatever_is_open_and_says_what(desk):
    shifts = desk.counter.shifts
    assert refused(shifts.close_day, CASHIER).code == "nothing-to-close"
    desk.sell(BISCUIT_CODE)
    first = close(desk)
    desk.shift = shifts.open(CASHIER, [])
    desk.scan(WATER_CODE)
    desk.counter.holding.hold(desk.shift, CASHIER)

    day = shifts.close_day(CASHIER)

    assert day.left_open == ("shift-open", "held-baskets")
    assert day.shifts == (first.shift_id,)
    assert (day.sales, day.turnover, day.grand_total) == (1, 1250, 1250)
    assert refused(shifts.close_day, CASHIER).code == "nothing-to-close"


def test_two_shifts_make_one_day_and_the_day_is_their_sum(desk):
    desk.sell(BISCUIT_CODE)
    first = close(desk)
    desk.shift = desk.counter.shifts.open(CASHIER, FLOAT)
    sale = desk.sell(BISCUIT_CODE, WATER_CODE)
    desk.take_back(sale, (1, 1))
    second = close(desk, 502_00 - 1)
    day = desk.counter.shifts.close_day(MANAGER)
    assert day.shifts == (first.shift_id, second.shift_id)
    assert (day.sales, day.returns, day.turnover, day.refunded) == (2, 1, 2700, 1250)
    assert (day.expected_cash, day.counted_cash) == (1014_50, 1014_49)
    assert day.left_open == ()


def test_a_sale_after_midnight_belongs_to_the_day_the_shift_began(desk):
    assert desk.shift.business_date == date(2026, 3, 2)
    desk.clock.at += timedelta(hours=16)  # one in the morning on the wall
    desk.sell(BISCUIT_CODE)
    kept = read_till(desk.till.store.folder.database)
    newest = list(kept.entries())[-1].told
    assert newest["business_date"] == "2026-03-02"
    assert newest["occurred_at"].startswith("2026-03-03T01:00")


def test_the_close_lists_held_baskets_and_what_was_not_sent(desk):
    desk.scan(BISCUIT_CODE)
    desk.counter.holding.hold(desk.shift, CASHIER)
    z = close(desk)
    assert (z.held_open, z.payments_open, z.unsent) == (1, 0, 2)


def test_the_note_of_a_cash_move_is_beside_the_entry_not_in_it(desk):
    desk.counter.shifts.move_cash(
        CASHIER, CashDirection.PAID_OUT, 7_00, reason="tea", note="给快递员小赵", approvals=APPROVED
    )
    kept = read_till(desk.till.store.folder.database)
    entry = list(kept.entries())[-1]
    assert "小赵" not in entry.encoded.decode()
    assert [ref["role"] for ref in entry.told["attachments"]] == ["note"]


VOUCHERS = programme(tenders=(TenderRule(tender="voucher", gives_change=True),))


def test_change_for_a_voucher_leaves_the_drawer(make_desk):
    desk = make_desk(VOUCHERS)
    desk.scan(BISCUIT_CODE, BISCUIT_CODE)
    checkout = desk.counter.checkout
    checkout.tender_cash(500)
    tender = checkout.tender(TenderKind.VOUCHER, 5000)  # 20.00 due
    assert (tender.amount, tender.given, tender.change) == (2000, 5000, 3000)
    sale = desk.finish()
    assert (sale.change, sum(one.amount for one in sale.fact.tenders)) == (3000, 2500)
    figures = desk.counter.shifts.figures()
    assert figures.expected_cash == figures.float_amount + 500 - 3000
    taken = {one.tender: one.taken for one in figures.tenders}
    assert taken == {TenderKind.CASH: -2500, TenderKind.VOUCHER: 5000}
    with desk.till.books.reading() as connection:
        rows = connection.execute(select(balances.c.account, balances.c.amount)).all()
    booked = {row.account: row.amount for row in rows}
    assert (booked["drawer"], booked["voucher"]) == (figures.expected_cash, 5000)
    # What comes back is worth what was paid, not what was given.
    back = desk.take_back(sale, (1, 2))
    assert sum(one.amount for one in back.fact.refunds) == 2500
    desk.till.close()


@pytest.mark.parametrize(
    ("given", "amount", "change", "rounding"),
    [(2994, 2504, 490, 4), (2506, 2496, 10, -4), (2504, 2504, 0, 4), (3005, 2495, 510, -5)],
)
def test_change_for_a_voucher_is_paid_in_coins_there_are(
    make_desk, given, amount, change, rounding
):
    rules = msgspec.structs.replace(VOUCHERS, cash_rounding=CashRounding(step_minor=10))
    desk = make_desk(rules)
    desk.scan(BISCUIT_CODE, BISCUIT_CODE)
    tender = desk.counter.checkout.tender(TenderKind.VOUCHER, given)  # 25.00 due
    assert (tender.amount, tender.given, tender.change) == (amount, given, change)
    sale = desk.finish()
    assert sale.fact.rounding == rounding
    figures = desk.counter.shifts.figures()
    assert figures.expected_cash == figures.float_amount - change
    assert figures.rounding == rounding
    goods = {one.sku: one for one in GOODS}
    assert judge(sale.fact, desk.till.books.clock.now(), rules, goods) == []
    desk.till.close()


def test_a_voucher_without_the_rule_gives_no_change(make_desk):
    desk = make_desk(programme())
    desk.scan(BISCUIT_CODE)
    with pytest.raises(DomainError, match="tender-exceeds-due"):
        desk.counter.checkout.tender(TenderKind.VOUCHER, 5000)
