"""Stored value and gift cards: what a top-up gives, which account pays, what closing pays back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.loyalty.accounts import GiftCards, SpendFirst, StoredValue, TopUpOffer
from shared.loyalty.gift_card import sold, spent
from shared.loyalty.wallet import Wallet, closing, minus, plus, spend, top_up
from tests.pricing_builders import names

TODAY = date(2026, 1, 31)


def tier(minimum, **gives):
    return TopUpOffer(id=f"from-{minimum}", names=names("x"), minimum_minor=minimum, **gives)


RULES = StoredValue(
    top_ups=(tier(100_00, bonus_basis_points=500), tier(500_00, bonus_minor=50_00)),
    maximum_minor=1_000_00,
)


@pytest.mark.parametrize(
    ("amount", "bonus"), [(99_99, 0), (120_00, 6_00), (499_99, 25_00), (600_00, 50_00)]
)
def test_a_top_up_takes_the_highest_offer_that_it_reaches(amount, bonus):
    filled = top_up(Wallet(), amount, RULES, lambda _: True)
    assert (filled.wallet.principal, filled.wallet.bonus) == (amount, bonus)


def test_an_offer_whose_conditions_do_not_hold_is_passed_over():
    filled = top_up(Wallet(), 600_00, RULES, lambda one: one.id == "from-10000")
    assert (filled.offer, filled.bonus) == ("from-10000", 30_00)


def test_a_repeating_offer_gives_once_for_every_full_minimum():
    rules = StoredValue(top_ups=(tier(100_00, points=30, coupon="c", repeats=True),))
    filled = top_up(Wallet(), 350_00, rules, lambda _: True)
    assert (filled.points, filled.coupon, filled.coupons, filled.bonus) == (90, "c", 3, 0)


@pytest.mark.parametrize(("amount", "code"), [(0, "top-up-amount"), (960_00, "stored-value-limit")])
def test_a_top_up_that_cannot_be_is_refused(amount, code):
    with pytest.raises(DomainError) as refused:
        top_up(Wallet(), amount, RULES, lambda _: True)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("first", "principal"),
    [(SpendFirst.PRINCIPAL, 60_00), (SpendFirst.BONUS, 30_00), (SpendFirst.TOGETHER, 45_00)],
)
def test_the_programme_says_which_account_pays_first(first, principal):
    paid = spend(Wallet(principal=90_00, bonus=30_00), 60_00, first)
    assert (paid.principal, paid.bonus) == (principal, 60_00 - principal)


def test_closing_pays_back_the_principal_only():
    assert closing(Wallet(principal=70_00, bonus=12_00)) == (70_00, 12_00)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.data(), st.sampled_from(list(SpendFirst)))
def test_no_account_is_overdrawn_and_everything_that_comes_back_restores_it(
    principal, bonus, data, first
):
    wallet = Wallet(principal=principal, bonus=bonus)
    amount = data.draw(st.integers(0, wallet.total))
    paid = spend(wallet, amount, first)
    left = minus(wallet, paid)
    assert paid.total == amount
    assert min(paid.principal, paid.bonus, left.principal, left.bonus) >= 0
    assert plus(left, paid) == wallet
    with pytest.raises(DomainError, match="stored-value-not-enough"):
        spend(wallet, wallet.total + 1, first)


def test_a_gift_card_pays_until_its_last_day_and_no_more_than_it_holds():
    card = sold("g1", 50_00, GiftCards(valid_months=1), TODAY)
    assert card.last_day == date(2026, 2, 28)
    assert spent(card, 20_00, date(2026, 2, 28)).left == 30_00
    for amount, day, code in (
        (50_01, TODAY, "gift-card-not-enough"),
        (1, date(2026, 3, 1), "gift-card-lapsed"),
    ):
        with pytest.raises(DomainError) as refused:
            spent(card, amount, day)
        assert refused.value.code == code


@pytest.mark.parametrize("amount", [9_99, 1_000_01])
def test_a_gift_card_outside_the_programmes_limits_is_not_sold(amount):
    rules = GiftCards(minimum_minor=10_00, maximum_minor=1_000_00)
    with pytest.raises(DomainError, match="gift-card-amount"):
        sold("g1", amount, rules, TODAY)
