"""A customer is enrolled with a birthday at the window, and pays less in that week, offline too."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.bootstrap import OpenStore
from shared.loyalty.conditions import Around, Birthday
from shared.loyalty.effects import AmountOff
from shared.trade.fact import KnownBefore
from tests.pricing_builders import offer, programme
from tests.support.till_fixture import CHIPS, enrol_here
from tests.support.till_hands import Hands
from tests.ui.test_counter_work import CARD, enrol, last_sale

Key = Qt.Key
TWO_OFF = offer("birthday", AmountOff(off_minor=2_00), conditions=(Birthday(within=Around.WEEK),))
WEEK_S = 7 * 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> OpenStore:
    """The files of a till with a birthday offer."""
    return enrol_here(tmp_path, programme=programme(TWO_OFF))


def enrol_born(hands: Hands, typed: str) -> None:
    """Name, and with Tab past phone and card to the birthday."""
    hands.scan(CARD)
    hands.compose("王小明")
    hands.clock.advance(seconds=1)
    for _ in range(3):
        hands.key(Key.Key_Tab)
    hands.type(typed)
    hands.clock.advance(seconds=1)
    hands.key(Key.Key_Return)


def test_the_price_falls_as_soon_as_the_birthday_is_known_and_the_week_after_it_does_not(
    selling: Hands,
) -> None:
    """The till opens on Monday, 2 March 2026; nobody answers its server's address."""
    selling.scan(CHIPS.barcodes[0])
    assert selling.sale.total == 7_50
    enrol_born(selling, "0308")
    assert selling.sale.member is not None
    assert selling.sale.total == 5_50
    selling.key(Key.Key_F12)
    assert last_sale(selling).known == KnownBefore(birthday=("week",))
    selling.clock.advance(seconds=WEEK_S)
    selling.scan(CARD)
    selling.scan(CHIPS.barcodes[0])
    assert selling.sale.total == 7_50
    selling.key(Key.Key_F12)
    assert last_sale(selling).known == KnownBefore()


def test_what_is_no_birthday_is_told_and_nobody_is_enrolled(selling: Hands) -> None:
    enrol_born(selling, "1332")
    assert selling.told == "error.bad-birthday"
    assert selling.overlay.kind.startswith("enrolment")
    assert selling.sale.member is None


def test_enter_passes_the_birthday_by(selling: Hands) -> None:
    """Name, phone, card: three keys, as before."""
    enrol(selling)
    assert selling.sale.member is not None
    (member,) = selling.station.till.members.search("王小明")
    assert member.birthday == ""
