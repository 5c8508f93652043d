"""Whatever steps a scenario has: each is done or refused, and the books agree after every one."""

from collections import Counter
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.loyalty.lots import DEBT
from shared.loyalty.programme import Floor, ReturnPolicy
from shared.workbench.playing import Playing
from shared.workbench.scenario import Scenario, Step, read_scenario
from shared.workbench.shop import Shop
from shared.workbench.telling import state_of

SHOP = read_scenario(
    (Path(__file__).parents[1] / "data" / "any_steps.toml").read_bytes(), is_toml=True
)


def scenario(policy: ReturnPolicy, floor: Floor) -> Scenario:
    """The shop under a policy for returns."""
    assert SHOP.programme is not None
    returns = replace(SHOP.programme.returns, policy=policy, points_floor=floor)
    return replace(SHOP, programme=replace(SHOP.programme, returns=returns))


few = st.integers(-1, 4)
amounts = st.one_of(st.none(), st.sampled_from([-5, 0, 1, 99, 333, 1000, 2500, 10**7, 10**13]))
money = st.sampled_from([-5, 0, 1, 99, 500, 1000, 2500, 10**13])
goods = st.sampled_from(["MILK", "MILK", "CHEESE", "MUG", "BEER", "PILL", "NONE"])
members = st.sampled_from(["a", "b", "c", "nobody"])
names = st.sampled_from(["", "sale-1", "sale-2", "other"])
lines = st.sampled_from(["1", "2", "3", "9"])
codes = st.sampled_from(["c1", "c2", "new", "g1", "five-sale-1-1"])
parts = st.lists(
    st.fixed_dictionaries({"line": lines}, optional={"units": few, "grams": st.just(200)}),
    max_size=2,
)


def a_step(do: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"do": st.just(do), **fields})


