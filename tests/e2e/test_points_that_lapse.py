"""Points that lapse, live on, and are lost for want of activity: the same at every till."""

import msgspec
import pytest
from sqlalchemy import select

from shared.loyalty.bundle import template
from shared.loyalty.lots import spendable
from shared.loyalty.member_now import lots_now
from shared.loyalty.programme import Expiry
from sync_server.database import schema
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain

BISCUIT, BOTTLE = BISCUITS.barcodes[0], WATER.barcodes[0]
DAY = 24 * 3600


def rules(**expiry):
    whole = template("default")
    return msgspec.structs.replace(
        whole,
        expiry=Expiry(**expiry),
        redemption=msgspec.structs.replace(
            whole.redemption, points_per_block=1, value_per_block_minor=10
        ),
    )


def free(till, member) -> int:
    """What the till lets the member spend now."""
    programme = till.till.pricing().programme
    held = lots_now(till.member(member.member_id), programme)
    return spendable(held, till.clock.now().date())


@pytest.mark.parametrize("takes_back", ["the till that sold", "another till"])
def test_points_that_come_back_to_a_lapsed_lot_can_be_spent_everywhere(tmp_path, takes_back):
    with LittleChain(tmp_path, programme=rules(days=10, grace_days=5)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        chain.drain()
        here.sell(*[BISCUIT] * 4, member=li)  # 50 points
        chain.drain()
        sale = there.sell(*[BISCUIT] * 2, member=li, points=50)
        (tender,) = (one for one in sale.fact.tenders if one.lots)
        (drawn,) = tender.lots
        assert (drawn.points, drawn.last_day) == (50, "2026-03-12")
        chain.drain()
        chain.clock.advance(seconds=15 * DAY)
        back_at, other = (there, here) if takes_back == "the till that sold" else (here, there)
        assert free(back_at, li) == 0

        back = back_at.take_back(sale.fact.receipt_no, (1, 2)).fact

        (given,) = [draw for one in back.refunds for draw in one.lots]
        assert (given.lot, given.points, given.last_day) == (drawn.lot, 50, "2026-03-22")
        # What the sale itself earned has lapsed with its own lot; what came back is good at once.
        assert free(back_at, li) == 50
        chain.drain()
        assert free(other, li) == 50
        chain.clock.advance(seconds=5 * DAY)
        assert free(other, li) == free(back_at, li) == 50
        chain.clock.advance(seconds=DAY)
        assert free(other, li) == free(back_at, li) == 0
        agreement = chain.reckon()
        assert agreement.differences == []
        chain.server.services.returns_audit.run()
        with chain.server.services.database.reading() as snapshot:
            found = select(schema.exceptions.c.rule)
            assert list(snapshot.connection.execute(found).scalars()) == []


def test_a_lot_that_has_not_lapsed_lives_no_longer_for_what_comes_back(tmp_path):
    with LittleChain(tmp_path, programme=rules(days=10, grace_days=5)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        here.sell(*[BISCUIT] * 4, member=li)
        sale = here.sell(*[BISCUIT] * 2, member=li, points=50)
        chain.drain()
        chain.clock.advance(seconds=9 * DAY)
        back = there.take_back(sale.fact.receipt_no, (1, 2)).fact
        assert [draw.last_day for one in back.refunds for draw in one.lots] == [""]
        chain.drain()
        assert free(here, li) == free(there, li) == 50
        chain.clock.advance(seconds=2 * DAY)
        assert free(here, li) == free(there, li) == 0


def test_what_lapsed_in_a_pause_does_not_come_back_with_the_next_purchase(tmp_path):
    with LittleChain(tmp_path, programme=rules(inactive_days=30)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        here.sell(*[BISCUIT] * 4, member=li)
        chain.drain()
        chain.clock.advance(seconds=20 * DAY)
        there.sell(BISCUIT, member=li)
        chain.drain()
        assert free(here, li) == 62
        chain.clock.advance(seconds=31 * DAY)
        assert free(here, li) == free(there, li) == 0
        here.sell(*[BISCUIT] * 2, member=li)
        assert free(here, li) == 25
        chain.drain()
        assert free(here, li) == free(there, li) == 25
