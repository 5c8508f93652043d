"""Stored value, gift cards and leases, and tills and servers of other releases, on purpose."""

import random

import pytest

from shared.protocol.message import PROTOCOL
from tests.simulation.actions import Cashier
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.hands import Hands, a_shop
from tests.simulation.judging import check_end
from tests.simulation.machine import Crash
from tests.simulation.plan import Action, Plan
from tests.simulation.releases import OLDER_TILLS, Release
from tests.simulation.running import settle
from tests.simulation.till import SimulatedTill
from tests.simulation.violation import Violation
from tests.simulation.world import World

VALUE = (Action.TOP_UP, Action.CARD_SALE)


def pays(hands: Hands, till: SimulatedTill, action: Action) -> str:
    """Try until a lease was there: some customers come without a sync before."""
    outcome = ""
    for _ in range(8):
        outcome = hands.do(till, action)
        if outcome.startswith("by lease"):
            break
    return outcome


def test_what_is_paid_in_at_one_till_pays_at_another_by_leases_alone():
    with a_shop() as world:
        hands, (one, two) = Hands(world), world.tills
        hands.do(one, Action.ENROL, *VALUE, Action.SYNC)
        hands.do(two, Action.SYNC)
        assert pays(hands, two, Action.PAY_VALUE) == "by lease, online"
        assert pays(hands, two, Action.PAY_CARD) == "by lease, online"
        hands.do(two, Action.RETURN, Action.SYNC)
        assert world.booked.spent
        assert all(world.hearing.granted[lease] for lease in world.booked.spent)


def test_a_till_that_is_cut_off_spends_what_it_holds_and_is_then_refused():
    with a_shop() as world:
        hands, (one, _two) = Hands(world), world.tills
        hands.do(one, Action.ENROL, Action.TOP_UP, Action.SYNC)
        assert pays(hands, one, Action.PAY_VALUE).startswith("by lease")
        hands.strike(one, Fault.PARTITION)
        told = {hands.do(one, Action.PAY_VALUE) for _ in range(12)}
        assert "by lease, offline" in told
        assert any(one.startswith(("beyond-lease", "no right")) for one in told)


def test_a_lease_that_head_office_took_back_and_is_spent_still_is_told():
    with a_shop() as world:
        hands, (one, _two) = Hands(world), world.tills
        hands.do(one, Action.ENROL, Action.TOP_UP, Action.SYNC)
        assert pays(hands, one, Action.PAY_VALUE).startswith("by lease")
        hands.strike(one, Fault.PARTITION)
        assert world.office.reclaim(random.Random(1)) == "done"
        world.is_reclaimed = True
        while "offline" not in hands.do(one, Action.PAY_VALUE):
            pass
    assert any(one.startswith("exception: lease-") for one in world.booked.kinds)


@pytest.mark.parametrize("action", [Action.TOP_UP, Action.CARD_SALE, Action.PAY_VALUE])
def test_a_till_that_dies_amid_value_has_all_of_it_or_nothing(action):
    with a_shop(1) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.ENROL, Action.TOP_UP, Action.SYNC, Action.SYNC)
        for number in range(0, 40, 5):
            drawn = random.Random(number)
            till.fuse.light(number)
            _dies(world, till, action, drawn)
            world.synced(till)


def _dies(world: World, till: SimulatedTill, action: Action, drawn: random.Random) -> None:
    try:
        Cashier(till, world.shop, drawn).do(action)
    except Crash:
        till.kill()
        till.open()
    till.fuse.put_out()


def test_an_older_server_keeps_what_it_cannot_read_until_it_is_upgraded():
    with a_shop(release=Release.FEWER_FACTS) as world:
        hands, (one, two) = Hands(world), world.tills
        hands.do(one, Action.ENROL, *VALUE, Action.SELL, Action.SYNC)
        assert one.till.unsent() == 0 or world.booked.waiting
        assert {told["kind"] for told in world.booked.waiting.values()} == {
            "value_topped_up",
            "gift_card_sold",
        }
        # More is written while nobody can say what it is.
        hands.do(one, Action.TOP_UP)
        assert world.upgrade(one) == "server"
        assert not world.booked.waiting
        hands.do(one, Action.SYNC)
        hands.do(two, Action.SYNC)
        assert pays(hands, two, Action.PAY_VALUE).startswith("by lease")


def test_a_till_that_is_newer_than_its_server_sells_and_sends_when_that_is_upgraded():
    with a_shop(release=Release.OLDER_PROTOCOL) as world:
        hands, (till, _other) = Hands(world), world.tills
        assert hands.do(till, Action.ENROL, Action.SELL, Action.SYNC) in {
            "protocol-version",
            "protocol-unsupported",
        }
        assert till.till.unsent() >= 2
        world.upgrade(till)
        hands.do(till, Action.SYNC, Action.SYNC)
        assert world.booked.kinds["fact: sale_completed"] >= 1


@pytest.mark.parametrize("protocol", OLDER_TILLS)
def test_a_till_of_an_older_release_is_upgraded_amid_a_backlog(protocol):
    with a_shop(protocols=(protocol, PROTOCOL)) as world:
        hands, (one, two) = Hands(world), world.tills
        old, new = (one, two) if one.protocol == protocol else (two, one)
        hands.do(new, Action.ENROL, Action.SELL, Action.SYNC)
        assert hands.do(old, Action.ENROL, Action.TOP_UP, Action.SYNC) == "done"
        hands.do(old, Action.SELL, Action.SELL)
        assert world.upgrade(old) == "till"
        assert hands.do(old, Action.SYNC) == "done"
        assert world.coverage.done["release: till upgraded amid a backlog"] == 1


@pytest.mark.parametrize("what", ["passed right", "missing card"])
def test_the_judge_sees_value_that_is_not_there(what):
    with World(Plan(11, 1, ()), Coverage()) as world:
        hands, (till,) = Hands(world), world.tills
        hands.do(till, Action.ENROL, *VALUE, Action.SYNC)
        assert pays(hands, till, Action.PAY_VALUE).startswith("by lease")
        settle(world)
        check_end(world)
        if what == "passed right":
            world.hearing.granted.clear()
        else:
            world.booked.cards.clear()
        with pytest.raises(Violation, match=r"lease|card"):
            check_end(world)
