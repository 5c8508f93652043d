"""Visit cards, friends, actions and draws at the window: what the cashier and the member see."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.bootstrap import OpenStore
from desktop.presenters.intent import Act
from shared.language import Language
from shared.loyalty.document import GoodsSet, Names
from shared.loyalty.engagement import Referral, VisitCard
from tests.pricing_builders import programme
from tests.support.benefits import SPRING, SURVEY
from tests.support.till_fixture import CHIPS, enrol_here
from tests.support.till_hands import Hands
from tests.ui.test_both_languages import SIZES, clipped, picture
from tests.ui.test_counter_work import CARD, enrol, last_sale

Key = Qt.Key
RULES = programme(
    visit_cards=(
        VisitCard(
            id="chips",
            names=Names(zh="薯片卡", en="Chips card"),
            stamps=3,
            goods=GoodsSet(skus=(str(CHIPS.sku),)),
            per_unit=True,
            points=50,
        ),
    ),
    referral=Referral(points_for_friend=100, points_for_referrer=200),
    actions=(SURVEY,),
    draws=(SPRING,),
)


@pytest.fixture
def store(tmp_path: Path) -> OpenStore:
    """The files of a till with a visit card."""
    return enrol_here(tmp_path, programme=RULES)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", list(Language))
def test_stamps_are_seen_while_goods_are_scanned(
    selling: Hands, language: Language, size: tuple[int, int]
) -> None:
    selling.station.window.resize(*size)
    selling.station.window.post(Act("language", language.value))
    enrol(selling)
    for _ in range(2):
        selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    selling.scan(CARD)
    selling.scan(CHIPS.barcodes[0])
    (told,) = selling.sale.member.cards
    assert dict(told.fields)["stamps"] == 2
    # 7 of the goods, and what the full card gives.
    assert selling.sale.member.earns == "57"
    assert told.key == "till.member.card-full"
    assert clipped(selling) == []
    picture(selling, "visit-card")
    # With a member and goods every key of the bar is there: the window has room for them all.
    assert selling.station.window.width() == size[0]
    selling.key(Key.Key_F10)
    selling.tap("menu", "taking-part")
    assert clipped(selling) == []
    picture(selling, "taking-part")
    selling.key(Key.Key_Escape)
    selling.key(Key.Key_F12)
    assert last_sale(selling).cards[0].filled == 1
    assert last_sale(selling).member.points.earned >= 50


def test_who_brought_a_member_is_typed_at_enrolment(selling: Hands) -> None:
    enrol(selling)
    selling.key(Key.Key_F3)
    selling.tap("enrol")
    selling.compose("韩梅梅")
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_Tab)
    selling.type("13900139000")
    for _ in range(3):
        selling.key(Key.Key_Tab)
    selling.type("13800138999")
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_Return)
    assert selling.told == "error.referrer-unknown"
    assert selling.view.overlay is not None
