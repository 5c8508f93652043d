"""Referrals among enrolments that were merged since, at tills that have heard of it or not."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from desktop.services.returns import ReturnedBy
from desktop.store.members import Member, stands_for
from shared.loyalty.bundle import template
from shared.loyalty.engagement import Referral
from shared.loyalty.programme import Floor, Returns
from shared.returning.lines import Wanted
from shared.trade.ticket import SaleReturned
from sync_server.members.merging import Verified
from tests.e2e.test_cards_and_friends import rules
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
LI, HAN, WANG = "13800138000", "13900139000", "13700137000"
RULES = msgspec.structs.replace(
    template("default"),
    referral=Referral(
        points_for_friend=100, points_for_referrer=200, minimum_minor=20_00, per_member=1
    ),
    returns=Returns(points_floor=Floor.ZERO),
)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, programme=RULES) as made:
        yield made


def brought(till: TillHere, name: str, phone: str, by: str) -> Member:
    return till.till.members.enrol(
        name=name, phone=phone, referred_by=by, operator_id=till.operator_id, tier="member"
    )


def merge(chain: LittleChain, alias: Member, into: Member) -> str:
    return chain.server.services.merging.merge(
        alias.member_id, into.member_id, verified=Verified.OFFICE
    )


def points(chain: LittleChain, *members: Member) -> list[int]:
    """What all tills show, which has to be one figure each."""
    shown: list[int] = []
    for one in members:
        (figure,) = {known.points for till in chain.tills if (known := till.member(one.member_id))}
        shown.append(figure)
    return shown


def take_all_back(till: TillHere, receipt_no: str) -> SaleReturned:
    sold = till.till.returns.by_receipt(receipt_no)
    by = ReturnedBy(shift=till.shift, operator_id=till.operator_id, reason="changed mind")
    wanted = [Wanted(line.line, line.quantity) for line in sold.sale.lines]
    return till.till.returns.take_back(till.till.pricing(), sold, wanted, by).fact


def test_nobody_is_paid_for_having_brought_themselves(chain: LittleChain) -> None:
    here, there = chain.tills
    li = here.enrol("李雷", phone=LI)
    han = brought(here, "李雷", HAN, LI)
    chain.drain()
    merge(chain, li, han)
    assert here.sync()
    assert here.sell(BISCUIT, BISCUIT, member=han).fact.referral is None
    # The other store has not heard of it: it pays, and head office is told.
    paid = there.sell(BISCUIT, BISCUIT, member=han)
    assert paid.fact.referral is not None
    chain.drain()
    assert rules(chain) == ["referral-to-self"]
    chain.server.services.audit.run()
    assert rules(chain) == ["referral-to-self"]


def test_friends_of_both_enrolments_count_against_the_limit(chain: LittleChain) -> None:
    here, _there = chain.tills
    li, other = here.enrol("李雷", phone=LI), here.enrol("李雷", card="990000000017")
    han = brought(here, "韩梅梅", HAN, LI)
    wang = brought(here, "王强", WANG, "990000000017")
    assert here.sell(BISCUIT, BISCUIT, member=han).fact.referral is not None
    chain.drain()
    merge(chain, other, li)
    chain.drain()
    assert here.sell(BISCUIT, BISCUIT, member=wang).fact.referral is None
    chain.drain()
    chain.server.services.audit.run()
    assert rules(chain) == []


def test_a_return_takes_from_whoever_has_the_points_by_now(chain: LittleChain) -> None:
    here, there = chain.tills
    li, li_too = here.enrol("李雷", phone=LI), here.enrol("李雷", card="990000000017")
    han = brought(here, "韩梅梅", HAN, LI)
    wang = here.enrol("韩梅", phone=WANG)
    sale = here.sell(BISCUIT, BISCUIT, member=han)
    chain.drain()
    earned = points(chain, han)[0]
    first, second = merge(chain, li, li_too), merge(chain, han, wang)
    chain.drain()
    assert points(chain, li, li_too, han, wang) == [0, 200, 0, earned]
    with here.till.books.reading() as connection:
        assert stands_for(connection, han.member_id) == wang.member_id
    back = take_all_back(here, sale.fact.receipt_no)
    assert back.member is not None
    assert back.referral is not None
    # The books name who bought and who brought; the paper shows what the person has.
    assert (back.member.member_id, back.referral.referrer_id) == (han.member_id, li.member_id)
    assert (back.member.points.opening, back.member.points.closing) == (earned, 0)
    chain.drain()
    assert points(chain, li, li_too, han, wang) == [0, 0, 0, 0]
    for one in (first, second):
        chain.server.services.merging.unmerge(one)
    chain.drain()
    assert points(chain, li, li_too, han, wang) == [0, 0, 0, 0]
    chain.server.services.audit.run()
    assert rules(chain) == []
    assert there.till.unsent() == 0


def test_a_basket_held_for_an_alias_comes_back_with_the_person(chain: LittleChain) -> None:
    here, _there = chain.tills
    li, han = here.enrol("李雷", phone=LI), here.enrol("李雷", card="990000000017")
    here.sell(BISCUIT, member=li)
    chain.drain()
    earned = points(chain, li)[0]
    counter = here.counter
    counter.checkout.basket.attach(here.member(li.member_id))
    counter.scanning.scan(BISCUIT)
    held = counter.holding.hold(here.shift, here.operator_id)
    merge(chain, li, han)
    chain.drain()
    state = counter.holding.recall(held.hold_id).state
    assert state.member is not None
    assert (state.member.member_id, state.member.points) == (han.member_id, earned)
    counter.checkout.tender_cash()
    sale = counter.checkout.finish(here.shift, here.operator_id)
    assert sale.fact.member is not None
    assert sale.fact.member.points.opening == earned


def test_who_brought_themselves_after_all_gives_both_back_once(chain: LittleChain) -> None:
    here, _there = chain.tills
    li = here.enrol("李雷", phone=LI)
    han = brought(here, "李雷", HAN, LI)
    sale = here.sell(BISCUIT, BISCUIT, member=han)
    assert sale.fact.referral is not None
    chain.drain()
    merge(chain, li, han)
    chain.drain()
    back = take_all_back(here, sale.fact.receipt_no)
    assert back.member is not None
    taken = sum(draw.points for draw in back.points_taken)
    assert taken == sale.fact.member.points.earned
    assert back.referral is not None
    assert sum(draw.points for draw in back.referral.lots) == 200
    chain.drain()
    assert points(chain, li, han) == [0, 0]
    chain.server.services.audit.run()
    assert rules(chain) == []
