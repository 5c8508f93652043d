"""Visit cards and referrals in two stores, with and without a network."""

import msgspec

from desktop.reckoning.file import read_server
from shared.loyalty.bundle import template
from shared.loyalty.document import GoodsSet, Names
from shared.loyalty.engagement import Referral, VisitCard
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]
RULES = msgspec.structs.replace(
    template("default"),
    visit_cards=(
        VisitCard(
            id="biscuits",
            names=Names(zh="饼干卡", en="Biscuit card"),
            stamps=5,
            goods=GoodsSet(skus=(str(BISCUITS.sku),)),
            per_unit=True,
            points=50,
        ),
    ),
    referral=Referral(points_for_friend=100, points_for_referrer=200, minimum_minor=20_00),
)


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]


def test_stamps_of_one_store_count_in_the_other(tmp_path):
    with LittleChain(tmp_path, programme=RULES) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        here.sell(*[BISCUIT] * 3, member=li)
        chain.drain()
        sale = there.sell(*[BISCUIT] * 3, member=li)
        assert [(one.before, one.after, one.filled) for one in sale.fact.cards] == [(3, 1, 1)]
        chain.drain()
        assert [till.member(li.member_id).cards["biscuits"].stamps for till in chain.tills] == [
            1,
            1,
        ]
        assert chain.reckon().differences == []
        chain.server.services.audit.run()
        assert rules(chain) == []


def test_a_friend_who_buys_in_two_stores_without_a_network_is_told_to_head_office(tmp_path):
    with LittleChain(tmp_path, programme=RULES) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        han = here.till.members.enrol(
            name="韩梅梅",
            phone="13900139000",
            referred_by="13800138000",
            operator_id=here.operator_id,
            tier="member",
        )
        chain.drain()
        before = there.member(li.member_id).points
        for till in chain.tills:
            assert till.sell(BISCUIT, BISCUIT, member=han).fact.referral is not None
        chain.drain()
        assert rules(chain) == ["referral-paid-twice"]
        assert [till.member(li.member_id).points - before for till in chain.tills] == [400, 400]
        assert [till.member(han.member_id).referred_by for till in chain.tills] == ["", ""]
        assert chain.reckon().differences == []
        chain.server.services.audit.run()
        assert rules(chain) == ["referral-paid-twice"]
