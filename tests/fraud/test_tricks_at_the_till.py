"""Tricks with the hands: at real tills, which refuse them at once."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from desktop.services.leases import LeasedAccount
from desktop.store.leases import put_lease
from desktop.store.members import Member
from desktop.store.schema import leases as lease_table
from shared.errors import DomainError
from shared.journal.keys import Signed
from shared.ledger.account import AccountKind
from shared.loyalty.gift_card_code import new_gift_card_code
from shared.protocol.lease import lease_of
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]


def rich(chain: LittleChain, phone: str) -> Member:
    """A member with points, whom both tills know and the first has seen online."""
    first = chain.tills[0]
    member = first.enrol("李雷", phone)
    first.sell(*[BISCUIT] * 60, member=member)
    chain.drain()
    first.counter.checkout.clear()
    first.counter.checkout.basket.attach(first.member(member.member_id))
    assert first.sync()
    return first.member(member.member_id)


def right(till: TillHere, member: Member) -> int:
    account = LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)
    return till.till.leases.right(account).amount


def refused(call, *arguments, **named) -> str:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value.code


def spend(till: TillHere, member: Member, points: int):
    return till.sell(*[BISCUIT] * 8, member=member, points=points)


def test_a_pin_is_guessed_through_restarts_and_a_clock_set_back(chain):
    till = chain.tills[1]
    operators = till.till.operators
    codes = [refused(operators.sign_in, till.operator_id, f"{n:04}") for n in range(5)]
    assert set(codes) == {"wrong-pin"}
    assert refused(operators.sign_in, till.operator_id, "1234") == "pin-locked"
    till.restart()
    at = chain.clock.at
    chain.clock.set(at - timedelta(days=30))
    assert refused(till.till.operators.sign_in, till.operator_id, "1234") == "pin-locked"
    chain.clock.set(at + timedelta(hours=2))
    till.till.operators.sign_in(till.operator_id, "1234")


def test_points_are_spent_at_two_tills_without_a_network(chain):
    first, second = chain.tills
    member = rich(chain, "13800138001")
    for plug in chain.plugs:
        plug.pull()
    spend(first, member, right(first, member))
    assert refused(spend, second, member, 10) == "beyond-lease"
    second.counter.checkout.clear()
    chain.drain()


def test_an_old_grant_is_put_back_into_the_tills_file(chain):
    till = chain.tills[0]
    member = rich(chain, "13800138002")
    with till.till.books.reading() as connection:
        mine = lease_table.c.owner == member.member_id
        stored = connection.execute(select(lease_table.c.statement).where(mine)).scalar_one()
    grant = msgspec.msgpack.decode(stored, type=Signed)
    key = chain.server.services.vault.signing.public
    terms = lease_of(grant, key, till.till.identity.journal)
    spend(till, member, right(till, member) - 5)
    till.till.store.writer.run(lambda work: put_lease(work.connection, grant, terms))
    assert right(till, member) == 5


def test_the_clock_is_set_back_for_a_lease_that_has_ended(chain):
    till = chain.tills[0]
    member = rich(chain, "13800138003")
    assert right(till, member) > 0
    chain.plugs[0].pull()
    chain.clock.advance(hours=25)
    chain.clock.set(chain.clock.at - timedelta(hours=24))
    assert right(till, member) == 0
    chain.clock.set(chain.clock.at + timedelta(hours=24))
    chain.drain()


def test_a_gift_card_is_invented(chain):
    till = chain.tills[0]
    till.counter.checkout.clear()
    till.counter.scanning.scan(BISCUIT)
    code = new_gift_card_code()
    assert refused(till.counter.checkout.tender_gift_card, code).startswith(("card-", "gift-"))
    till.counter.checkout.clear()


def test_a_members_phone_is_replaced_without_a_manager_or_with_one_of_something_else(chain):
    till = chain.tills[0]
    member = till.enrol("韩梅梅", "13800138004")
    edit = till.till.profiles.edit(member, phone="13900139000")
    other = till.till.operators.approve(till.operator_id, "1234", action="price-override")
    for approvals in ((), (other,)):
        code = refused(
            till.till.profiles.write, edit, operator_id=till.operator_id, approvals=approvals
        )
        assert code == "approval-needed"
    assert till.till.members.by_phone("13900139000") == []


def test_a_known_phone_is_enrolled_again_at_the_same_till(chain):
    till = chain.tills[0]
    till.enrol("李雷", "13800138005")
    assert refused(till.enrol, "Thief", "138 0013 8005") == "member-exists"
