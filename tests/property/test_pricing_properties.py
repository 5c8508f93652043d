"""What holds for every basket and every programme: shares sum, nothing below zero, no order."""

from dataclasses import replace
from functools import reduce
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.loyalty.conditions import Spend
from shared.loyalty.document import EVERYTHING
from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    BundlePart,
    FixedPrice,
    FreeUnits,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    PercentStep,
    SetPrice,
    Step,
)
from shared.loyalty.offers import Group, GroupMode
from shared.loyalty.programme import Levy, TaxBase
from shared.loyalty.returns import return_share
from shared.pricing.basket import BasketLine, HandDiscount
from shared.pricing.effects import (
    Candidate,
    OfferLine,
    State,
    Taking,
    after,
    take,
    take_added,
    take_sets,
)
from shared.pricing.engine import price
from shared.pricing.gates import Every, Threshold
from shared.pricing.sale_lines import sale_lines, tax_totals
from shared.pricing.search import SearchMemory, best_choice
from tests.pricing_builders import (
    basket,
    goods,
    names,
    offer,
    only,
    programme,
    rate,
    tax_class,
    weighed,
)

DEPOSIT = Levy(id="deposit", names=names("deposit"), amount_minor=25)
CLASSES = (
    tax_class("none"),
    tax_class("included", rate(130_000, included=True)),
    tax_class("excluded", rate(88_750, included=False)),
    tax_class(
        "both",
        rate(50_000, included=True, key="gst"),
        rate(99_750, included=False, key="qst", base=TaxBase.NET_AND_EARLIER),
        DEPOSIT,
    ),
)
GROUPS = (
    Group(id="one", mode=GroupMode.ONE),
    Group(id="chain", mode=GroupMode.CHAIN),
    Group(id="add", mode=GroupMode.ADD),
)
SKUS = "ABCDE"

sets = st.one_of(
    st.just(EVERYTHING), st.sets(st.sampled_from(SKUS), min_size=1).map(lambda s: only(*sorted(s)))
)
percents = st.integers(1, 10_000).map(lambda points: PercentOff(basis_points_off=points))
ladders = st.builds(
    lambda first, off, more, repeats: Ladder(
        steps=(
            Step(threshold_minor=first, off_minor=min(off, first)),
            Step(threshold_minor=first + more, off_minor=min(off, first) + more),
        ),
        repeats=repeats,
    ),
    st.integers(1, 5_000),
    st.integers(1, 2_000),
    st.integers(1, 5_000),
    st.booleans(),
)
amounts = st.builds(AmountOff, off_minor=st.integers(1, 3_000), each_unit=st.booleans())
nth_items = st.builds(
    lambda nth, cheaper, **more: NthItem(nth=nth, cheaper=min(cheaper, nth - 1), **more),
    nth=st.integers(2, 4),
    cheaper=st.integers(1, 3),
    basis_points_off=st.integers(1, 10_000),
    same_goods=st.booleans(),
    sets_limit=st.integers(0, 2),
)
set_prices = st.builds(
    SetPrice,
    units=st.integers(2, 4),
    price_minor=st.integers(0, 9_000),
    same_goods=st.booleans(),
    sets_limit=st.integers(0, 2),
)
bundles = st.builds(
    lambda parts, reward, limit: Bundle(parts=tuple(parts), sets_limit=limit, **reward),
    st.lists(
        st.builds(
            BundlePart,
            goods=st.sets(st.sampled_from(SKUS), min_size=1).map(lambda s: only(*sorted(s))),
            units=st.integers(1, 2),
        ),
        min_size=1,
        max_size=3,
    ),
    st.one_of(
        st.builds(dict, price_minor=st.integers(1, 9_000)),
        st.builds(dict, off_minor=st.integers(1, 2_000)),
        st.builds(dict, basis_points_off=st.integers(1, 10_000)),
    ),
    st.integers(0, 2),
)
free_units = st.builds(FreeUnits, units=st.integers(1, 3), basis_points_off=st.integers(1, 10_000))
fixed_prices = st.builds(FixedPrice, price_minor=st.integers(0, 4_000))
percent_ladders = st.builds(
    lambda first, percent, more: PercentLadder(
        steps=(
            PercentStep(threshold_minor=first, basis_points_off=percent),
            PercentStep(threshold_minor=first + more, basis_points_off=percent + 1_000),
        )
    ),
    st.integers(1, 5_000),
    st.integers(1, 9_000),
    st.integers(1, 5_000),
)
spared = st.integers(1, 10_000).map(
    lambda points: PercentOff(basis_points_off=points, spares_multi_buy=True)
)
effects = st.one_of(
    percents,
    ladders,
    amounts,
    nth_items,
    set_prices,
    bundles,
    free_units,
    fixed_prices,
    percent_ladders,
    spared,
)


