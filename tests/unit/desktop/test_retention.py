"""What a till deletes, and what it never does."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError

from desktop.store.journal import current_epoch
from desktop.store.retention import KEPT_FOR, Retention
from desktop.store.schema import attachments, entries, epochs, fiscal_tickets, print_jobs
from desktop.store.tickets import count_tickets, recent
from desktop.store.writer import Transaction
from hardware.simulators.fiscal import LocalFiscalDevice
from shared.errors import DomainError
from shared.journal.chain import ChainHead, verify_chain
from shared.loyalty.coupon_code import issued_coupon_code
from shared.loyalty.effects import AmountOff, IssueCoupon
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import CashRounding
from shared.trade.fact import CashCount
from tests.pricing_builders import names, offer, programme
from tests.support.desk import BISCUIT_CODE, FLOAT, Desk, open_desk
from tests.support.enrolled_till import CASHIER, LOOKUP_KEY

LONG = KEPT_FOR + timedelta(days=1)


def safe(desk: Desk, seq: int, *, acknowledged: int | None = None) -> None:
    """The server said that it has entries below ``seq`` on another device."""
    known = seq if acknowledged is None else acknowledged

    def say(transaction: Transaction) -> None:
        transaction.connection.execute(
            update(epochs).values(durable_seq=seq, acknowledged_seq=known)
        )

    desk.till.store.writer.run(say)


def end_day(desk: Desk, after: timedelta = timedelta(days=1)) -> None:
    expected = desk.counter.shifts.figures().expected_cash
    desk.counter.shifts.close(CASHIER, [CashCount(denomination=1, pieces=expected)])
    desk.counter.shifts.close_day(CASHIER)
    desk.clock.advance(seconds=after.total_seconds())
    desk.shift = desk.counter.shifts.open(CASHIER, FLOAT)


def tidy(desk: Desk) -> int:
    return Retention(desk.till.store.writer, desk.clock, desk.till.store.folder.database).run()


def seqs(desk: Desk) -> list[int]:
    with desk.till.store.reading.connect() as connection:
        return list(connection.execute(select(entries.c.seq).order_by(entries.c.seq)).scalars())


def count(desk: Desk, table) -> int:
    with desk.till.store.reading.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_without_a_copy_elsewhere_everything_stays_for_ever(desk):
    desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, 0, acknowledged=len(seqs(desk)))

    assert tidy(desk) == 0


def test_what_is_safe_but_young_stays(desk):
    desk.sell(BISCUIT_CODE)
    end_day(desk, KEPT_FOR - timedelta(seconds=1))
    end_day(desk, timedelta(0))
    safe(desk, len(seqs(desk)))

    assert tidy(desk) == 0


def test_what_is_old_but_not_acknowledged_stays(desk):
    desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, len(seqs(desk)), acknowledged=1)

    assert tidy(desk) == 1


def test_what_is_safe_and_old_goes_and_the_chain_is_checked_from_there(desk):
    for _ in range(30):
        desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    last_z = seqs(desk)[-3]
    end_day(desk)
    before = seqs(desk)
    safe(desk, len(before))

    gone = tidy(desk)

    assert gone > 30
    assert seqs(desk) == before[gone:]
    assert gone <= last_z + 2
    with desk.till.store.reading.connect() as connection:
        epoch = current_epoch(connection)
        rows = connection.execute(
            select(entries.c.bytes, entries.c.hash).order_by(entries.c.seq)
        ).all()
    assert (epoch.oldest_seq, len(epoch.forgotten_hash)) == (gone, 32)
    start = ChainHead(epoch.head.journal, epoch.head.epoch, gone, epoch.forgotten_hash)
    assert verify_chain(start, [tuple(row) for row in rows]) == epoch.head


def test_a_day_that_is_not_closed_keeps_its_entries_whatever_their_age(desk):
    desk.sell(BISCUIT_CODE)
    desk.clock.advance(seconds=LONG.total_seconds())
    desk.sell(BISCUIT_CODE)
    safe(desk, len(seqs(desk)))

    assert tidy(desk) == 0
    assert desk.counter.shifts.figures().sales == 2


def test_the_till_works_on_without_its_old_entries(desk):
    old = desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, len(seqs(desk)))
    with desk.till.store.reading.connect() as connection:
        numbered = count_tickets(connection)
    assert tidy(desk) > 0

    new = desk.sell(BISCUIT_CODE)

    with desk.till.store.reading.connect() as connection:
        assert [one.receipt_no for one in recent(connection, limit=9)] == [new.fact.receipt_no]
        # Numbers go on from all receipts there ever were.
        assert count_tickets(connection) == numbered + 1
    assert new.fact.receipt_no != old.fact.receipt_no
    with pytest.raises(DomainError) as refused:
        desk.till.returns.by_receipt(old.fact.receipt_no)
    assert refused.value.code == "unknown-receipt"
    end_day(desk)
    folder, clock = desk.till.store.folder, desk.clock
    desk.till.close()
    again = open_desk(folder, clock)
    assert again.sell(BISCUIT_CODE).fact.total == 12_50
    again.till.close()


def test_a_head_file_from_before_the_deletion_is_no_loss(desk):
    stale = desk.till.store.folder.head.read_bytes()
    desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, len(seqs(desk)))
    assert tidy(desk) > 0
    folder, clock = desk.till.store.folder, desk.clock
    desk.till.close()
    folder.head.write_bytes(stale)

    open_desk(folder, clock).till.close()


def test_paper_goes_with_its_entry(desk):
    desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, len(seqs(desk)))
    before = count(desk, print_jobs)

    assert tidy(desk) > 0

    assert 0 < count(desk, print_jobs) < before


def test_personal_data_stays_until_it_is_safe_and_no_longer(desk):
    desk.enrol("李雷")
    desk.enrol("韩梅梅", phone="13900139000")
    last = len(seqs(desk)) - 1
    safe(desk, 0, acknowledged=last + 1)
    tidy(desk)
    assert count(desk, attachments) == 2

    safe(desk, last, acknowledged=last + 1)
    tidy(desk)

    assert count(desk, attachments) == 1


@pytest.mark.parametrize(
    "statement",
    [
        delete(entries),
        update(epochs).values(oldest_seq=2),
        update(epochs).values(oldest_seq=-1),
    ],
    ids=["delete", "give up unsafe ones", "go back"],
)
def test_the_database_itself_lets_nothing_else_go(desk, statement):
    desk.sell(BISCUIT_CODE)
    safe(desk, 1)

    with pytest.raises(DBAPIError):
        desk.till.store.writer.run(lambda transaction: transaction.connection.execute(statement))

    assert len(seqs(desk)) == 2


def test_a_coupon_that_was_used_or_lapsed_is_not_good_again_once_its_sale_is_gone(make_desk):
    rule = Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9)
    desk = make_desk(
        programme(
            offer("issuing", IssueCoupon(coupon="off")),
            offer("off", AmountOff(off_minor=1_00), claimed=True),
            coupons=(rule,),
            cash_rounding=CashRounding(step_minor=1),
        )
    )

    def code(sale) -> str:
        return issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 1)

    used, kept = desk.sell(BISCUIT_CODE), desk.sell(BISCUIT_CODE)
    desk.clock.advance(seconds=24 * 3600)
    desk.sell(BISCUIT_CODE, code(used))
    end_day(desk, LONG)
    end_day(desk)
    safe(desk, len(seqs(desk)))
    assert tidy(desk) > 3

    for sale, said in ((used, "coupon-used"), (kept, "coupon-lapsed")):
        with pytest.raises(DomainError) as refused:
            desk.scan(code(sale))
        assert refused.value.code == said


def test_it_runs_once_an_hour(desk):
    desk.sell(BISCUIT_CODE)
    end_day(desk, LONG)
    end_day(desk)
    retention = Retention(desk.till.store.writer, desk.clock, desk.till.store.folder.database)
    retention.run_if_due()
    safe(desk, len(seqs(desk)))
    before = len(seqs(desk))

    retention.run_if_due()
    assert len(seqs(desk)) == before

    desk.clock.advance(seconds=3600)
    retention.run_if_due()
    assert len(seqs(desk)) < before


def test_what_has_still_to_be_signed_stays_until_it_is(folder):
    device = LocalFiscalDevice()
    desk = open_desk(folder, fiscal=device)
    desk.sell(BISCUIT_CODE)
    device.is_missing = True
    desk.till.fiscal.work()
    end_day(desk, LONG)
    end_day(desk, timedelta(0))
    safe(desk, len(seqs(desk)))
    kept = tidy(desk)
    assert desk.till.fiscal.unsigned() == 1
    device.is_missing = False
    assert desk.till.fiscal.work() is None
    assert tidy(desk) > kept
    assert count(desk, fiscal_tickets) == 0
    desk.till.close()
