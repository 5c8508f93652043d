"""Points for something else than buying, and entries of prize draws, at the till."""

import msgspec
import pytest
from sqlalchemy import select

from desktop.services.stored_value import By
from desktop.store.schema import print_jobs
from shared.errors import DomainError
from shared.loyalty.leasing import Leases
from shared.loyalty.programme import Expiry
from tests.pricing_builders import programme
from tests.support.benefits import OVER, SPRING, SURVEY
from tests.support.enrolled_till import CASHIER

DAY_S = 24 * 3600
RULES = programme(actions=(SURVEY,), draws=(SPRING,))


def count(desk, member, action="survey"):
    by = By(desk.shift, CASHIER)
    return desk.counter.benefits.count_action(desk.till.pricing(), member, action, by)


def enter(desk, member, entries=1):
    by = By(desk.shift, CASHIER)
    return desk.counter.benefits.enter_draw(desk.till.pricing(), member, "spring", entries, by)


def offered(desk, member):
    desk_of, rules = desk.counter.benefits, desk.till.pricing().programme
    known = desk.member(member)
    return [one.id for one in (*desk_of.actions(rules, known), *desk_of.draws(rules, known))]


def test_an_action_counts_as_often_as_it_may(make_desk):
    desk = make_desk(RULES)
    li = desk.enrol()
    done = count(desk, li)
    assert desk.member(li).points == 40
    assert done.fact.member.points.closing == 40
    assert offered(desk, li) == ["spring"]
    with pytest.raises(DomainError, match="action-counted-already"):
        count(desk, li)
    desk.clock.advance(seconds=DAY_S)
    assert offered(desk, li) == ["survey", "spring"]
    count(desk, li)
    desk.clock.advance(seconds=DAY_S)
    with pytest.raises(DomainError, match="action-counted-already"):
        count(desk, li)
    assert desk.member(li).points == 80


def test_points_of_an_action_lapse_like_others(make_desk):
    desk = make_desk(programme(actions=(SURVEY,), expiry=Expiry(days=10)))
    li = desk.enrol()
    done = count(desk, li)
    (lot,) = desk.member(li).lots
    assert (lot.lot, lot.points) == (done.entry_id, 40)
    assert lot.last_day.isoformat() == done.fact.member.points.expires_on
    assert lot.last_day > lot.earned_on


def test_entries_of_a_draw_cost_points_and_have_a_limit(make_desk):
    desk = make_desk(RULES)
    li = desk.enrol()
    with pytest.raises(DomainError, match="points-not-enough"):
        enter(desk, li)
    count(desk, li)
    desk.clock.advance(seconds=DAY_S)
    count(desk, li)
    with pytest.raises(DomainError, match="draw-entries"):
        enter(desk, li, 3)
    done = enter(desk, li, 2)
    assert (done.fact.entries, done.fact.tenders[0].points) == (2, 60)
    assert desk.member(li).points == 20
    assert desk.member(li).draw_entries == {"spring": 2}
    assert offered(desk, li) == []


def test_a_draw_is_entered_while_it_is_open(make_desk):
    desk = make_desk(
        programme(actions=(SURVEY,), draws=(msgspec.structs.replace(SPRING, closes=OVER),))
    )
    li = desk.enrol()
    count(desk, li)
    with pytest.raises(DomainError, match="draw-not-open"):
        enter(desk, li)
    assert desk.member(li).points == 40


def test_where_points_need_leases_entries_need_them_as_well(make_desk):
    rules = programme(actions=(SURVEY,), draws=(SPRING,), leases=Leases(for_points=True))
    desk = make_desk(rules)
    li = desk.enrol()
    count(desk, li)
    with pytest.raises(DomainError, match="beyond-lease"):
        enter(desk, li)
    assert desk.member(li).draw_entries == {}


def test_the_slip_is_printed_in_the_language_of_the_moment(make_desk):
    desk = make_desk(RULES)
    li = desk.enrol()
    desk.till.books.paper_language = "en"
    done = count(desk, li)
    with desk.till.books.reading() as connection:
        jobs = select(print_jobs.c.language).where(print_jobs.c.entry_id == done.entry_id)
        assert connection.execute(jobs).scalar() == "en"