@st.composite
def offers(draw, most=5):
    found = []
    for number in range(draw(st.integers(0, most))):
        effect = draw(effects)
        groups = ["", "one", "chain"] + (["add"] if isinstance(effect, PercentOff) else [])
        minimum = draw(st.integers(0, 6_000))
        found.append(
            offer(
                f"o{number}",
                effect,
                draw(sets),
                group=draw(st.sampled_from(groups)),
                phase=draw(st.sampled_from([0, 0, 2, 3])),
                conditions=(Spend(minimum_minor=minimum),) if minimum else (),
                at_most_minor=draw(st.sampled_from([0, 0, 0, 700])),
                claimed=draw(st.booleans()),
            )
        )
    return found


@st.composite
def lines(draw, most=6):
    found = []
    for number in range(draw(st.integers(0, most))):
        tax = draw(st.sampled_from([known.id for known in CLASSES]))
        sku, cost = draw(st.sampled_from(SKUS)), draw(st.integers(0, 4_000))
        hand = draw(st.sampled_from([None, None, None, HandDiscount(basis_points=1234)]))
        if draw(st.booleans()):
            article = goods(sku, cost, tax)
            quantity = {"units": draw(st.integers(1, 5))}
        else:
            article = weighed(sku, cost, tax=tax)
            quantity = {"grams": draw(st.integers(1, 5_000))}
        found.append(BasketLine(id=str(number), goods=article, discount=hand, **quantity))
    return found


def _programme(chosen):
    return programme(*chosen, groups=GROUPS, tax_classes=CLASSES)


def _claimed(chosen):
    return tuple(one.id for one in chosen if one.claimed)


@given(lines(), offers())
def test_lines_sum_to_the_total_the_offers_and_the_tax_table(bought, chosen):
    rules = _programme(chosen)
    quote = price(basket(*bought, coupons=_claimed(chosen)), rules)

    assert quote.total_minor == sum(line.pay_minor for line in quote.lines)
    for total in quote.offers:
        shares = [
            share.amount_minor
            for line in quote.lines
            for share in line.discounts
            if (share.offer, share.coupon) == (total.offer, total.coupon)
        ]
        assert sum(shares) == total.amount_minor > 0
    for row in quote.taxes:
        own = [line for line in quote.lines if line.tax_class == row.tax_class]
        assert row.net_minor == sum(line.net_minor for line in own)
        for number, tax in enumerate(row.taxes):
            assert tax.amount_minor == sum(line.taxes[number].amount_minor for line in own)
    levies = sum(levy.amount_minor for row in quote.taxes for levy in row.levies)
    assert quote.total_minor == levies + sum(row.taxed_minor for row in quote.taxes)


@given(lines(), offers())
def test_no_line_no_net_and_no_tax_falls_below_zero(bought, chosen):
    quote = price(basket(*bought, coupons=_claimed(chosen)), _programme(chosen))
    for line in quote.lines:
        assert line.net_minor >= 0
        assert all(share.amount_minor >= 0 for share in (*line.taxes, *line.levies))
        discounts = sum(share.amount_minor for share in line.discounts) + line.hand_minor
        assert line.gross_minor - discounts == line.taxed_minor >= 0
        assert line.pay_minor == line.taxed_minor + line.levy_minor


