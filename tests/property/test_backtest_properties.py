"""Whatever was bought and came back: the figures agree with each other, however they are split."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.backtest.comparing import Trial, compare
from shared.backtest.events import Bought, BroughtBack, Event, in_parts
from shared.backtest.figures import Played
from shared.backtest.player import Terms, play
from shared.backtest.result import Assumed
from shared.loyalty.effects import AmountOff, Ladder, NthItem, PercentOff, Step
from shared.loyalty.programme import Expiry, Programme, Redemption
from tests.backtest_builders import FIRST, bought, came_back, on, terms
from tests.pricing_builders import earning, goods, line, offer, only, programme, weighed

UNTIL = 40
ARTICLES = [
    goods("A", 9_99, cost_minor=3_33),
    goods("B", 1_00, no_points=True),
    goods("C", 47_50, tax="reduced"),
    weighed("W", 12_34),
]


@st.composite
def pasts(draw: st.DrawFn) -> list[Event]:
    """Sales of a few members and of nobody on some days, and returns of what is left of them."""
    events: list[Event] = []
    left: dict[tuple[str, int], int] = {}
    for number in range(draw(st.integers(1, 12))):
        day = number * 3
        if left and draw(st.booleans()):
            sale, place = draw(st.sampled_from(sorted(left)))
            quantity = draw(st.integers(1, left[sale, place]))
            left[sale, place] -= quantity
            if not left[sale, place]:
                del left[sale, place]
            events.append(came_back(sale, day, quantity, place))
        else:
            member = draw(st.sampled_from(["", "one", "two", "three"]))
            lines = [
                line(article, grams=draw(st.integers(1, 3000)))
                if article.sku == "W"
                else line(article, draw(st.integers(1, 9)))
                for article in draw(st.lists(st.sampled_from(ARTICLES), min_size=1, unique=True))
            ]
            events.append(bought(str(number), member, day, *lines))
            left |= {(str(number), place): one.quantity for place, one in enumerate(lines)}
    if draw(st.booleans()):
        events.append(BroughtBack(at=on(UNTIL - 1), loose=(line(ARTICLES[0], 2),)))
    return events


programmes = st.builds(
    lambda offers, per, expiry: programme(
        *offers,
        earning=earning(per),
        expiry=expiry,
        redemption=Redemption(points_per_block=7, value_per_block_minor=3),
    ),
    st.lists(
        st.sampled_from(
            [
                offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=4_99),))),
                offer("second", NthItem(nth=2, basis_points_off=5000), only("A")),
                offer("tenth", PercentOff(basis_points_off=1111)),
                offer("cents", AmountOff(off_minor=17), only("B", "C"), funded_by="supplier"),
            ]
        ),
        unique_by=lambda one: one.id,
    ),
    st.integers(1, 30),
    st.sampled_from([None, Expiry(days=7)]),
)


def merged(events: list[Event], rules: Programme, how: Terms, lines: int) -> Played:
    total = Played()
    for part in in_parts(events, lines):
        total.add(play(part, rules, how))
    total.members.sort(key=lambda one: one.member)
    return total


@given(pasts(), programmes, st.sampled_from([0, 50, 100]), st.integers(1, 9))
def test_any_split_into_parts_gives_the_same(events, rules, percent, lines):
    how = terms(UNTIL, spenders_percent=percent)
    assert merged(events, rules, how, lines) == merged(events, rules, how, 10**9)


@given(pasts(), programmes, st.sampled_from([0, 100]))
def test_money_and_points_agree_with_their_parts(events, rules, percent):
    done = merged(events, rules, terms(UNTIL, spenders_percent=percent), 10**9)
    figures = done.figures
    assert figures.revenue_minor == figures.gross_minor - figures.discount_minor
    assert figures.net_minor == figures.revenue_minor - figures.tax_minor
    assert figures.discount_minor == sum(one.discount_minor for one in done.offers.values())
    assert figures.revenue_minor == sum(one.revenue_minor for one in done.days.values())
    assert figures.discount_minor == sum(one.discount_minor for one in done.days.values())
    assert figures.points_live == sum(one.points_live for one in done.members)
    gone = figures.points_taken_back + figures.points_spent + figures.points_expired
    assert figures.points_issued - gone == figures.points_live - figures.points_owed
    kept = sum(one.points_kept for one in done.members)
    assert kept == figures.points_issued - figures.points_taken_back - figures.points_expired


@given(pasts(), programmes, programmes)
def test_the_price_of_what_stays_does_not_depend_on_the_offers(events, one, other):
    """Gross is quantity times price of what was kept, whatever the offers and the returns."""
    kept: Counter[str] = Counter()
    sold: dict[tuple[str, int], int] = {}
    for event in events:
        if isinstance(event, Bought):
            for place, bought_line in enumerate(event.basket.lines):
                sold[event.sale, place] = bought_line.goods.list_price_minor
                if not bought_line.grams:
                    kept["units"] += bought_line.shelf_minor
        else:
            kept["units"] -= sum(
                sold[back.sale, back.line] * back.quantity
                for back in event.matched
                if sold[back.sale, back.line] != ARTICLES[3].list_price_minor
            )
            kept["units"] -= sum(loose.shelf_minor for loose in event.loose)
    grosses = {
        play_in_one(events, rules).figures.gross_minor for rules in (one, other, programme())
    }
    assert len(grosses) == 1
    if not any(sold_at == ARTICLES[3].list_price_minor for sold_at in sold.values()):
        assert grosses == {kept["units"]}


def play_in_one(events: list[Event], rules: Programme) -> Played:
    return merged(events, rules, terms(UNTIL), 10**9)


@given(pasts(), programmes, programmes)
def test_every_member_wins_loses_or_keeps_and_stands_once_in_the_tiers(events, old, new):
    assumed = Assumed(
        source="",
        first_day=FIRST.date(),
        last_day=on(UNTIL).date(),
        lines=0,
        refused_lines=0,
        members=0,
        spenders_percent=0,
        returned_units=0,
        loose_units=0,
    )
    trials = [Trial(rules, play_in_one(events, rules)) for rules in (old, new)]
    comparison = compare(trials[0], trials[1], assumed)
    members = comparison.result.members
    assert members.winners + members.losers + members.unchanged == len(comparison.members)
    assert sum(sum(row) for row in comparison.result.tiers.members) == len(comparison.members)
    assert sum(one.members for one in members.distribution) == len(comparison.members)
    total = sum(row.change_minor for row in comparison.members)
    assert members.gain_minor - members.loss_minor == total
    for one in members.distribution:
        inside = [row.change_minor for row in comparison.members if holds(one, row.change_minor)]
        assert len(inside) == one.members


def holds(one, change: int) -> bool:
    low, high = one.low_minor, one.high_minor
    if low == high == 0:
        return change == 0
    if (low is None) or low < 0:
        return (low is None or low <= change) and change < high
    return low < change and (high is None or change <= high)
