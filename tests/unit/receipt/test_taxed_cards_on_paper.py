"""A gift card that is taxed when it is sold, on every paper that it comes on."""

import pytest

from shared.receipt.builder import receipt_of
from shared.receipt.document import Document
from shared.receipt.layout import Grid, plain_text
from shared.receipt.voice import PaperLanguage
from tests.support.taxed_cards import taxed_card_facts
from tests.unit.receipt.sample_facts import issue

SAID = {
    PaperLanguage.CHINESE: ("售卡时已计税", "其中税额", "应计税额"),
    PaperLanguage.ENGLISH: ("Taxed when the card was sold", "Tax in it", "Tax due"),
}


@pytest.mark.parametrize("language", list(SAID))
def test_each_paper_says_what_was_taxed_and_when(language: PaperLanguage) -> None:
    prepaid, in_card, due = SAID[language]
    papers = [receipt_of(fact, issue(language)) for fact in taxed_card_facts()]
    sold, paid, back, closed, shift, day = (
        " ".join(plain_text(one, Grid(48)).split()) for one in papers if isinstance(one, Document)
    )
    assert "13% 100.00 13.00 113.00" in sold
    assert f"{prepaid} 6.50" in paid
    assert f"{prepaid} 6.50" in back
    assert f"{in_card} 13.00" in closed
    for report in (shift, day):
        assert f"{due} " in report
        assert "13% 100.00 13.00 113.00" in report