@given(lines(), offers(most=3), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_coupons_changes_nothing(bought, chosen, random):
    rules, coupons = _programme(chosen), _claimed(chosen)
    quote = price(basket(*bought, coupons=coupons), rules)
    shuffled = basket(*bought, coupons=coupons)
    other_lines, other_claims = list(bought), list(shuffled.claims)
    random.shuffle(other_lines)
    random.shuffle(other_claims)
    again = price(replace(shuffled, lines=tuple(other_lines), claims=tuple(other_claims)), rules)

    assert again.total_minor == quote.total_minor
    assert again.offers == quote.offers
    assert again.taxes == quote.taxes
    assert again.explanations == quote.explanations
    assert again.earning.points_total == quote.earning.points_total
    by_id = {line.line: line for line in again.lines}
    assert [by_id[line.line] for line in quote.lines] == list(quote.lines)


@given(st.lists(lines(), min_size=2, max_size=4), offers())
def test_what_is_remembered_of_other_baskets_changes_nothing(baskets, chosen):
    rules, memory = _programme(chosen), SearchMemory()
    for bought in baskets:
        for several in (bought, bought[:-1], [*bought[1:], *bought[:1]]):
            sale = basket(*several, coupons=_claimed(chosen))
            assert price(sale, rules, memory) == price(sale, rules)


@given(lines(most=4), offers(most=5), st.data())
def test_leaving_an_offer_out_never_makes_it_cheaper(bought, chosen, data):
    sale = basket(*bought, coupons=_claimed(chosen))
    quote = price(sale, _programme(chosen))
    left_out = data.draw(st.sampled_from(chosen)) if chosen else None
    fewer = [one for one in chosen if one is not left_out]
    without = price(basket(*bought, coupons=_claimed(fewer)), _programme(fewer))
    if quote.is_best_price:
        assert quote.total_minor <= without.total_minor


@given(lines(most=4), offers(most=3), st.data())
def test_any_sequence_of_partial_returns_gives_back_exactly_the_sale(bought, chosen, data):
    rules = _programme(chosen)
    sale = basket(*bought, coupons=_claimed(chosen))
    for sold in sale_lines(sale, price(sale, rules)):
        left, shares = sold.quantity, []
        while left:
            part = data.draw(st.integers(1, left))
            shares.append(return_share(sold, part, returned_before=sold.quantity - left))
            left -= part
        assert sum(share.amount for share in shares) == sold.amount
        assert sum(share.levy for share in shares) == sold.levy
        assert sum(share.points for share in shares) == sold.points
        assert sum(share.spend for share in shares) == sold.spend
        for number, tax in enumerate(sold.taxes):
            assert sum(share.taxes[number].tax for share in shares) == tax.tax


@given(lines(), offers(most=2))
def test_the_tax_table_of_the_fact_sums_to_the_sale(bought, chosen):
    rules = _programme(chosen)
    sale = basket(*bought, coupons=_claimed(chosen))
    quote = price(sale, rules)
    rows = tax_totals(quote, rules)
    facts = sale_lines(sale, quote)
    assert sum(row.tax for row in rows) == sum(tax.tax for line in facts for tax in line.taxes)
    for fact in facts:
        assert fact.gross - sum(share.amount for share in fact.discounts) + fact.levy == fact.amount


def _lawful(candidates):
    """Every lawful subset, in every order of its phases and ranks; adding groups as one step."""
    for choice in product((False, True), repeat=len(candidates)):
        chosen = [one for one, taken in zip(candidates, choice, strict=True) if taken]
        ones = [one.group for one in chosen if one.mode is GroupMode.ONE]
        if len(ones) != len(set(ones)):
            continue
        adding = tuple(one for one in chosen if one.mode is GroupMode.ADD)
        steps = [(one,) for one in chosen if one.mode is not GroupMode.ADD]
        steps += [adding] if adding else []
        for order in permutations(steps):
            places = [min((o.offer.works_in, o.offer.rank) for o in step) for step in order]
            if places == sorted(places):
                yield order


def _brute_force(candidates, offer_lines):
    """The lowest amount to pay, by looking at everything."""
    nothing = (0,) * len(offer_lines)
    start = State(tuple(line.gross for line in offer_lines), nothing, nothing)
    return min(
        sum(end.remaining)
        for order in _lawful(candidates)
        for end in _ends(order, offer_lines, start)
    )


def _ends(order, offer_lines, state):
    """Where an order of steps can lead, with every number of sets; nowhere if a step is idle."""
    if not order:
        yield state
        return
    step, *rest = order
    takings = [take(one, offer_lines, state) for one in step]
    if not all(isinstance(taking, Taking) for taking in takings):
        return
    if len(step) > 1:
        takings = take_added(step, offer_lines, state)
        if not all(taking.total for taking in takings):
            return
    ways = [takings]
    if len(step) == 1 and takings[0].sets:
        fewer = range(1, takings[0].sets)
        ways += [[taking] for taking in take_sets(step[0], offer_lines, state, fewer)]
    for way in ways:
        yield from _ends(rest, offer_lines, reduce(after, way, state))


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(SKUS), st.integers(1, 4), st.integers(1, 4_000)), max_size=4
    ),
    offers(most=5),
)
def test_no_lawful_combination_is_cheaper_than_the_one_found(bought, chosen):
    offer_lines = [OfferLine(sku, units, cost * units) for sku, units, cost in bought]
    modes = {group.id: group.mode for group in GROUPS}
    candidates = []
    for one in chosen:
        positions = tuple(
            index
            for index, line in enumerate(offer_lines)
            if one.goods.is_everything or line.sku in one.goods.skus
        )
        gate = Every(tuple(Threshold(c.minimum_minor, positions) for c in one.conditions))
        mode = modes.get(one.group, GroupMode.CHAIN)
        parts = ()
        if isinstance(one.effect, Bundle):
            parts = tuple(
                tuple(i for i, line in enumerate(offer_lines) if line.sku in part.goods.skus)
                for part in one.effect.parts
            )
            positions = tuple(sorted({i for part in parts for i in part})) if all(parts) else ()
            if not positions:
                continue
        candidates.append(Candidate(one, one.place, positions, gate, one.group, mode, parts=parts))

    choice = best_choice(candidates, offer_lines)

    assert choice.is_proved
    found = sum(line.gross for line in offer_lines) - sum(t.total for t in choice.takings)
    assert found == _brute_force(candidates, offer_lines)


@pytest.mark.parametrize(("count", "is_proved"), [(6, True), (14, False)])
def test_the_search_says_when_its_bound_was_passed(count, is_proved):
    chosen = [
        offer(
            f"o{n:02}",
            AmountOff(off_minor=100 + 7 * n),
            conditions=(Spend(minimum_minor=5_000 - 300 * n),),
        )
        for n in range(count)
    ]
    quote = price(basket(BasketLine(id="1", goods=goods("A", 50_00), units=1)), programme(*chosen))
    assert quote.is_best_price is is_proved
    assert quote.total_minor < 50_00
