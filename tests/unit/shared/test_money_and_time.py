"""Money, shares, clocks and ids: exact, ordered, and refused where they cannot be right."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import HybridClock, ManualClock, SystemClock, hybrid_milliseconds
from shared.errors import DomainError
from shared.ids import random_id, time_ordered_id
from shared.money import (
    AMOUNT_MINOR_MAX,
    EXPONENT_OTHER_THAN_TWO,
    Currency,
    Money,
    Rounding,
    divide_rounded,
    format_amount,
    parse_amount,
    parse_percent,
)
from shared.points import format_points
from shared.shares import cumulative_share, largest_remainder

CNY, JPY, KWD = Currency("CNY"), Currency("JPY"), Currency("KWD")
MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.DOWN: ROUND_DOWN,
    Rounding.UP: ROUND_UP,
}
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6), st.sampled_from(Rounding))
def test_the_one_rounding_function_agrees_with_decimal(numerator, denominator, mode):
    exact = Decimal(numerator) / Decimal(denominator)
    assert divide_rounded(numerator, denominator, mode) == int(exact.quantize(1, MODES[mode]))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.5", CNY, 1250),
        ("1,234.00", CNY, 123400),
        (" 0.01 ", CNY, 1),
        (".5", CNY, 50),
        ("7.", CNY, 700),
        ("-3", CNY, -300),
        ("1234", JPY, 1234),
        ("1.234", KWD, 1234),
        ("1.50", JPY, None),
        ("1.001", CNY, None),
        ("", CNY, None),
        (".", CNY, None),
        ("-", CNY, None),
        ("abc", CNY, None),
        ("1e3", CNY, None),
        ("NaN", CNY, None),
        ("Infinity", CNY, None),
        ("1.2.3", CNY, None),
        ("--1", CNY, None),
        ("9" * 400, CNY, None),
        ("100000000000.01", CNY, None),
    ],
)
def test_amounts_are_read_as_people_write_them_or_refused(text, currency, minor):
    if minor is not None:
        assert parse_amount(text, currency) == minor
        return
    with pytest.raises(DomainError) as caught:
        parse_amount(text, currency)
    assert caught.value.code == "bad-amount"
    assert caught.value.fields == {"text": text[:40], "currency": currency.code}


@given(st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), st.sampled_from([CNY, JPY, KWD]))
def test_what_is_written_reads_back(minor, currency):
    assert parse_amount(format_amount(minor, currency), currency) == minor


def test_exponents_are_those_of_the_standard():
    """Babel's table is CLDR's, which states what ISO 4217 states for these, save some it trims."""
    trimmed_by_cldr = {"IQD", "UYI", "CLF", "ISK", "UGX"}
    for code in {*EXPONENT_OTHER_THAN_TWO, "CNY", "EUR", "GBP", "USD", "HKD"} - trimmed_by_cldr:
        assert Currency(code).exponent == get_currency_precision(code), code


@pytest.mark.parametrize("code", ["", "cny", "CN", "CNYY", "C1Y", "元"])
def test_a_currency_is_three_capitals(code):
    with pytest.raises(DomainError) as caught:
        Currency(code)
    assert caught.value.fields == {"currency": code}


@pytest.mark.parametrize("minor", [1.0, "1", True, None, Decimal(1)])
def test_money_is_an_integer_of_one_currency(minor):
    with pytest.raises(TypeError):
        Money(minor, CNY)
    with pytest.raises(TypeError):
        Money(1, CNY) + Money(1, JPY)


def test_money_and_points_are_written_with_their_own_decimals():
    assert [str(Money(123450, c)) for c in (CNY, JPY, KWD)] == [
        "¥1,234.50",
        "¥123,450",
        "KWD 123.450",
    ]
    assert str(-Money(5, CNY) - Money(1, CNY)) == "¥-0.06"
    assert [format_points(1284, d) for d in (0, 1, 2)] == ["1,284", "128.4", "12.84"]


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_shares_sum_to_the_whole_and_stay_within_one_of_exact(total, weights):
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        exact = [Decimal(total) * weight / whole for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


@given(st.integers(0, 10**9), st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_any_sequence_of_parts_sums_to_the_share(share, steps):
    done, given_back = 0, 0
    for step in steps:
        given_back += cumulative_share(share, done, step, sum(steps))
        done += step
    assert given_back == share


def test_hybrid_time_never_runs_backwards_whatever_the_wall_clock_does():
    clock = ManualClock(START)
    hybrid = HybridClock(clock)
    ticks = [hybrid.tick()]
    for hours in (0, 0, -5, 1, -400, 900):
        clock.set(clock.now() + timedelta(hours=hours))
        ticks += [hybrid.tick(), hybrid.tick()]
    assert ticks == sorted(set(ticks))
    assert all(len(tick) == 16 for tick in ticks)


def test_hybrid_time_goes_on_after_what_was_seen_and_what_was_kept():
    clock = ManualClock(START)
    hybrid = HybridClock(clock)
    seen = HybridClock(ManualClock(START + timedelta(days=1))).tick()
    hybrid.witness(seen)
    after = hybrid.tick()
    assert after > seen
    assert HybridClock(clock, after).tick() > after
    assert hybrid_milliseconds(HybridClock(clock).tick()) == int(START.timestamp() * 1000)


def test_a_manual_clocks_durations_never_go_back():
    clock = ManualClock(START)
    clock.advance(seconds=5)
    clock.set(START - timedelta(days=1))
    assert clock.monotonic() == 5
    assert SystemClock().now().tzinfo is UTC


def test_entry_ids_are_uuids_of_version_7_in_the_order_of_time():
    clock = ManualClock(START)
    ids = []
    for _ in range(50):
        ids.append(time_ordered_id(clock))
        clock.advance(milliseconds=1)
    parsed = [uuid.UUID(one) for one in ids]
    assert ids == sorted(ids)
    assert {one.version for one in parsed} == {7}
    assert {one.variant for one in parsed} == {uuid.RFC_4122}
    assert parsed[0].int >> 80 == int(START.timestamp() * 1000)


def test_random_ids_tell_nothing():
    parsed = uuid.UUID(random_id(lambda count: b"\xff" * count))
    assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)
    assert len({random_id() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("text", "points"), [("10", 1_000), (" 12.5% ", 1_250), ("0.01", 1), ("0", 0), ("100", 10_000)]
)
def test_a_percentage_is_read_into_basis_points(text, points):
    assert parse_percent(text) == points


@pytest.mark.parametrize("text", ["", "x", "-1", "100.01", "0.001", "1e1", "ten%"])
def test_what_is_no_percentage_is_refused(text):
    with pytest.raises(DomainError, match="bad-percent"):
        parse_percent(text)
