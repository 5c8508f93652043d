"""Member cards are read; payment cards are dropped at once."""

import pytest

from hardware.card.tracks import is_payment_card, member_token, passes_luhn
from hardware.ports import CardData
from hardware.simulators.card import CardReaderSimulator


@pytest.mark.parametrize(
    "swipe",
    [
        "%B4111111111111111^DOE/JOHN^30121010000000000?",
        ";4111111111111111=30121010000?",
        ";6222020200112233445=3012?",
        "%B6222020200112233445^ZHANG/SAN^3012?;6222020200112233445=3012?",
        ";5555555555554444?",
        "4111111111111111",
    ],
)
def test_a_payment_card_is_recognised_on_either_track(swipe: str) -> None:
    assert is_payment_card(swipe)
    assert member_token(swipe) is None


@pytest.mark.parametrize(
    ("swipe", "token"),
    [(";860012345678?", "860012345678"), ("%M860012345678?", "M860012345678"), ("noise", None)],
)
def test_a_member_card_gives_its_token(swipe: str, token: str | None) -> None:
    assert member_token(swipe) == token


def test_the_luhn_check_is_that_of_the_standard() -> None:
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")


def test_a_tapped_payment_card_never_comes_through() -> None:
    reader = CardReaderSimulator()
    cards: list[CardData] = []
    reader.deliver_to(cards.append)
    reader.open()
    reader.tap("4111111111111111")
    reader.tap("860012345678")
    assert [card.token for card in cards] == ["860012345678"]
    assert reader.dropped == 1
    assert "860012345678" not in repr(cards)
