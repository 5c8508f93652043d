"""Tiers follow from what was bought and from the clock, at every till and at head office."""

from datetime import date

import msgspec
import pytest

from desktop.presenters.sale_view import member_panel
from shared.errors import DomainError
from shared.ids import MemberId
from shared.loyalty.bundle import template
from shared.loyalty.conditions import Members
from shared.loyalty.document import Names
from shared.loyalty.programme import (
    BalanceReached,
    Earning,
    EarningRule,
    Expiry,
    InTotal,
    InWindow,
    Multiplier,
    Tier,
    Tiers,
)
from sync_server.members.merging import Verified
from sync_server.web.reading import OfficeReader
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]
"""12.50"""
DAY = 24 * 3600


def rules(*gold, grace_days=0, **expiry):
    """Silver from 20.00 in all; gold as given, and for gold twice the points."""
    names = Names(zh="级", en="tier")
    whole = template("default")
    return msgspec.structs.replace(
        whole,
        offers=(),
        coupons=(),
        tiers=Tiers(
            ladder=(
                Tier(id="member", names=names),
                Tier(id="silver", names=names, reached_by=(InTotal(spend_minor=2000),)),
                Tier(id="gold", names=names, reached_by=gold),
            ),
            grace_days=grace_days,
        ),
        earning=Earning(
            rules=(EarningRule(id="spend", names=names, points=1, per_minor=100),),
            multipliers=(
                Multiplier(
                    id="gold",
                    names=names,
                    basis_points=20000,
                    conditions=(Members(tiers=("gold",)),),
                ),
            ),
        ),
        expiry=Expiry(**expiry) if expiry else None,
    )


GOLD_IN_A_YEAR = InWindow(spend_minor=5000, months=12)


def test_what_was_bought_at_two_tills_makes_a_tier_together(tmp_path):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        chain.drain()
        # Neither till knows of the other's sale.
        assert here.sell(*[BISCUIT] * 2, member=li).fact.member.tier_after == "silver"
        assert there.sell(*[BISCUIT] * 2, member=li).fact.member.tier_after == "silver"
        chain.drain()
        for till in (here, there):
            told = till.sell(BISCUIT, member=li).fact.member
            assert (told.tier, told.tier_after) == ("gold", "gold")
            assert told.points.earned == 25  # 12.5, twice


@pytest.mark.parametrize(("days", "tier", "points"), [(364, "gold", 25), (365, "silver", 12)])
def test_a_tier_of_a_window_ends_with_its_validity_though_nothing_was_sold(
    tmp_path, days, tier, points
):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        assert here.sell(*[BISCUIT] * 4, member=li).fact.member.tier_after == "gold"
        chain.drain()
        chain.clock.advance(seconds=days * DAY)
        for till in (here, there):
            till.counter.checkout.clear()
            till.counter.checkout.basket.attach(till.member(li.member_id))
            till.counter.scanning.scan(BISCUIT)
            assert till.counter.checkout.basket.quote.earning.points_total == points
            till.counter.checkout.clear()
        assert there.sell(BISCUIT, member=li).fact.member.tier == tier


def test_a_tier_that_follows_the_balance_falls_when_points_lapse(tmp_path):
    with LittleChain(tmp_path, programme=rules(BalanceReached(points=40), days=10)) as chain:
        here, there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        assert here.sell(*[BISCUIT] * 4, member=li).fact.member.tier_after == "gold"
        chain.drain()
        chain.clock.advance(seconds=10 * DAY)
        assert there.sell(BISCUIT, member=li).fact.member.tier == "gold"
        chain.clock.advance(seconds=DAY)
        told = here.sell(BISCUIT, member=li).fact.member
        # The 50 of the first sale are no more; this till has not heard of the other's 25.
        assert (told.tier, told.tier_after) == ("silver", "silver")
        assert (told.points.opening, told.points.closing) == (0, 12)


def office(chain, member):
    """The member as head office sees them now."""
    services = chain.server.services
    shown = OfficeReader(services.database).member(member.member_id, services.clock.now())
    return shown.tier, shown.tier_until, shown.points


def test_head_office_sees_the_tier_and_the_points_of_the_day(tmp_path):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR, months=6)) as chain:
        here, _there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        here.sell(*[BISCUIT] * 4, member=li)
        chain.drain()
        assert office(chain, li) == ("gold", "2027-03-01", {"points/0": 50})
        chain.clock.advance(seconds=184 * DAY)  # until 2 September they can be spent
        assert office(chain, li) == ("gold", "2027-03-01", {"points/0": 50})
        # 16:00 in London and past midnight in Shanghai, where the store is.
        chain.clock.advance(seconds=15 * 3600)
        assert office(chain, li) == ("gold", "2027-03-01", {})
        chain.clock.advance(seconds=180 * DAY)
        assert office(chain, li) == ("silver", "", {})


