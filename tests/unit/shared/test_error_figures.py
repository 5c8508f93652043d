"""Which fields of errors are money or points: as their messages have them, and no counts."""

import string

import pytest

from desktop.presenters.text import Say
from desktop.ui.wording import Wording
from shared.error_figures import MONEY, POINTS, readable
from shared.errors import DomainError
from shared.language import Language, words


@pytest.mark.parametrize("language", list(Language))
def test_every_figure_is_one_of_its_message(language):
    for code, fields in (MONEY | POINTS).items():
        for text in words(language).forms(f"error.{code}"):
            assert fields <= {name for _, name, _, _ in string.Formatter().parse(text)}, code


def test_money_and_points_are_written_and_counts_stay():
    error = DomainError("gift-card-amount", lowest=1000, highest=5000, amount=500)
    assert readable(error, "¥{}".format, str) == {
        "lowest": "¥1000",
        "highest": "¥5000",
        "amount": "¥500",
    }
    few = DomainError("points-not-enough", points=50, balance=7)
    assert readable(few, str, "{} p".format) == {"points": "50 p", "balance": "7 p"}
    many = DomainError("too-many-units", rule="wine", units=13, highest=12)
    assert readable(many, "¥{}".format, str) == {"rule": "wine", "units": 13, "highest": 12}


def test_a_till_says_how_many_units_and_how_much_money():
    wording = Wording(Language.ENGLISH, "CNY")
    many = Say("error.too-many-units", (("rule", "wine"), ("units", 13), ("highest", 12)))
    assert "at most 12 may be sold" in wording.text(many)
    short = Say("error.gift-card-not-enough", (("amount", 700), ("balance", 300)))
    assert "¥7.00 asked for, ¥3.00 is left" in wording.text(short)
