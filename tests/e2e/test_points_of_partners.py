"""Points that members earned at a partner are spent at tills, and the other way round."""

import msgspec

from shared.loyalty.bundle import template
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain
from tests.support.partners import CINEMA

BISCUIT = BISCUITS.barcodes[0]
RULES = msgspec.structs.replace(template("default"), partners=(CINEMA,))


def test_points_earned_at_a_partner_pay_in_every_store(tmp_path):
    with LittleChain(tmp_path, programme=RULES) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        chain.drain()
        partners = chain.server.services.partners
        header = "reference,day,member,spend,points\n"
        done = partners.book("cinema", f"{header}A1,2026-03-01,13800138000,2000.00,\n".encode())
        assert (done.booked, done.refused) == (1, ())
        chain.drain()
        assert [till.member(li.member_id).points for till in chain.tills] == [1000, 1000]
        sale = there.sell(BISCUIT, member=li, points=500)
        assert sale.fact.member.points.spent == 500
        chain.drain()
        left = here.member(li.member_id).points
        done = partners.book("cinema", f"{header}A2,2026-03-02,{li.member_id},50.00,400\n".encode())
        assert (done.booked, done.refused) == (1, ())
        chain.drain()
        earned = 25 - 2  # 46.80 earn; 3.20 were paid with points
        assert [till.member(li.member_id).points for till in chain.tills] == [
            left - 400 + earned
        ] * 2
        agreement = chain.reckon()
        assert agreement.differences == []
        chain.server.services.audit.run()
