"""A server that lost its disk goes on from a copy: tills heal it without anybody's help."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from desktop.store.replica import read_held
from desktop.store.retention import KEPT_FOR
from desktop.store.schema import cursors, held_rows, held_scopes
from desktop.store.verification import verify_till
from desktop.store.writer import Transaction
from shared.errors import DomainError
from shared.ids import GoodsId
from shared.protocol.message import Stream
from shared.trade.fact import CashCount
from sync_server.backup.filling import fill_from
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import open_copier
from sync_server.journal.audit import Report, audit
from sync_server.ledger.finding import Rule
from sync_server.operators.desk import Role
from sync_server.web.reading import OfficeReader
from tests.support.enrolled_till import BISCUITS, GOODS, WATER
from tests.support.little_chain import LittleChain, TillHere

PASSPHRASE = "four words of a song"
BISCUIT, BOTTLE = BISCUITS.barcodes[0], WATER.barcodes[0]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=2) as made:
        yield made


def back_up(chain: LittleChain) -> Path:
    with open_copier(chain.server.folder, clock=chain.clock) as copier:
        copy = replace(copier, log2_n=4).make(chain.folder / "usb", PASSPHRASE, off_machine=True)
    return copy.file


def lose_and_restore(chain: LittleChain, copy: Path) -> None:
    """The machine burns; another one is set up on the same address."""
    chain.server.stop()
    shutil.rmtree(chain.server.folder)
    restore(chain.server.folder, Source(backup=copy, passphrase=PASSPHRASE), clock=chain.clock)
    chain.server.start()


def end_day(chain: LittleChain, till: TillHere, then: timedelta) -> None:
    shifts = till.counter.shifts
    expected = shifts.figures().expected_cash
    shifts.close(till.operator_id, [CashCount(denomination=1, pieces=expected)])
    shifts.close_day(till.operator_id)
    chain.clock.advance(seconds=then.total_seconds())
    till.shift = shifts.open(till.operator_id, [])


def verified(chain: LittleChain) -> Report:
    with chain.server.services.database.reading() as snapshot:
        report = audit(snapshot)
    assert report.flaws == []
    for till in chain.tills:
        assert verify_till(till.folder).flaws == []
    return report


def test_tills_send_again_what_the_copy_lacks_and_all_books_agree(chain: LittleChain) -> None:
    east, west = chain.tills
    member = east.enrol("李雷", phone="13800138000")
    east.sell(BISCUIT, member=member)
    chain.drain()
    copy = back_up(chain)
    late = west.enrol("韩梅梅", phone="13900139000")
    for _ in range(3):
        east.sell(BOTTLE, member=member)
        west.sell(BISCUIT, member=late)
    chain.drain()
    # Sold while there is no server at all.
    chain.server.stop()
    east.sell(BISCUIT, member=member)
    chain.server.start()

    lose_and_restore(chain, copy)
    chain.drain()

    assert verified(chain).holes == []
    for till in chain.tills:
        for one in (member, late):
            found = till.member(one.member_id)
            assert found is not None
            assert (found.name, found.points > 0) == (one.name, True)
    points = {till.member(member.member_id).points for till in chain.tills}
    assert len(points) == 1
    chain.close()
    assert chain.reckon().differences == []


def test_what_a_till_had_deleted_and_an_older_copy_lacks_is_a_hole_that_stops_nothing(
    chain: LittleChain,
) -> None:
    east, _west = chain.tills
    east.sell(BISCUIT)
    chain.drain()
    old = back_up(chain)
    for _ in range(5):
        east.sell(BISCUIT)
    end_day(chain, east, KEPT_FOR + timedelta(days=1))
    end_day(chain, east, timedelta(0))
    chain.drain()
    newest = back_up(chain)
    east.sell(BOTTLE)
    chain.drain()  # tells it what is safe
    assert east.till.retention.run() > 5

    lose_and_restore(chain, old)
    chain.drain()

    assert len(verified(chain).holes) == 1
    rules = [one.rule for one in _office(chain).exceptions(1).items]
    assert sorted(rules) == [Rule.HOLE, Rule.RESTORED]
    east.sell(BISCUIT)
    chain.drain()

    services = chain.server.services
    filled = fill_from(services.database, services.ingest, newest, PASSPHRASE)

    assert sum(one.entries for one in filled) > 0
    assert verified(chain).holes == []


def _office(chain: LittleChain) -> OfficeReader:
    return OfficeReader(chain.server.services.database)


def test_the_till_tells_when_the_server_was_copied(chain: LittleChain) -> None:
    east = chain.tills[0]
    east.sync()
    assert east.till._status.backup_at is None

    back_up(chain)
    east.sync()

    assert east.till._status.backup_at == chain.clock.now()
    east.restart()
    assert east.till.pusher.server_told().backup_at is not None


def test_what_the_restored_server_does_not_know_goes_and_the_rest_stays_in_use(
    chain: LittleChain,
) -> None:
    east = chain.tills[0]
    services = chain.server.services
    member = east.enrol("李雷", phone="13800138000")
    chain.drain()
    copy = back_up(chain)
    services.operators.add("赵六", pin="4321", role=Role.CASHIER)
    services.catalogue.put([replace(WATER, sku=GoodsId("new"), barcodes=("6900000000007",))])
    chain.drain()
    assert {one.name for one in east.till.operators.all()} == {"王芳", "赵六"}

    lose_and_restore(chain, copy)
    chain.drain()

    assert {one.name for one in east.till.operators.all()} == {"王芳"}
    with pytest.raises(DomainError):
        east.sell("6900000000007")
    assert east.sell(BISCUIT, member=member).fact.total == 12_50
    chain.drain()
    assert [one.rule for one in _office(chain).exceptions(1).items] == [Rule.RESTORED]


@pytest.mark.parametrize(
    "harm",
    [
        update(held_scopes).values(checksum="0" * 16),
        update(held_scopes).values(row_count=7),
        delete(held_rows),
    ],
    ids=["checksum", "count", "rows"],
)
def test_a_till_that_holds_something_else_reads_it_anew_and_tells(
    chain: LittleChain, harm: Any
) -> None:
    east = chain.tills[0]
    chain.drain()
    with east.till.store.reading.connect() as connection:
        right = read_held(connection, Stream.CATALOGUE)
    east.till.store.writer.run(lambda transaction: transaction.connection.execute(harm))
    if harm.table is held_rows:
        # Rows are looked at when they change: the old hash is not there to be taken away.
        chain.server.services.catalogue.put([replace(BISCUITS, name_en="Other")])

    chain.drain()

    with east.till.store.reading.connect() as connection:
        held = read_held(connection, Stream.CATALOGUE)
    assert held.rows == right.rows
    assert east.sell(BISCUIT).fact.total == 12_50
    assert {one.rule for one in _office(chain).exceptions(1).items} == {Rule.REPLICA_DIFFERED}
    before = len(_office(chain).exceptions(1).items)
    chain.drain()
    assert len(_office(chain).exceptions(1).items) == before


def test_a_till_whose_files_a_release_before_has_written_is_counted_too(
    chain: LittleChain,
) -> None:
    east = chain.tills[0]
    chain.drain()

    def forget(transaction: Transaction) -> None:
        for table in (held_rows, held_scopes, cursors):
            transaction.connection.execute(delete(table))

    east.till.store.writer.run(forget)
    chain.drain()

    with east.till.store.reading.connect() as connection:
        assert read_held(connection, Stream.CATALOGUE).rows == len(GOODS)
    assert _office(chain).exceptions(1).items == ()
