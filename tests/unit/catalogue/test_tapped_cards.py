"""The serial number of a chip, as the till's readers name it, is a member's card."""

import pytest

from shared.catalogue.codes import MemberCode, Sku, classify


@pytest.mark.parametrize("text", ["NFC-04A2B3C4D5E680", "NFC-04112233", " NFC-04112233445566\r"])
def test_a_chips_serial_number_is_a_member(text):
    assert classify(text) == MemberCode(text.strip())


@pytest.mark.parametrize("text", ["NFC-", "NFC-04", "NFC-04a2b3c4", "XNFC-04112233", "NFC-0411223"])
def test_what_is_no_whole_serial_number_is_not(text):
    assert classify(text) == Sku(text)
