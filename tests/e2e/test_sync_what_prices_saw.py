"""Tills, a server and its audit: offers for members agree everywhere, what contradicts is found."""

from collections.abc import Iterator

import pytest

from desktop.reckoning.file import read_server
from desktop.services.returns import ReturnedBy
from shared.loyalty.conditions import Around, Birthday, FirstSale, NthVisit, Segments
from shared.loyalty.effects import AmountOff, Ladder, Step
from shared.loyalty.offers import Limits
from shared.loyalty.programme import CashRounding, ReturnPolicy, Returns
from shared.returning.lines import Wanted
from tests.pricing_builders import earning, offer, programme
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]
DAY_S = 24 * 3600
RULES = programme(
    offer("birthday", AmountOff(off_minor=1_00), conditions=(Birthday(within=Around.MONTH),)),
    offer("first", AmountOff(off_minor=2_00), conditions=(FirstSale(),)),
    offer("third", AmountOff(off_minor=3_00), conditions=(NthVisit(every=3),)),
    offer("friends", AmountOff(off_minor=4_00), conditions=(Segments(segments=("friends",)),)),
    offer("once", AmountOff(off_minor=5_00), limits=Limits(in_total=1)),
    offer("five", Ladder(steps=(Step(threshold_minor=20_00, off_minor=5_00),))),
    earning=earning(),
    cash_rounding=CashRounding(step_minor=1),
    returns=Returns(policy=ReturnPolicy.RE_PRICE),
)


@pytest.fixture
def chain(tmp_path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, programme=RULES) as made:
        yield made


def audit(chain: LittleChain) -> tuple[int, int, int, int]:
    """Sales and returns judged, and of each those that differ; none may be left unjudged."""
    services = chain.server.services
    sales, returns = services.audit.run(), services.returns_audit.run()
    assert not +sales.unjudged
    assert not +returns.unjudged
    return sales.judged, sales.different, returns.judged, returns.different


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]


def take_back(till, sale, units):
    return till.till.returns.take_back(
        till.till.pricing(),
        till.till.returns.by_receipt(sale.fact.receipt_no),
        [Wanted(1, units)],
        ReturnedBy(shift=till.shift, operator_id=till.operator_id, reason="changed mind"),
    )


def test_what_one_till_learns_holds_at_the_other_and_the_audit_agrees_with_both(chain):
    first, second = chain.tills
    member = first.enrol("王小明", "13800138000", birthday="0331")
    chain.drain()
    assert second.member(member.member_id).birthday == "--03-31"
    opening = second.sell(*[BISCUIT] * 2, member=member).fact
    # 25.00: birthday 1, first 2, once 5, and the ladder of 5.00 where 20.00 are left.
    assert opening.known.birthday == ("month",)
    assert {one.offer_id for one in opening.offers} >= {"birthday", "first", "once"}
    chain.drain()
    chain.server.services.segments.put("friends", [member.member_id])
    chain.drain()
    chain.clock.advance(seconds=DAY_S)
    friend = first.sell(BISCUIT, member=member).fact
    assert {one.offer_id for one in friend.offers} == {"birthday", "friends", "once"}
    chain.drain()
    assert rules(chain) == []
    judged, different, *_ = audit(chain)
    # The second till used the offer that may be used once; the first could not know its count.
    assert (judged, different) == (2, 1)
    assert rules(chain) == ["claimed-otherwise"]
    chain.close()
    assert chain.reckon().differences == []


def test_returns_by_what_is_kept_agree_at_the_server(chain):
    first, _second = chain.tills
    member = first.enrol("王小明", "13800138000", birthday="0317")
    sale = first.sell(*[BISCUIT] * 3, member=member)
    first.sell(BISCUIT, member=member)
    backs = [take_back(first, sale, 1).fact.total for _ in range(3)]
    assert sum(backs) == sale.fact.total
    assert len(set(backs)) > 1
    chain.drain()
    assert audit(chain) == (2, 0, 3, 0)
    assert rules(chain) == []


def test_two_first_sales_without_a_network_are_told(chain):
    first, second = chain.tills
    member = first.enrol("王小明", "13800138000")
    chain.drain()
    for plug in chain.plugs:
        plug.pull()
    first.sell(BISCUIT, member=member)
    chain.clock.advance(seconds=60)
    second.sell(BISCUIT, member=member)
    chain.drain()
    judged, different, *_ = audit(chain)
    assert (judged, different) == (2, 1)
    assert rules(chain) == ["claimed-otherwise"]
    assert audit(chain) == (0, 0, 0, 0)
