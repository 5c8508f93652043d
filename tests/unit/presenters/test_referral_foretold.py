"""What a friend's first sale will bring is seen before it is paid."""

import msgspec
import pytest

from desktop.presenters.intent import Key
from shared.loyalty.bundle import template
from shared.loyalty.engagement import Referral
from tests.support.till_fixture import CASHIER, CHIPS

RULES = msgspec.structs.replace(
    template("default"),
    referral=Referral(points_for_friend=100, points_for_referrer=200, minimum_minor=15_00),
)
CODE = CHIPS.barcodes[0]


@pytest.mark.parametrize("programme", [RULES], indirect=True, ids=["referral"])
def test_the_friends_own_points_are_foretold_once_the_sale_counts(selling):
    selling.till.members.enrol(name="李雷", phone="13800138000", operator_id=CASHIER, tier="member")
    selling.press(Key.F3)
    selling.act("enrol")
    selling.press(Key.ENTER, name="王小明", phone="13900139000", referred_by="13800138000")
    selling.scan(CODE)
    assert selling.sale.member.earns == "7"
    selling.scan(CODE)
    assert selling.sale.member.earns == "115"
    selling.press(Key.PLUS, Key.ENTER)
    assert selling.tickets == 1
