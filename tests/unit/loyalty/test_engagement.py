"""Visit cards, partners, prize draws and the liability of points."""

import hashlib
import hmac
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.loyalty.engagement import Partner, Prize, PrizeDraw, VisitCard
from shared.loyalty.liability import Movement, liability
from shared.loyalty.partners import at_partner, statement
from shared.loyalty.prize_draw import chance_ppm, commitment, outcome
from shared.loyalty.stamps import Stamps, stamped
from tests.pricing_builders import names

TODAY, TOMORROW = date(2026, 3, 1), date(2026, 3, 2)


def card(**more):
    return VisitCard(id="coffee", names=names("coffee"), stamps=10, coupon="free", **more)


def test_a_sale_with_any_of_the_goods_gives_one_stamp():
    after = stamped(card(), Stamps(stamps=9), 3, TODAY)
    assert (after.added, after.filled, after.stamps.stamps) == (1, 1, 0)


def test_stamps_by_unit_go_on_to_the_next_card():
    after = stamped(card(per_unit=True), Stamps(stamps=8), 13, TODAY)
    assert (after.filled, after.stamps.stamps) == (2, 1)


def test_once_a_day_is_once_a_day():
    daily = card(once_a_day=True)
    first = stamped(daily, Stamps(), 5, TODAY)
    assert stamped(daily, first.stamps, 5, TODAY).added == 0
    assert stamped(daily, first.stamps, 5, TOMORROW).stamps.stamps == 2


def test_no_goods_give_no_stamp():
    assert stamped(card(), Stamps(stamps=3), 0, TODAY).stamps == Stamps(stamps=3)


def test_a_partner_owes_for_points_rounded_sale_by_sale():
    cinema = Partner(
        id="cinema",
        names=names("cinema"),
        points=1,
        per_minor=200,
        price_per_block_minor=90,
        points_per_block=100,
    )
    sales = [at_partner(cinema, spend, 0) for spend in (50_00, 30_00, 1_99)]
    told = statement(cinema, sales)
    assert (told.sales, told.spend_minor, told.points, told.owed_minor) == (3, 81_99, 40, 36)


def draw(seed="secret", mugs=2):
    prizes = (
        Prize(id="bike", names=names("bike")),
        Prize(id="mug", names=names("mug"), units=mugs),
    )
    return PrizeDraw(
        id="spring",
        names=names("spring"),
        prizes=prizes,
        entry_points=50,
        opens=datetime(2026, 3, 1, tzinfo=UTC),
        closes=datetime(2026, 3, 31, tzinfo=UTC),
        seed_sha256=commitment(seed),
    )


@given(st.sets(st.text(min_size=1, max_size=8), max_size=12), st.text(max_size=12))
def test_anybody_can_check_who_won_with_hmac_alone(entries, seed):
    told = outcome(draw(seed), seed, entries)
    by_ticket = sorted(
        entries,
        key=lambda entry: hmac.new(
            seed.encode(), b"spring\0" + entry.encode(), hashlib.sha256
        ).hexdigest(),
    )
    assert [win.entry for win in told] == by_ticket[:3]
    assert [win.prize for win in told] == ["bike", "mug", "mug"][: len(entries)]


def test_another_seed_than_the_promised_one_draws_nothing():
    with pytest.raises(DomainError, match="draw-seed-wrong"):
        outcome(draw(), "other", ["a"])


def test_the_chance_is_prizes_over_entries():
    assert [chance_ppm(draw(), entries) for entries in (2, 3, 12)] == [
        1_000_000,
        1_000_000,
        250_000,
    ]


MOVES = (
    Movement(lot="a", points=100, on=date(2026, 1, 1)),
    Movement(lot="b", points=50, on=date(2026, 1, 20)),
    Movement(lot="a", points=-30, on=date(2026, 2, 1)),
    Movement(lot="debt", points=-10, on=date(2026, 2, 15)),
)
LAST_DAYS = {"a": date(2026, 2, 10), "b": None}


@pytest.mark.parametrize(
    ("on", "outstanding", "lapsed", "value"),
    [
        (date(2025, 12, 31), 0, 0, 0),
        (date(2026, 1, 31), 150, 0, 75),
        (date(2026, 2, 10), 120, 0, 60),
        (date(2026, 2, 11), 50, 70, 25),
        (date(2026, 2, 15), 40, 70, 20),
    ],
)
def test_liability_and_breakage_at_any_past_day(on, outstanding, lapsed, value):
    told = liability(MOVES, LAST_DAYS, on, value_per_block_minor=50, points_per_block=100)
    assert (told.outstanding, told.breakage, told.value_minor) == (outstanding, lapsed, value)
