"""The till's hands on stored value and gift cards: menu, sheets, keys and scans."""

import msgspec
import pytest

from desktop.presenters.intent import Key
from desktop.presenters.text import key_of
from shared.loyalty.accounts import GiftCards, StoredValue, TopUpOffer
from shared.loyalty.bundle import template
from shared.loyalty.gift_card_code import new_gift_card_code
from tests.pricing_builders import names
from tests.support.till_fixture import RICE

TOP_UP = TopUpOffer(id="100", names=names("10 on 100"), minimum_minor=10_000, bonus_minor=1_000)
PROGRAMME = msgspec.structs.replace(
    template("default"),
    stored_value=StoredValue(top_ups=(TOP_UP,)),
    gift_cards=GiftCards(),
)
pytestmark = pytest.mark.parametrize("programme", [PROGRAMME], indirect=True, ids=["value"])


def open_menu(selling, name: str) -> None:
    selling.press(Key.F10)
    selling.act("menu", name)


def enrol(selling) -> None:
    selling.press(Key.F3)
    selling.act("enrol")
    selling.press(Key.ENTER, name="王小明", phone="13800138000")


def test_a_top_up_needs_a_member_and_says_what_it_gave(selling):
    open_menu(selling, "top-up")
    selling.press(Key.ENTER, amount="100.00", given="", way="cash")
    assert selling.told.key == "error.stored-value-needs-member"
    selling.press(Key.ESC)
    enrol(selling)
    open_menu(selling, "top-up")

    selling.press(Key.ENTER, amount="100.00", given="150.00", way="cash")

    assert selling.told.key == "till.value.topped-up"
    fields = dict(selling.view.message.text.fields)
    assert (fields["bonus"].minor, fields["balance"].minor) == (1_000, 11_000)
    assert fields["change"].minor == 5_000


def test_stored_value_is_offered_with_what_may_be_spent_here(selling):
    enrol(selling)
    open_menu(selling, "top-up")
    selling.press(Key.ENTER, amount="100.00", given="", way="cash")
    selling.scan(RICE.barcodes[0])
    selling.press(Key.F11)
    assert selling.sale.tender is not None
    offered = selling.sale.tender.value_offered
    assert key_of(offered) == "till.tender.value-offered"
    assert dict(offered.fields)["here"].minor == 0

    selling.press(Key.F4)

    assert selling.told.key == "error.beyond-lease-offline"


def test_a_card_is_sold_and_scanned_to_pay(selling):
    open_menu(selling, "sell-card")
    selling.press(Key.ENTER, amount="50.00", given="", way="cash", code="")
    assert selling.told.key == "till.value.card-sold"
    selling.scan(RICE.barcodes[0])

    selling.scan(new_gift_card_code())

    assert selling.told.key == "error.card-asked-offline"
    assert selling.sale.tender is not None


def test_paying_out_asks_the_manager_only_for_what_may_be_paid(selling):
    enrol(selling)
    open_menu(selling, "close-value")
    assert selling.told.key == "error.nothing-to-pay-out"
    open_menu(selling, "top-up")
    selling.press(Key.ENTER, amount="100.00", given="", way="cash")
    open_menu(selling, "close-value")
    assert selling.told.key == "error.beyond-lease-offline"
    assert selling.view.overlay is None
    open_menu(selling, "close-card")
    selling.scan(new_gift_card_code())
    assert selling.told.key == "error.card-asked-offline"
