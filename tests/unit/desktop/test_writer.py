"""The one writer: order, atomic jobs, and nothing after the end."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from desktop.store.database import TillFolder, open_reading, open_writing
from desktop.store.settings import read_value, write_value
from desktop.store.writer import SLICES_AT_ONCE, Transaction, Urgency, Writer
from shared.errors import EnvironmentFault


@pytest.fixture
def writer(folder: TillFolder):
    made = Writer(open_writing(folder))
    yield made
    made.close()


def put(key: str, value: str):
    return lambda transaction: write_value(transaction.connection, key, value)


def stored(folder: TillFolder, key: str) -> str | None:
    engine = open_reading(folder)
    with engine.connect() as connection:
        found = read_value(connection, key, str)
    engine.dispose()
    return found


def test_a_future_resolves_only_after_its_commit(writer, folder):
    writer.run(put("a", "1"))
    assert stored(folder, "a") == "1"


def test_a_job_that_raises_leaves_nothing_and_the_next_one_goes_on(writer, folder):
    ran = []

    def half(transaction: Transaction) -> None:
        write_value(transaction.connection, "a", "half")
        transaction.after_commit(lambda: ran.append("after commit"))
        raise LookupError

    with pytest.raises(LookupError):
        writer.run(half)
    assert stored(folder, "a") is None
    assert ran == []
    writer.run(put("a", "whole"))
    assert stored(folder, "a") == "whole"


def test_sales_overtake_what_waits_and_keep_their_own_order(writer):
    gate, order = threading.Event(), []
    blocked = writer.submit(lambda _transaction: gate.wait(10), Urgency.BACKGROUND)
    waiting = [
        writer.submit(lambda _transaction, what=what: order.append(what), urgency)
        for what, urgency in [
            ("sync 1", Urgency.BACKGROUND),
            ("sale 1", Urgency.SALE),
            ("sync 2", Urgency.BACKGROUND),
            ("sale 2", Urgency.SALE),
        ]
    ]
    gate.set()
    for future in [blocked, *waiting]:
        future.result(10)
    assert order == ["sale 1", "sale 2", "sync 1", "sync 2"]


def test_what_was_queued_is_finished_at_the_end_and_nothing_comes_after(folder):
    writer = Writer(open_writing(folder))
    gate = threading.Event()
    writer.submit(lambda _transaction: gate.wait(10))
    last = writer.submit(put("a", "last"), Urgency.BACKGROUND)
    gate.set()
    writer.close()
    assert last.done()
    assert stored(folder, "a") == "last"
    with pytest.raises(EnvironmentFault) as caught:
        writer.submit(put("a", "late"))
    assert caught.value.code == "till-closing"


def test_a_job_taken_back_before_its_turn_is_not_done(writer, folder):
    gate = threading.Event()
    blocked = writer.submit(lambda _transaction: gate.wait(10))
    unwanted = writer.submit(put("a", "unwanted"))
    assert unwanted.cancel()
    gate.set()
    blocked.result(10)
    writer.run(lambda _transaction: None)
    assert stored(folder, "a") is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET bytes = x'00'",
        "DELETE FROM entries",
        "UPDATE postings SET amount = amount + 1",
        "DELETE FROM postings",
        "DELETE FROM head_signatures",
    ],
)
def test_the_journal_only_grows(desk, statement):
    desk.sell("6901285991219")
    if "head_signatures" in statement:
        desk.till.store.writer.run(
            lambda work: work.connection.execute(
                text(
                    "INSERT INTO head_signatures (journal, epoch, seq, hash, key_id, signature)"
                    " VALUES ('j', 1, 0, x'00', 'k', x'00')"
                )
            )
        )
    with pytest.raises(IntegrityError):
        desk.till.store.writer.run(lambda work: work.connection.execute(text(statement)))


def test_slices_share_a_commit_until_a_sale_waits(writer):
    order, sales = [], []

    def one(number: int):
        def work(transaction: Transaction) -> None:
            order.append(f"slice {number}")
            transaction.after_commit(lambda: order.append(f"commit with {number}"))
            if number == 1:
                sales.append(writer.submit(lambda _transaction: order.append("sale")))

        return work

    writer.run_slices([one(number) for number in range(4)])
    for sale in sales:
        sale.result(10)
    assert order == [
        "slice 0",
        "slice 1",
        "commit with 0",
        "commit with 1",
        "sale",
        "slice 2",
        "slice 3",
        "commit with 2",
        "commit with 3",
    ]


def test_no_commit_holds_more_slices_than_a_sale_can_wait_for(writer):
    commits = []

    def one(transaction: Transaction) -> None:
        transaction.after_commit(lambda: commits.append(transaction))

    writer.run_slices([one] * (2 * SLICES_AT_ONCE + 1))
    counted = [commits.count(each) for each in dict.fromkeys(commits)]
    assert counted == [SLICES_AT_ONCE, SLICES_AT_ONCE, 1]


def test_a_slice_that_raises_takes_along_what_was_not_committed_yet(writer, folder):
    def bad(_transaction: Transaction) -> None:
        raise LookupError

    before = [put(f"{number}", "done") for number in range(SLICES_AT_ONCE)]
    with pytest.raises(LookupError):
        writer.run_slices([*before, put("lost", "done"), bad])
    assert stored(folder, "0") == stored(folder, f"{SLICES_AT_ONCE - 1}") == "done"
    assert stored(folder, "lost") is None
