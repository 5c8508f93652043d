"""Counting money: what is counted, what is typed, and which notes a customer may hand over."""

import pytest

from desktop.presenters.cash import PIECES, denominations, suggested_notes
from desktop.presenters.counting import PIECES_MAX, PREFIX, count_fields, read_counts
from desktop.services.shifts import count_total
from shared.errors import DomainError
from shared.money import Currency

YUAN = Currency("CNY")


def test_every_piece_has_its_field_largest_first():
    names = [field.name for field in count_fields(YUAN).fields]
    assert names == [f"{PREFIX}{piece}" for piece in PIECES["CNY"]]
    assert list(PIECES["CNY"]) == sorted(PIECES["CNY"], reverse=True)


def test_pieces_are_summed_and_empty_fields_are_none():
    counts = read_counts({f"{PREFIX}10000": "5", f"{PREFIX}50": " 3 ", f"{PREFIX}100": ""}, YUAN)
    assert count_total(counts) == 5 * 10000 + 3 * 50
    assert len(counts) == len(PIECES["CNY"])


def test_what_was_counted_is_shown_again():
    counts = read_counts({f"{PREFIX}10000": "5"}, YUAN)
    assert [field.value for field in count_fields(YUAN, counts).fields if field.value] == ["5"]


@pytest.mark.parametrize("text", ["-1", "1.5", "five", "1e3", str(PIECES_MAX + 1), "9" * 5000])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(DomainError) as caught:
        read_counts({f"{PREFIX}10000": text}, YUAN)
    assert caught.value.code == "bad-count"


def test_as_many_pieces_as_a_drawer_may_hold_are_taken():
    (first, *_) = read_counts({f"{PREFIX}10000": str(PIECES_MAX)}, YUAN)
    assert first.pieces == PIECES_MAX


def test_a_currency_without_a_list_is_counted_in_ones_twos_and_fives():
    assert denominations(Currency("KWD"))[-1] == 1000


@pytest.mark.parametrize(
    ("due", "notes"),
    [
        (6990, (7000, 8000, 10000)),
        (750, (800, 1000, 2000, 5000, 10000)),
        (0, ()),
        (10000, ()),
    ],
)
def test_notes_offered_are_more_than_is_due_and_none_twice(due, notes):
    assert suggested_notes(due, YUAN) == notes
