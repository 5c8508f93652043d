"""Offers for birthdays, visits, first sales and segments at a till, and what its sales tell."""

import msgspec
import pytest

from desktop.bootstrap import OpenStore
from desktop.reckoning.file import read_till
from desktop.store.settings import read_cursor
from shared.loyalty.conditions import Around, Birthday, FirstSale, NthVisit, Segments
from shared.loyalty.effects import AmountOff
from shared.loyalty.offers import Limits
from shared.loyalty.programme import CashRounding, Redemption
from shared.protocol.message import Stream
from shared.trade.fact import KnownBefore, OfferUsed
from tests.pricing_builders import offer, programme
from tests.support.desk import BISCUIT_CODE, open_desk

EXACT = CashRounding(step_minor=1)
DAY_S = 24 * 3600
FULL, OFF = 12_50, 11_50


def asking(*conditions, **more):
    one = offer("asking", AmountOff(off_minor=1_00), conditions=conditions, **more)
    return programme(one, cash_rounding=EXACT)


# The desk opens on Monday, 2 March 2026.
@pytest.mark.parametrize(
    ("within", "birthday", "total"),
    [
        (Around.DAY, "0302", OFF),
        (Around.DAY, "0303", FULL),
        (Around.WEEK, "0308", OFF),
        (Around.WEEK, "0301", FULL),
        (Around.MONTH, "0331", OFF),
        (Around.MONTH, "0229", FULL),
        (Around.MONTH, "", FULL),
    ],
)
def test_a_birthday_offer_holds_without_any_network(make_desk, within, birthday, total):
    desk = make_desk(asking(Birthday(within=within)))
    member = desk.enrol(birthday=birthday)
    sale = desk.sell(BISCUIT_CODE, member=member).fact
    assert sale.total == total
    told = (within.value,) if total == OFF else ()
    assert sale.known == KnownBefore(birthday=told)


def test_a_birthday_comes_with_the_days(make_desk):
    desk = make_desk(asking(Birthday()))
    member = desk.enrol(birthday="3月3日")
    totals = []
    for _ in range(3):
        totals.append(desk.sell(BISCUIT_CODE, member=member).fact.total)
        desk.clock.advance(seconds=DAY_S)
    assert totals == [FULL, OFF, FULL]


def test_no_entry_has_a_date_of_birth(make_desk):
    desk = make_desk(asking(Birthday(within=Around.MONTH)))
    member = desk.enrol(birthday="0317")
    desk.sell(BISCUIT_CODE, member=member)
    entries = [entry.encoded for entry in read_till(desk.till.store.folder.database).entries()]
    assert any(b'"birthday":["month"]' in encoded for encoded in entries)
    assert not any(b"--03-17" in encoded or b'"0317"' in encoded for encoded in entries)


def test_first_sales_and_visits_are_counted_by_the_sales_of_this_till(make_desk):
    desk = make_desk(
        programme(
            offer("first", AmountOff(off_minor=1_00), conditions=(FirstSale(),)),
            offer("third", AmountOff(off_minor=3_00), conditions=(NthVisit(every=3),)),
            cash_rounding=EXACT,
        )
    )
    member = desk.enrol()
    told = []
    for _day in range(3):
        for _ in range(2):
            fact = desk.sell(BISCUIT_CODE, member=member).fact
            known = fact.known
            told.append((known.sales, known.visits, known.was_here_today, FULL - fact.total))
        desk.clock.advance(seconds=DAY_S)
    assert told == [
        (0, 0, False, 1_00),
        (1, 1, True, 0),
        (2, 1, False, 0),
        (3, 2, True, 0),
        (4, 2, False, 3_00),
        (5, 3, True, 3_00),
    ]


def test_a_segment_that_head_office_told_opens_its_offer_until_it_says_otherwise(make_desk):
    desk = make_desk(asking(Segments(segments=("friends",))))
    member = desk.enrol()
    totals = []
    for segments in [(), ("friends", "young"), ("young",)]:
        desk.put_in_segments(member, *segments)
        fact = desk.sell(BISCUIT_CODE, member=member).fact
        totals.append(fact.total)
    assert totals == [FULL, OFF, FULL]


def test_what_nobody_asked_for_stands_in_no_sale(make_desk):
    desk = make_desk(asking())
    member = desk.enrol(birthday="0302")
    desk.put_in_segments(member, "friends")
    fact = desk.sell(BISCUIT_CODE, member=member).fact
    assert fact.known is None
    assert b"known" not in msgspec.json.encode(fact)


def test_a_sale_without_a_member_says_how_often_offers_had_been_used(make_desk):
    desk = make_desk(asking(limits=Limits(in_total=2)))
    uses = [desk.sell(BISCUIT_CODE).fact.known.uses for _ in range(3)]
    assert uses == [
        (),
        (OfferUsed(offer_id="asking", in_total=1),),
        (OfferUsed(offer_id="asking", in_total=2),),
    ]


def test_points_that_pay_leave_what_the_price_saw_as_it_was(make_desk):
    rules = msgspec.structs.replace(
        asking(FirstSale()), redemption=Redemption(points_per_block=1, value_per_block_minor=10)
    )
    desk = make_desk(rules)
    member = desk.enrol()
    desk.sell(*[BISCUIT_CODE] * 2, member=member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    checkout.tender_points(5)
    checkout.tender_cash()
    assert desk.finish().fact.known == KnownBefore(sales=1)


def test_birthday_and_segments_are_there_after_a_restart(folder):
    desk = open_desk(folder)
    member = desk.enrol(birthday="0302")
    desk.put_in_segments(member, "friends")
    desk.till.close()
    desk = open_desk(folder)
    found = desk.member(member)
    assert (found.birthday, found.segments) == ("--03-02", ("friends",))
    desk.till.close()


def test_a_file_of_the_release_before_asks_for_all_members_again(folder):
    """What it was told of them lacks the bonus of stored value; what it wrote itself stays."""
    with OpenStore(folder) as store:

        def before(transaction):
            connection = transaction.connection
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0005'")
            for table in (
                "leases",
                "lease_spends",
                "card_codes",
                "profile_changes",
                "fiscal_tickets",
            ):
                connection.exec_driver_sql(f"DROP TABLE {table}")
            for column in ("language", "changed_hlc", "consents", "alias_of"):
                connection.exec_driver_sql(f"ALTER TABLE members DROP COLUMN {column}")
            for stream in ("members", "catalogue"):
                connection.exec_driver_sql("INSERT INTO cursors VALUES (?, 'c')", (stream,))

        store.writer.run(before)
    desk = open_desk(folder)
    with desk.till.books.reading() as connection:
        assert read_cursor(connection, Stream.MEMBERS) is None
        assert read_cursor(connection, Stream.CATALOGUE) == "c"
    assert desk.enrol(birthday="0302").birthday == "--03-02"
    desk.till.close()
