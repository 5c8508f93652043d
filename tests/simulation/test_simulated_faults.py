"""Each fault of the simulation on purpose, at every place where it can strike."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.errors import EnvironmentFault
from shared.ids import GoodsId
from shared.protocol.message import PushRequest
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.hands import Hands, a_shop
from tests.simulation.judging import check_end, check_replicas, check_shown
from tests.simulation.machine import Crash
from tests.simulation.network import Answer, Trouble
from tests.simulation.plan import OF_THE_LINE, Action, Plan, Step
from tests.simulation.restoring import restore
from tests.simulation.running import settle
from tests.simulation.template import programme_document
from tests.simulation.till import LOST_ENTRIES, SimulatedTill
from tests.simulation.violation import Violation
from tests.simulation.world import PAGE_ROWS, World
from tests.support.enrolled_till import WATER

MOMENTS = 50
"""More than any action at a till has statements and commits."""
REQUESTS = (
    "push",
    "handshake",
    "leases",
    "pull of operators",
    "pull of programme",
    "pull of catalogue",
    "pull of members",
)
"""Of a sync by a till that has just been started, in this order."""


@pytest.mark.parametrize("fault", OF_THE_LINE)
def test_a_fault_of_the_line_at_every_request_of_a_sync_costs_nothing(fault):
    with a_shop() as world:
        hands, (first, second) = Hands(world), world.tills
        # Leases are shown only to a server that has not seen them: then all others come one later.
        for skip in (*range(len(REQUESTS)), 3, 4):
            hands.do(first, Action.ENROL, Action.SELL, Action.RESTART)
            delay = timedelta(weeks=3)
            first.line.trouble = Trouble(fault, skip=skip, moments=skip * 3, delay=delay)
            outcome = hands.do(first, Action.SYNC)
            was_spared = first.line.trouble is not None
            first.line.trouble = None
            assert (outcome == "done") == (was_spared or fault is Fault.DUPLICATE)
            hands.do(second, Action.SYNC, Action.SELL)
        struck = {state.partition(",")[0] for _fault, state in world.coverage.hits}
        assert set(REQUESTS) - {"leases"} <= struck


@pytest.mark.parametrize("fault", [Fault.DROP_REPLY, Fault.CUT_REPLY, Fault.CRASH_SERVER])
def test_a_lost_answer_to_a_look_up_leaves_the_till_as_it_was(fault):
    with a_shop() as world:
        hands, (first, second) = Hands(world), world.tills
        hands.do(first, *[Action.ENROL] * 6, Action.SELL, Action.SELL, Action.SYNC)
        second.line.trouble = Trouble(fault, skip=1, moments=2)
        hands.do(second, Action.LOOK_UP)
        assert ("look-up" in {state for _fault, state in world.coverage.hits}) is True
        hands.do(second, *[Action.LOOK_UP] * 4, Action.SELL)


def test_requests_that_arrive_weeks_later_and_in_another_order_change_nothing():
    with a_shop() as world:
        hands, (first, _second) = Hands(world), world.tills
        for days in (40, 20, 5):
            hands.do(first, Action.ENROL, Action.SELL)
            first.line.trouble = Trouble(Fault.DELAY, delay=timedelta(days=days))
            assert hands.do(first, Action.SYNC) == "server-timeout"
        assert len(world.network.late) == 3
        assert hands.do(first, Action.SYNC) == "done"
        before = world.booked.next_seqs.copy()
        world.true.advance(days=60)
        world.network.deliver()
        assert world.network.late == []
        assert world.booked.next_seqs == before


@pytest.mark.parametrize("action", [Action.SELL, Action.ENROL, Action.SHIFT])
def test_a_till_that_dies_at_any_moment_of_writing_has_all_of_it_or_nothing(action):
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.SELL)
        struck = list(dying(world, hands, till, action))
    assert {"before a statement", "before a commit", "after a commit"} <= set(struck)


def test_a_till_that_dies_at_any_moment_of_taking_over_is_whole_after_the_next_sync():
    with a_shop() as world:
        hands, (first, second) = Hands(world), world.tills
        struck = []
        hands.do(first, *[Action.ENROL] * 9, Action.SYNC)
        for moments in random.Random(5).sample(range(45), 24):
            hands.do(first, Action.SELL, Action.SYNC)
            second.fuse.light(moments)
            try:
                hands.do(second, Action.SYNC)
            except Crash as crash:
                struck.append(str(crash))
                second.kill()
                second.open()
            second.fuse.put_out()
        assert {"before a statement", "before a commit", "after a commit"} <= set(struck)


def test_a_page_that_is_cut_off_between_two_slices_comes_again():
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        hands.do(till, Action.SYNC)
        struck = 0
        for moments in range(8, 80, 5):
            articles = [
                replace(WATER, sku=GoodsId(f"P{number}"), barcodes=(), list_price_minor=moments)
                for number in range(PAGE_ROWS)
            ]
            world.server.services.catalogue.put(articles)
            till.fuse.light(moments)
            try:
                hands.do(till, Action.SYNC)
            except Crash:
                struck += 1
                till.kill()
                till.open()
            till.fuse.put_out()
            assert hands.do(till, Action.SYNC) == "done"
            check_replicas(world, till)
        assert struck > 5
        # The rest of the page came: nothing was missing that all had to be read anew for.
        rules = world.server.reading.execute("SELECT rule FROM exceptions").fetchall()
        assert rules == []


def dying(world: World, hands: Hands, till: SimulatedTill, action: Action) -> Iterator[str]:
    """Kill a till at one moment of an action after the other, beyond the last there is."""
    for moments in range(MOMENTS):
        till.fuse.light(moments)
        try:
            hands.do(till, action)
        except Crash as crash:
            slots = till.head_slots()
            till.kill()
            till.open()
            assert till.head_slots() == slots
            yield str(crash)
        till.fuse.put_out()


def watched_pushes(world: World) -> list[range]:
    """For each push that reaches the server, the numbers of its entries."""
    sent: list[range] = []
    call = world.server.call

    def watched(method: str, path: str, body: bytes, headers: Any, **more: Any) -> Answer:
        if path == "/v1/sync/push":
            request = msgspec.msgpack.decode(body, type=PushRequest)
            sent.append(range(request.first_seq, request.first_seq + len(request.entries)))
        return call(method, path, body, headers, **more)

    world.server.call = watched  # type: ignore[method-assign]  # told what arrives
    return sent


def test_a_server_that_dies_at_any_moment_of_a_push_has_all_of_it_or_nothing():
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        sent = watched_pushes(world)
        for moments in range(0, 60, 3):
            hands.do(till, Action.ENROL if moments < 40 else Action.SELL, Action.SELL)
            model = world.model_of(till)
            taken = world.booked.next_seqs[model.journal, model.epoch]
            till.line.trouble = Trouble(Fault.CRASH_SERVER, moments=moments)
            hands.do(till, Action.SYNC)
            assert world.booked.next_seqs[model.journal, model.epoch] in {taken, sent[-1].stop}
            if moments % 4 == 0:
                assert hands.do(till, Action.SYNC) == "done"
        assert world.coverage.hits[Fault.CRASH_SERVER, "push"] > 0


@pytest.mark.parametrize("fault", OF_THE_LINE)
def test_an_enrolment_goes_on_wherever_it_was_interrupted(fault):
    with a_shop(1) as world:
        for skip in range(4):
            number = world.tills[0].line
            number.trouble = Trouble(fault, skip=skip, moments=skip)
            for _ in range(3):
                world.do(Step(100 + skip, 0, Action.NEW_TILL, None, 5))
                if not world.enrolments.joining:
                    break
            if len(world.tills) == 3:
                break
        assert len(world.tills) == 3
        assert any(state.startswith("enrolment") for _fault, state in world.coverage.hits)


def test_a_till_that_is_told_of_a_gap_goes_on_exactly_where_the_server_stands():
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.SELL, Action.SELL, Action.SYNC)
        taken = len(world.model_of(till).own)
        hands.do(till, Action.SELL, Action.SELL, Action.SELL)
        till.till.books.change(
            lambda transaction: transaction.connection.exec_driver_sql(
                "UPDATE epochs SET acknowledged_seq = next_seq"
            )
        )
        sent = watched_pushes(world)
        till.line.amid = None
        assert till.sync()
        assert sent == [range(taken + 3, taken + 3), range(taken, taken + 3)]


def test_a_power_cut_that_loses_the_newest_slot_of_the_head_file_is_no_damage():
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.SELL)
        slots = till.head_slots()
        hands.do(till, Action.SELL)
        assert till.head_slots() != slots
        till.kill()
        till.folder.head.write_bytes(slots)
        till.open()
        hands.do(till, Action.SELL)


def test_a_database_without_its_newest_commits_is_refused():
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.SELL)
        till.keep_image()
        hands.do(till, Action.SELL)
        slots = till.head_slots()
        till.kill()
        whole = till.folder.path.with_name("whole")
        till.folder.path.rename(whole)
        shutil.copytree(till.image, till.folder.path)
        till.folder.head.write_bytes(slots)
        with pytest.raises(EnvironmentFault, match="journal-behind-head"):
            till.open()
        shutil.rmtree(till.folder.path)
        whole.rename(till.folder.path)
        till.open()
        hands.strike(till, Fault.OLD_DATABASE)
        assert world.coverage.hits[Fault.OLD_DATABASE, "refused"] == 1


@pytest.mark.parametrize("hours", [-400, -2, 2, 400])
def test_a_clock_that_jumps_changes_no_balance(hours):
    with a_shop() as world:
        hands, (first, second) = Hands(world), world.tills
        hands.do(first, Action.ENROL, Action.SELL, Action.SYNC)
        first.clock.jump(timedelta(hours=hours))
        hands.do(first, Action.SELL, Action.RESTART, Action.SELL, Action.SYNC)
        world.server.clock.jump(timedelta(hours=hours))
        hands.do(second, Action.SYNC, Action.SELL, Action.SYNC)
        hands.do(first, Action.SYNC)


def test_a_till_without_a_line_sells_and_sends_later():
    with a_shop() as world:
        hands, (first, second) = Hands(world), world.tills
        hands.do(first, Action.ENROL, Action.SYNC)
        first.line.cut_until = world.true.now() + timedelta(weeks=2)
        hands.do(first, *[Action.SELL] * 30)
        assert hands.do(first, Action.SYNC) == "server-unreachable"
        assert first.till.unsent() >= 30
        hands.do(second, Action.SYNC, Action.SELL)
        world.true.advance(weeks=2)
        assert hands.do(first, Action.SYNC) == "done"


@pytest.mark.parametrize("sent_before", [True, False])
def test_a_disk_that_is_set_back_loses_nothing_that_was_acknowledged(sent_before):
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.SELL)
        till.keep_image()
        hands.do(till, Action.SELL, Action.SELL)
        if sent_before:
            hands.do(till, Action.SYNC)
        hands.strike(till, Fault.RESTORE_IMAGE)
        hands.do(till, Action.SELL)
        settle(world)
        forks = world.server.reading.execute(
            "SELECT COUNT(*) FROM epochs WHERE forked_epoch IS NOT NULL"
        ).fetchone()[0]
        assert forks == sent_before


def test_a_disk_that_is_set_back_and_asks_before_it_sells_is_enrolled_again():
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.SELL)
        till.keep_image()
        hands.do(till, Action.SELL, Action.SELL, Action.SYNC)
        hands.strike(till, Fault.RESTORE_IMAGE)
        assert hands.do(till, Action.SYNC) == LOST_ENTRIES
        assert hands.do(till, Action.SELL) == LOST_ENTRIES
        till.restart()
        assert not till.is_running
        assert world.enrolments.mend(till) == "enrolled again"
        assert hands.do(till, Action.SELL, Action.SYNC) == "done"


def test_the_judge_sees_a_till_that_is_told_of_a_loss_it_did_not_have():
    with World(Plan(11, 1, ()), Coverage()) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.SELL, Action.SYNC)
        till.till.books.change(
            lambda transaction: transaction.connection.exec_driver_sql(
                "UPDATE epochs SET server_seq = next_seq + 1"
            )
        )
        with pytest.raises(AssertionError, match="never set back"):
            world.enrolments.mend(till)


def test_a_programme_of_a_life_that_was_lost_gives_way_at_every_till():
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        world.do(Step(900, 0, Action.COPY, None, 1))
        world.server.clock.jump(timedelta(hours=72))
        restore(world.server, world.faults.backup)
        world.server.services.programme.publish(programme_document(3))
        assert hands.do(till, Action.SYNC) == "done"
        world.server.clock.jump(timedelta(hours=-72))
        hands.strike(till, Fault.RESTORE_SERVER)
        # Above what the copy has, below what the first life gave.
        world.server.services.programme.publish(programme_document(2))
        assert hands.do(till, Action.SYNC) == "done"
        check_replicas(world, till)


def test_two_disks_with_one_key_are_two_branches_and_every_sale_counts_once():
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.SELL)
        hands.strike(till, Fault.CLONE)
        twin = world.tills[-1]
        for each in (till, twin):
            hands.do(each, Action.SELL, Action.SELL, Action.SYNC)
        settle(world)
        rules = [
            row[0]
            for row in world.server.reading.execute("SELECT rule FROM exceptions")
            if row[0] == "fork"
        ]
        assert rules == ["fork"]


def test_a_till_whose_key_was_replaced_sends_what_it_sold_though_it_holds_leases():
    with a_shop() as world:
        hands, (till, _other) = Hands(world), world.tills
        world.office.publish(1, leases_points=True)
        hands.do(till, Action.SELL, Action.SYNC, Action.SYNC)
        hands.strike(till, Fault.CLONE)
        copy = world.tills[-1]
        hands.do(copy, Action.SELL, Action.SYNC)
        hands.do(till, Action.SYNC)
        assert world.enrolments.mend(till) == "enrolled again"
        hands.do(till, Action.SYNC)
        hands.do(copy, Action.SELL)
        sold = copy.reading.execute("SELECT hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        hands.do(copy, Action.SYNC)
        assert sold in world.server.reading.execute("SELECT hash FROM entries").fetchall()


def test_the_judge_sees_a_balance_that_is_off_by_one():
    with World(Plan(11, 1, ()), Coverage()) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.SELL, Action.SELL, Action.SELL)
        settle(world)
        check_end(world)
        till.till.books.change(
            lambda transaction: transaction.connection.exec_driver_sql(
                "UPDATE balances SET amount = amount + 1 WHERE account = 'points'"
            )
        )
        with pytest.raises(Violation):
            check_shown(world, till)
