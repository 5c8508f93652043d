"""A till is as quick with a million members and a year of entries as on its first day."""

import re

from desktop.store import schema
from shared.loyalty.coupon_code import issued_coupon_code
from shared.loyalty.effects import AmountOff, IssueCoupon
from shared.loyalty.offers import Coupon
from tests.pricing_builders import names, offer, programme
from tests.support.desk import BISCUIT_CODE
from tests.support.enrolled_till import LOOKUP_KEY
from tests.support.query_plans import plans

GROWING = (
    schema.entries,
    schema.forgotten,
    schema.attachments,
    schema.postings,
    schema.balances,
    schema.tickets,
    schema.members,
    schema.member_keys,
    schema.goods,
    schema.pulled_balances,
    schema.print_jobs,
)
READS_ALL = re.compile(rf"SCAN ({'|'.join(one.name for one in GROWING)})\b(?! USING INDEX)")


def slow(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Statements that read a growing table from end to end."""
    reading = {
        statement: [step for step in steps if READS_ALL.search(step)]
        # The newest entry is the end of the table.
        for statement, steps in found.items()
        if not ("DESC" in statement and "LIMIT" in statement and "WHERE" not in statement)
    }
    return {statement: steps for statement, steps in reading.items() if steps}


def test_no_scan_sale_or_return_reads_everything(make_desk):
    rule = Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9, personal=True)
    desk = make_desk(
        programme(
            offer("issuing", IssueCoupon(coupon="off")),
            offer("off", AmountOff(off_minor=1_00), claimed=True),
            coupons=(rule,),
        )
    )
    member = desk.enrol()
    store = desk.till.store
    with plans(store.writer._engine, store.reading) as found:
        sale = desk.sell(BISCUIT_CODE, member=member)
        desk.counter.checkout.basket.attach(desk.member(member))
        desk.scan(BISCUIT_CODE, issued_coupon_code(LOOKUP_KEY, "off", sale.entry_id, 1))
        desk.counter.checkout.clear()
        desk.till.members.search("1234")
        desk.till.members.search("王")
        desk.sell(BISCUIT_CODE)
    assert len(found) > 12
    assert slow(found) == {}
