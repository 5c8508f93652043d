"""A sale that pays a referral is a lot of two members: what changes its days is told about both."""

import msgspec

from shared.protocol.message import MemberRow, Stream
from shared.trade.fact import LotDraw, PointsOutcome, ReferralPaid, Tender, TenderKind
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.journal.audit import audit
from tests.support.servers import Server
from tests.support.till_writer import rows_of


def test_a_lot_that_lives_on_is_told_to_the_tills_of_both(server: Server) -> None:
    till = server.enrol_till()
    referrer, friend = till.enrol_member(), till.enrol_member()
    sale = till.sell(1000, member=friend, earned=10, expires_on="2026-03-01")
    sold = read_fact(till.entries.pop().envelope)
    till.heads.pop()
    assert isinstance(sold, SaleCompleted)
    paid = ReferralPaid(referrer_id=referrer, for_friend=0, for_referrer=5, minimum=0)
    till.write(msgspec.structs.replace(sold, referral=paid), entry_id=sale)
    spend = till.sell(10, member=friend, spend=(LotDraw(lot=sale, points=10),))
    server.line.push(till)
    cursor = server.line.pull(till, Stream.MEMBERS).cursor

    till.take_back(spend, 10, member=friend)
    back = read_fact(till.entries.pop().envelope)
    till.heads.pop()
    assert isinstance(back, SaleReturned)
    assert back.member is not None
    draw = LotDraw(lot=sale, points=10, last_day="2026-04-15")
    refund = Tender(tender=TenderKind.POINTS, amount=10, points=10, lots=(draw,))
    outcome = msgspec.structs.replace(
        back.member,
        points=PointsOutcome(opening=0, adjusted=10, closing=10, as_of=till.clock.at.isoformat()),
    )
    till.write(msgspec.structs.replace(back, refunds=(refund,), member=outcome))
    server.line.push(till, 4)

    page = server.line.pull(till, Stream.MEMBERS, cursor)
    days = {
        row.member_id: {one.expires_on for one in row.balances if one.lot == sale}
        for row in rows_of(page, MemberRow)
    }
    assert days == {referrer: {"2026-04-15"}, friend: {"2026-04-15"}}
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