def test_a_paper_promises_no_points_that_have_lapsed(tmp_path):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR, days=10)) as chain:
        here, _there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        first = here.sell(*[BISCUIT] * 4, member=li).fact
        chain.clock.advance(seconds=11 * DAY)
        told = here.sell(BISCUIT, member=li).fact.member.points
        assert (told.opening, told.earned, told.closing) == (0, 25, 25)
        # The 50 of the goods that come back have lapsed: nothing that is left is taken for them.
        back = here.take_back(first.receipt_no, (1, 4)).fact.member
        assert (back.points.opening, back.points.earned, back.points.closing) == (75, -50, 25)
        assert (back.tier, back.tier_after) == ("gold", "member")


def on_till(till, member):
    """The tier that the till prices with now."""
    basket = till.counter.checkout.basket
    till.counter.checkout.clear()
    basket.attach(till.member(member.member_id))
    till.counter.scanning.scan(BISCUIT)
    priced, _quote = basket.priced()
    till.counter.checkout.clear()
    return priced.member.tier


def test_a_tier_set_by_hand_is_a_floor_until_its_day_everywhere(tmp_path):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR)) as chain:
        here, there = chain.tills
        desk = chain.server.services.tiers
        li = here.enrol("李雷", phone="13800138000")
        chain.drain()
        desk.set(li.member_id, "silver", date(2026, 3, 20))
        chain.drain()
        assert office(chain, li) == ("silver", "2026-03-20", {})
        assert [on_till(till, li) for till in chain.tills] == ["silver", "silver"]
        # More can be reached, and what falls falls no lower.
        sale = here.sell(*[BISCUIT] * 4, member=li).fact
        assert (sale.member.tier, sale.member.tier_after) == ("silver", "gold")
        chain.drain()
        back = there.take_back(sale.receipt_no, (1, 4)).fact.member
        assert (back.tier, back.tier_after) == ("gold", "silver")
        chain.drain()
        chain.clock.advance(seconds=18 * DAY)
        assert [on_till(till, li) for till in chain.tills] == ["silver", "silver"]
        chain.clock.advance(seconds=DAY)
        assert [on_till(till, li) for till in chain.tills] == ["member", "member"]
        assert office(chain, li)[0] == "member"


def test_a_tier_set_by_hand_is_replaced_ended_and_merged(tmp_path):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR)) as chain:
        here, there = chain.tills
        services = chain.server.services
        li, wang = here.enrol("李雷", phone="13800138000"), there.enrol("王芳", phone="13900139000")
        chain.drain()
        services.tiers.set(li.member_id, "gold", date(2026, 12, 31))
        services.tiers.set(li.member_id, "silver", date(2026, 6, 30))
        chain.drain()
        assert office(chain, li) == ("silver", "2026-06-30", {})
        merge = services.merging.merge(li.member_id, wang.member_id, verified=Verified.OFFICE)
        chain.drain()
        assert office(chain, wang) == ("silver", "2026-06-30", {})
        assert on_till(here, wang) == on_till(there, wang) == "silver"
        # What is said of an alias is said of who it is.
        assert services.tiers.end(li.member_id)
        assert not services.tiers.end(li.member_id)
        chain.drain()
        assert on_till(here, wang) == on_till(there, wang) == "member"
        services.merging.unmerge(merge)


@pytest.mark.parametrize(
    ("member", "tier", "day", "code"),
    [
        ("nobody", "gold", date(2026, 3, 20), "unknown-member"),
        ("", "platinum", date(2026, 3, 20), "unknown-tier"),
        ("", "gold", date(2026, 3, 1), "tier-day-over"),
    ],
)
def test_a_tier_that_makes_no_sense_is_not_set(tmp_path, member, tier, day, code):
    with LittleChain(tmp_path, programme=rules(GOLD_IN_A_YEAR)) as chain:
        (here, _there) = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        chain.drain()
        with pytest.raises(DomainError) as refused:
            chain.server.services.tiers.set(MemberId(member or li.member_id), tier, day)
        assert refused.value.code == code


@pytest.mark.parametrize(("days", "told"), [(19, False), (20, True)])
def test_the_cashier_sees_what_lapses_within_the_notice_of_the_programme(tmp_path, days, told):
    whole = rules(GOLD_IN_A_YEAR, days=40, reminders_days=(20, 3))
    with LittleChain(tmp_path, programme=whole) as chain:
        here, _there = chain.tills
        li = here.enrol("李雷", phone="13800138000")
        here.sell(*[BISCUIT] * 4, member=li)
        chain.clock.advance(seconds=days * DAY)
        books = here.till.books
        now = books.clock.now().astimezone(books.identity.zone)
        shown = member_panel(here.member(li.member_id), here.counter.checkout, now)
        assert bool(shown.lapsing) is told
