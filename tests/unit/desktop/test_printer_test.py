"""``evertill printer-test``: from the questions to a till that prints by the answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from desktop import printer_trial
from desktop.devices import make_devices
from desktop.services.settings_file import read_settings
from hardware.escpos.profile import built_in_profiles
from hardware.paper.firmware import COMPLETE
from hardware.simulators.printer import PrinterSimulator
from hardware.survey.course import Survey
from shared.clock import ManualClock
from shared.receipt.document import Cut, Document, Text
from tests.support.command_line import run_evertill
from tests.support.paper_eye import look

BOOK = built_in_profiles()


@pytest.fixture
def printer() -> Iterator[PrinterSimulator]:
    firmware = replace(COMPLETE, cuts=frozenset({"full"}), answers=frozenset({"DLE EOT", "GS r"}))
    with PrinterSimulator(paper=BOOK.paper("58mm"), firmware=firmware) as running:
        yield running


@pytest.fixture
def eyes(printer: PrinterSimulator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Types the number of what is seen on the last paper; once nonsense, once for a second one."""
    typed = ["x", "0"]
    asked: list[Survey] = []
    question = Survey.question

    def noting(self: Survey) -> object:
        found = question(self)
        if found is not None:
            asked.append(found)  # type: ignore[arg-type]  # the question itself
        return found

    def prompt(text: str) -> str:
        if typed:
            return typed.pop(0)
        while not (pages := [job for job in printer.jobs if job.data == asked[-1].page]):  # type: ignore[attr-defined]  # as above
            printer.wait_for_jobs(len(printer.jobs) + 1)
        value = look(asked[-1], pages[-1].sheet())  # type: ignore[arg-type]  # as above
        values = [choice.value for choice in asked[-1].choices]  # type: ignore[attr-defined]  # as above
        return f" {values.index(value) + 1} "

    monkeypatch.setattr(Survey, "question", noting)
    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(printer_trial, "LISTEN_S", 0.2)
    return typed


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_till_prints_by_what_the_test_found(
    tmp_path: Path,
    printer: PrinterSimulator,
    eyes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
) -> None:
    address = f'[printer]\nhost = "{printer.host}"\nport = {printer.port}\n'
    (tmp_path / "till.toml").write_text(f'language = "{language}"\n{address}')
    done = run_evertill(monkeypatch, capsys, "printer-test", "--data", str(tmp_path))
    assert (done.code, eyes) == (0, []), done.err
    assert ("answered" in done.out) is (language == "en")
    assert str(tmp_path / "printers.toml") in done.out.replace("\n", "")

    tested = len(printer.jobs)
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    devices = make_devices(read_settings(tmp_path), clock, tmp_path)
    assert devices.encoder is not None
    profile = devices.encoder.profile
    assert (profile.text, profile.cut, profile.paper) == ("gb18030", "full", "58mm")
    assert (profile.answers, profile.confirm) == ("always", "gs-r")
    assert devices.encoder.paper.columns == 32
    assert devices.printer is not None
    devices.open()
    devices.printer.print_job(
        devices.encoder.encode(Document((Text("农夫山泉"), Cut()))),
        deadline_s=5,
        before_first_byte=lambda: None,
    )
    devices.close()
    assert printer.wait_for_jobs(tested + 1)[-1].text().startswith("农夫山泉\n")


def test_without_an_address_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run_evertill(monkeypatch, capsys, "printer-test", "--data", str(tmp_path))
    assert done.code == 2
    assert "--host" in done.err


def test_a_printer_that_is_not_there_is_told(
    tmp_path: Path,
    printer: PrinterSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer.stop()
    host = f"{printer.host}:{printer.port}"
    done = run_evertill(
        monkeypatch, capsys, "printer-test", "--data", str(tmp_path), "--host", host
    )
    assert done.code == 2
    assert not (tmp_path / "printers.toml").exists()