def some(do: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """A step of which each field may be left out."""
    return st.fixed_dictionaries({"do": st.just(do)}, optional=fields)


HALF = {
    "id": "half",
    "version": 1,
    "names": {"zh": "半价", "en": "Half"},
    "effect": {"type": "percent-off", "basis_points_off": 5000},
}
spent = st.sampled_from([0, 1, 200, 450])
pieces = st.sampled_from(["MILK", "MUG", "BEER", "PILL"])
adding = st.one_of(
    a_step("add", goods=pieces, units=st.integers(1, 4)),
    a_step("add", goods=st.just("CHEESE"), grams=st.integers(1, 2500)),
    a_step("add", goods=goods, units=few, price_minor=amounts),
    a_step("add", goods=st.just("BEER"), comes_in=st.just(True)),
)
tenders = st.sampled_from(
    ["cash", "card", "wallet", "voucher", "stored-value", "gift-card", "points", "gold"]
)
paying = st.one_of(
    some("tender"),
    some("tender", tender=tenders, amount_minor=amounts, code=codes),
    some("points", points=st.one_of(st.none(), st.integers(0, 300))),
)
back = st.one_of(
    some("return", sale=names, lines=parts, gifts=st.dictionaries(pieces, few, max_size=1)),
    some("exchange", sale=names, lines=parts),
    st.builds(
        lambda amount, sale: {"do": "refund-amount", "amount_minor": amount, "sale": sale},
        money,
        names,
    ),
    a_step(
        "return-without-receipt",
        goods=st.lists(st.fixed_dictionaries({"goods": pieces}), max_size=3),
        is_approved=st.booleans(),
    ),
)
others = st.one_of(
    a_step("member", member=members),
    a_step("remove", line=lines),
    a_step("quantity", line=lines, units=few),
    a_step("price", line=lines, price_minor=amounts),
    some("discount", line=lines, basis_points=st.sampled_from([-1, 1000, 10_000, 10_001])),
    some("discount", amount_minor=money),
    a_step("claim", code=codes, coupon=st.sampled_from(["", "five", "none"])),
    a_step("unclaim", code=codes),
    a_step("reward", offer=st.sampled_from(["reward", "five"]), times=few),
    a_step(
        "gift", offer=st.sampled_from(["gift", "five"]), goods=st.sampled_from(["", "MUG", "PILL"])
    ),
    some("cancel"),
    some("hold"),
    some("recall"),
    a_step("merge-members", member=members, into=members),
    a_step("top-up", member=members, amount_minor=money),
    a_step("close-stored-value", member=members),
    a_step("sell-gift-card", code=codes, amount_minor=money),
    a_step("close-card", code=codes),
    a_step("action", action=st.sampled_from(["survey", "nap"]), member=members),
    a_step("change-offer", offer=st.sampled_from(["gift", "five", "none"])),
    a_step("change-offer", offer=st.just("ladder"), replacement=st.just(HALF)),
    some("hold", name=st.sampled_from(["held", "other"])),
    some("recall", name=st.sampled_from(["held", "other"])),
    a_step("enter-draw", draw=st.just("spring"), member=members, entries=few),
    a_step("partner", partner=st.just("cinema"), member=members, spend_minor=money, points=spent),
    a_step("move-cash", kind=st.sampled_from(["paid-in", "paid-out", "drop"]), amount_minor=money),
    a_step("count-drawer", amount_minor=st.just(5)),
    some("liability"),
    a_step(
        "clock",
        at=st.sampled_from(["2026-11-24T09:00:00", "2026-12-02T09:00:00", "2025-01-01T00:00:00"]),
    ),
)
done = some("complete", sale=names)


@st.composite
def a_sale(draw: st.DrawFn) -> list[dict[str, object]]:
    """What mostly comes to an end."""
    whose = draw(st.sampled_from(["a", "b", "c", None]))
    extras = draw(st.lists(st.one_of(others, paying), max_size=2))
    rung = draw(st.lists(adding, min_size=1, max_size=3))
    return [{"do": "member", "member": whose}, *rung, *extras, {"do": "tender"}, {"do": "complete"}]


one_step = st.one_of(adding, paying, done, back, others).map(lambda step: [step])
returning = back.map(lambda step: [step])
steps = st.lists(st.one_of(a_sale(), returning, one_step), min_size=1, max_size=8).map(
    lambda chunks: [step for chunk in chunks for step in chunk]
)


def check_books(shop: Shop) -> None:
    """What holds at any time."""
    for account in shop.accounts.values():
        held = {lot.lot: lot.points for lot in account.lots}
        assert all(points >= 0 for lot, points in held.items() if lot != DEBT)
        moved = Counter[str]()
        for move in account.moves:
            moved[move.lot] += move.points
        assert sum(moved.values()) == sum(held.values())
        assert account.wallet.principal >= 0
        assert account.wallet.bonus >= 0
        assert all(times >= 0 for times in account.uses.values())
    assert all(card.left >= 0 for card in shop.gift_cards.values())
    assert all(code.uses_left >= 0 for code in shop.coupons.values())
    assert all(times >= 0 for times in shop.uses.values())
    day = shop.day
    came = day.turnover_minor + day.paid_in_minor - day.paid_out_minor - day.refunded_minor
    assert sum(day.tenders.values()) == came
    quote = shop.quote()
    assert sum(line.pay_minor for line in quote.lines) == quote.total_minor
    assert all(line.taxed_minor >= 0 or line.pay_minor < 0 for line in quote.lines)


@settings(max_examples=150, deadline=None)
@given(
    told=steps,
    policy=st.sampled_from(ReturnPolicy),
    floor=st.sampled_from(Floor),
)
def test_each_step_is_done_or_refused_and_the_books_agree(told, policy, floor):
    playing = Playing(scenario(policy, floor))
    for one in told:
        if playing.attempt(msgspec.convert(one, Step)) is None:
            check_books(playing.shop)
            state_of(playing.shop, 1)
