"""What a fiscal device said, or that it said nothing, on paper of every width and language."""

from dataclasses import replace

import msgspec
import pytest

from shared.receipt.builder import receipt_of
from shared.receipt.layout import Grid, Line, lay_out
from shared.receipt.text import gb18030_cells
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalRecorded
from tests.support.every_fact import about_signatures
from tests.unit.receipt.sample_facts import RETURN, SALE, issue

FAILED, SIGNED = about_signatures()
assert isinstance(FAILED, FiscalRecorded)
assert isinstance(SIGNED, FiscalRecorded)
SIGNED = msgspec.structs.replace(SIGNED, signature="MEUCIQ" + "abcD+/" * 15)


def printed(fact, outcome, record, language=PaperLanguage.BOTH, columns=48) -> list[str]:
    fact = msgspec.structs.replace(fact, fiscal=outcome)
    document = receipt_of(fact, replace(issue(language), fiscal=record))
    assert document is not None
    lines = [one for one in lay_out(document, Grid(columns)) if isinstance(one, Line)]
    for line in lines:
        assert gb18030_cells(line.text) * line.style.width_factor <= columns
    return [line.text.strip() for line in lines]


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("language", list(PaperLanguage))
@pytest.mark.parametrize("fact", [SALE, RETURN], ids=lambda fact: fact.kind)
def test_the_whole_signature_is_on_every_paper(fact, language, columns):
    shown = "".join(printed(fact, FiscalOutcome(), SIGNED, language, columns)).replace(" ", "")
    assert SIGNED.signature in shown
    assert SIGNED.device in shown


@pytest.mark.parametrize(
    ("outcome", "record", "says"),
    [
        (FiscalOutcome(), None, "税控设备故障：本小票未签名"),
        (FiscalOutcome(failure="offline"), None, "税控设备离线：本小票未签名"),
        (FiscalOutcome(), FAILED, "税控设备离线：本小票未签名"),
        (FiscalOutcome(failure="missing"), None, "税控设备故障：本小票未签名"),
    ],
)
def test_what_is_not_signed_says_so_in_both_languages(outcome, record, says):
    shown = printed(SALE, outcome, record)
    assert says in shown
    assert any("this receipt is not signed" in line for line in shown)


def test_a_till_without_a_device_prints_nothing_of_it():
    assert not [line for line in printed(SALE, None, None) if "税控" in line]
