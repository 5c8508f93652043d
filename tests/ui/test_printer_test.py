"""The printer test from the receipt form, with eyes on the virtual paper, up to the profile."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.presenters.view import Choices, Sheet, TillView
from desktop.printer_trial import PrinterTrial
from desktop.services.settings_file import PrinterSettings
from desktop.till_window import open_station
from hardware.escpos.profile import built_in_profiles, load_profiles
from hardware.paper.firmware import COMPLETE
from hardware.simulators.printer import PrinterSimulator
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.wallet import WalletSimulator
from hardware.survey.course import Question, Survey
from hardware.survey.findings import FILE_NAME, PROFILE_NAME
from shared.clock import ManualClock
from tests.support.paper_eye import look
from tests.support.till_errands import sell
from tests.support.till_fixture import CHIPS, MORNING, enrol_here
from tests.support.till_hands import Hands

Key = Qt.Key
WAIT_S = 60.0
SCREENS = Path("build/screens/tests")


@pytest.fixture
def printer() -> Iterator[PrinterSimulator]:
    firmware = replace(COMPLETE, cuts=frozenset({"full"}), answers=frozenset({"DLE EOT", "GS r"}))
    paper = built_in_profiles().paper("58mm")
    with PrinterSimulator(paper=paper, firmware=firmware) as running:
        yield running


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """The questions so far, for whoever looks at the pages."""
    monkeypatch.setattr("desktop.printer_trial.LISTEN_S", 0.2)
    noted: list[Question] = []
    question = Survey.question

    def noting(self: Survey) -> Question | None:
        found = question(self)
        if found is not None:
            noted.append(found)
        return found

    monkeypatch.setattr(Survey, "question", noting)
    return noted


@pytest.fixture
def hands(qtbot: QtBot, tmp_path: Path, printer: PrinterSimulator) -> Iterator[Hands]:
    """A till whose settings name that printer."""
    store: OpenStore = enrol_here(tmp_path)
    clock, scanner = ManualClock(MORNING), CallbackScannerSimulator()
    scanner.open()
    settings = PrinterSettings(host=printer.host, port=printer.port)
    around = Surroundings(
        clock=clock,
        gateway=WalletSimulator(wait=lambda _seconds: None),
        printer_trial=lambda: PrinterTrial(settings, store.folder.path),
    )
    station = open_station(store, around, scanner=scanner)
    qtbot.addWidget(station.window)
    station.window.resize(1024, 768)
    station.window.show()
    station.loop.start()
    station.listen()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    yield Hands(station=station, clock=clock, scanner=scanner, wallet=wallet)
    station.close()


def has_choices(view: TillView) -> bool:
    return view.overlay is not None and any(
        isinstance(part, Choices) and part.name == "seen" for part in view.overlay.parts
    )


def wait_for_question(hands: Hands) -> Sheet:
    assert hands.station.loop.wait_for(has_choices, WAIT_S)
    hands.settle()
    return hands.overlay


def begin(hands: Hands) -> None:
    hands.key(Key.Key_F10)
    hands.tap("menu", "receipt-form")
    hands.tap("printer-test")
    assert hands.overlay.kind == "printer-test"


def test_from_the_receipt_form_to_the_profile(
    selling: Hands, printer: PrinterSimulator, asked: list[Question]
) -> None:
    begin(selling)
    wait_for_question(selling)
    SCREENS.mkdir(parents=True, exist_ok=True)
    assert selling.station.window.grab().save(str(SCREENS / "printer-test.png"))
    selling.tap("again")
    wait_for_question(selling)
    pages = 0
    while has_choices(selling.view):
        question = asked[-1]
        papers = [job for job in printer.jobs if job.data == question.page]
        pages += 1
        assert len(papers) == (2 if pages == 1 else 1), question.message_key
        selling.tap("seen", look(question, papers[-1].sheet()))
        assert selling.station.loop.wait_for(
            lambda view: has_choices(view) or "printer-test.saved" in repr(view.overlay), WAIT_S
        )
        selling.settle()
    assert pages >= 4
    book = load_profiles(selling.station.till.store.folder.path / FILE_NAME)
    profile = book.profile(PROFILE_NAME)
    assert profile.paper == "58mm"
    selling.key(Key.Key_Escape)
    assert sell(selling, CHIPS).total == CHIPS.list_price_minor


def test_a_printer_that_is_off_is_said_and_asked_again(
    selling: Hands, printer: PrinterSimulator, asked: list[Question]
) -> None:
    printer.stop()
    begin(selling)
    assert selling.station.loop.wait_for(
        lambda view: "devices.printer." in repr(view.overlay), WAIT_S
    )
    selling.settle()
    assert asked == []
    printer.start()
    selling.tap("again")
    wait_for_question(selling)
    assert len(printer.jobs) == 1
    selling.key(Key.Key_Escape)
    assert not (selling.station.till.store.folder.path / FILE_NAME).exists()


def test_a_test_that_was_left_while_it_prints_changes_nothing(
    selling: Hands, asked: list[Question]
) -> None:
    begin(selling)
    selling.key(Key.Key_Escape)
    assert sell(selling, CHIPS).total == CHIPS.list_price_minor
    assert selling.view.overlay is None
    del asked
