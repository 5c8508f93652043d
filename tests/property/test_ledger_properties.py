"""Balances are a fold of postings, and postings a function of each fact alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ProtocolError
from shared.ids import EntryId, MemberId, TillId
from shared.ledger.account import Account, AccountKind, Posting, Unit
from shared.ledger.balance import fold
from shared.ledger.posting import RULES, released_rules, sum_by_unit
from shared.trade.fact import Fact, LotDraw, Tender, TenderKind
from shared.trade.ticket import SaleCompleted
from tests.support import every_fact

TILLS = ("till-1", "till-2", "till-3")
MEMBERS = ("member-1", "member-2")


@st.composite
def sales(draw) -> SaleCompleted:
    """A sale whose outcomes agree with each other: any amounts, lots, members and tills."""
    amount = draw(st.integers(0, 10**9))
    tax = draw(st.integers(0, amount))
    by_points = draw(st.integers(0, amount))
    rounding = draw(st.integers(-9, 9)) if amount > 9 + by_points else 0
    spent = draw(st.integers(0, 5000))
    template = every_fact.sale()
    assert template.member is not None
    line = msgspec.structs.replace(
        template.lines[0],
        amount=amount,
        taxes=(msgspec.structs.replace(template.lines[0].taxes[0], tax=tax),),
    )
    earned = draw(st.integers(0, 5000))
    return msgspec.structs.replace(
        template,
        till_id=TillId(draw(st.sampled_from(TILLS))),
        lines=(line,),
        total=amount,
        rounding=rounding,
        tenders=(
            Tender(
                tender=TenderKind.POINTS,
                amount=by_points,
                lots=(LotDraw(lot=draw(st.sampled_from(["lot-1", "lot-2"])), points=spent),),
            ),
            Tender(tender=TenderKind.CASH, amount=amount - by_points + rounding),
        ),
        member=msgspec.structs.replace(
            template.member,
            member_id=MemberId(draw(st.sampled_from(MEMBERS))),
            points=msgspec.structs.replace(template.member.points, earned=earned),
        ),
    )


def booked(facts: list[tuple[EntryId, Fact]], rules=RULES) -> list[Posting]:
    return [
        posting
        for entry_id, fact in facts
        for posting in rules.post(entry_id, fact, post_version=1)
    ]


def named(facts: list[Fact]) -> list[tuple[EntryId, Fact]]:
    return [(EntryId(f"entry-{number}"), fact) for number, fact in enumerate(facts)]


@given(st.lists(sales(), max_size=6))
def test_postings_of_every_fact_sum_to_zero_in_each_unit(facts):
    for entry_id, fact in named([*facts, *every_fact.all_facts()]):
        postings = RULES.post(entry_id, fact, post_version=fact.post_version)
        assert all(amount == 0 for _unit, amount in sum_by_unit(postings))


@given(st.lists(sales(), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_balances(facts, random):
    in_order = named(facts)
    shuffled = list(in_order)
    random.shuffle(shuffled)
    assert fold(booked(shuffled)) == fold(booked(in_order))


@given(st.lists(sales(), min_size=1, max_size=6))
def test_a_later_booking_rule_changes_nothing_of_facts_written_before_it(facts):
    later = released_rules()

    def post_differently(_entry_id: EntryId, sale: SaleCompleted) -> list[Posting]:
        account = Account(AccountKind.SAFE, sale.store_id, "", Unit("CNY/2"))
        other = Account(AccountKind.SALES, sale.store_id, "", Unit("CNY/2"))
        return [Posting(account, sale.total), Posting(other, -sale.total)]

    later.install(SaleCompleted, post_differently, post_version=2)
    assert booked(named(facts), later) == booked(named(facts))
    new = later.post(EntryId("x"), facts[0], post_version=2)
    assert {posting.account.kind for posting in new} <= {AccountKind.SAFE, AccountKind.SALES}


@given(st.lists(sales(), max_size=6), st.integers(0, 6))
def test_balances_can_be_folded_in_parts(facts, cut):
    postings = booked(named(facts))
    assert fold(postings[cut:], fold(postings[:cut])) == fold(postings)


def test_a_fact_whose_outcomes_contradict_each_other_is_not_booked():
    sale = every_fact.sale()
    wrong = msgspec.structs.replace(sale, rounding=sale.rounding + 1)
    with pytest.raises(ProtocolError, match="unbalanced-fact"):
        RULES.post(EntryId("x"), wrong, post_version=1)


def test_a_booking_rule_of_a_later_release_is_refused():
    with pytest.raises(ProtocolError, match="unknown-post-version"):
        RULES.post(EntryId("x"), every_fact.sale(), post_version=2)


def test_training_books_nothing():
    trained = msgspec.structs.replace(every_fact.sale(), training=True)
    assert RULES.post(EntryId("x"), trained, post_version=1) == ()


def test_a_return_takes_growth_and_spend_off_the_sale_it_is_of():
    postings = RULES.post(EntryId("x"), every_fact.returned(), post_version=1)
    lots = {
        p.account.lot for p in postings if p.account.kind in {AccountKind.SPEND, AccountKind.GROWTH}
    }
    assert lots == {every_fact.SALE_ID}
