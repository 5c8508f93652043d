"""Receipts that a customer can check with a pencil, in every language and width.

Judge: ``tests/judges/receipts/adding_up.py``, which reads the printed text and nothing else.
"""

import random
import re
from pathlib import Path

import pytest

from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.receipt.builder import receipt_of
from shared.receipt.document import Document
from shared.receipt.layout import Grid, plain_text
from shared.receipt.voice import PaperLanguage
from shared.trade.value import GiftCardSold, ValueToppedUp
from tests.judges.receipts.adding_up import check
from tests.judges.receipts.reports import check_report, check_slip
from tests.support.desk import BISCUIT_CODE, WATER_CODE, open_desk
from tests.support.enrolled_till import enrol_locally
from tests.support.every_spending import spending_facts
from tests.support.taxed_cards import taxed_card_facts
from tests.unit.receipt.sample_facts import (
    DAY_CLOSED,
    RETURN,
    SALE,
    SHIFT_CLOSED,
    X_SHIFT,
    exchange,
    issue,
    loose_papers,
)

WIDTHS = (32, 42, 48)
LANGUAGES = tuple(PaperLanguage)
WHOLE = {"lines", "discounts", "basket", "rounding", "tenders", "change", "tax", "points"} | {
    "tax total"
}


def texts(document_in: object) -> dict[tuple[PaperLanguage, int], str]:
    return {
        (language, width): plain_text(document_in(language), Grid(width))  # type: ignore[operator]  # a function
        for language in LANGUAGES
        for width in WIDTHS
    }


def paper(fact: object) -> object:
    def document(language: PaperLanguage) -> Document:
        made = receipt_of(fact, issue(language))  # type: ignore[arg-type]  # of samples
        assert made is not None
        return made

    return document


def test_the_sample_sale_and_return_add_up_in_every_language_and_width() -> None:
    for kind, text in texts(paper(SALE)).items():
        found = check(text)
        assert (found.flaws, found.kinds) == ([], WHOLE), (kind, text)
    for kind, text in texts(paper(RETURN)).items():
        found = check(text)
        kinds = {"lines", "tenders", "tax", "tax total", "points"}
        assert (found.flaws, found.kinds) == ([], kinds), kind


def test_the_sample_exchange_adds_up_in_every_language_and_width() -> None:
    for kind, text in texts(lambda language: exchange(issue(language))).items():
        found = check(text)
        assert (found.flaws, found.kinds) == ([], WHOLE | {"exchange"}), (kind, text)


def test_reports_and_slips_add_up_in_every_language_and_width() -> None:
    for shift in (SHIFT_CLOSED, X_SHIFT):
        for kind, text in texts(paper(shift)).items():
            found = check_report(text)
            wanted = {"tenders", "drawer", "difference", "count"}
            wanted |= {"tax"} if shift.taxes else set()
            assert (found.flaws, found.kinds) == ([], wanted), (kind, text)
    for kind, text in texts(lambda language: loose_papers(issue(language))[0]).items():
        found = check_report(text)
        assert (found.flaws, found.kinds) == ([], {"tenders", "tax"}), (kind, text)
        assert "3,316.00" not in text, "the count at the close stays blind"
    for kind, text in texts(paper(DAY_CLOSED)).items():
        found = check_report(text)
        assert (found.flaws, found.kinds) == ([], {"difference", "tax"}), (kind, text)
    for fact in (*spending_facts(), *taxed_card_facts()):
        if isinstance(fact, ValueToppedUp | GiftCardSold):
            wanted = {"paid"} | ({"balance"} if isinstance(fact, ValueToppedUp) else set())
            wanted |= {"tax"} if getattr(fact, "taxes", ()) else set()
            for kind, text in texts(paper(fact)).items():
                found = check_slip(text)
                assert (found.flaws, found.kinds) == ([], wanted), (kind, text)


def test_no_figure_of_a_report_can_be_another_without_being_found() -> None:
    for language in LANGUAGES:
        text = texts(paper(X_SHIFT))[language, 48]
        end = re.search("累计净额|Grand total", text).start()  # type: ignore[union-attr]  # is there
        figures = [
            found for found in re.finditer(r"\d\.\d\d(?= *$)", text, re.MULTILINE)
            if found.start() < end
        ]  # fmt: skip
        assert len(figures) >= 15
        for found in figures:
            digit = (int(text[found.end() - 1]) + 1) % 10
            changed = text[: found.end() - 1] + str(digit) + text[found.end() :]
            assert check_report(changed).flaws, text[found.start() - 40 : found.end()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_figure_can_be_another_without_being_found(language: PaperLanguage, width: int) -> None:
    text = plain_text(paper(SALE)(language), Grid(width))  # type: ignore[operator]  # a function
    start, end = text.index("×") - 12, re.search("现有积分|Points now", text).start()  # type: ignore[union-attr]  # is there
    figures = [
        found
        for found in re.finditer(r"[\d,]*\d\.\d\d(?= *$)|[+-]\d+$", text, re.MULTILINE)
        if start < found.start() < end
    ]
    quiet = []
    for found in figures:
        digit = text[found.end() - 1]
        changed = text[: found.end() - 1] + str((int(digit) + 1) % 10) + text[found.end() :]
        if not check(changed).flaws:
            quiet.append(text[text.rindex("\n", 0, found.start()) : found.end()])
    assert len(figures) >= 18
    assert [line.strip() for line in quiet if "69.90" not in line] == []


def test_sales_and_returns_of_a_till_add_up(tmp_path: Path) -> None:
    """Whatever is in the basket and however it is paid, with and without member."""
    desk = open_desk(enrol_locally(tmp_path / "till"))
    chance, seen, sums = random.Random(5), set[str](), 0
    papers = Papers(desk.till.books, desk.till.shop())
    member = desk.enrol()
    for turn in range(12):
        if chance.random() < 0.6:
            desk.counter.checkout.basket.attach(desk.member(member))
        for _ in range(chance.randrange(1, 7)):
            desk.scan(chance.choice((WATER_CODE, BISCUIT_CODE)))
        desk.counter.checkout.tender_cash()
        sale = desk.finish()
        entries = [sale.entry_id]
        if turn % 3 == 0:
            entries.append(desk.take_back(sale, (1, 1)).entry_id)
        for entry in entries:
            for language in LANGUAGES:
                job = PrintJob("j", entry, 0, language.value, JobState.QUEUED, "")
                document = papers.document(job)
                for width in WIDTHS:
                    text = plain_text(document, Grid(width))
                    found = check(text)
                    assert found.flaws == [], text
                    seen |= found.kinds
                    sums += found.sums
    desk.till.close()
    assert seen >= {"lines", "tenders", "tax", "points"}
    assert sums >= 500
