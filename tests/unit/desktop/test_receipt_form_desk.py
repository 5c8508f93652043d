"""A till's receipt form is a fact, used from the next paper on; papers without an entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from desktop.reckoning.file import read_till
from desktop.services.paper import Papers, issue_now
from desktop.store.print_jobs import JobState, PrintJob
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.text import sheet_text
from hardware.ports import PrintOutcome, PrintState
from shared.errors import DomainError
from shared.receipt.layout import Grid, plain_text
from shared.receipt.trial import trial_page
from shared.receipt.voice import PaperLanguage
from shared.trade.paper import ReceiptForm
from tests.support.command_line import Done, run_evertill
from tests.support.desk import WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import MANAGER, enrol_locally

FORM = ReceiptForm(names={"zh": "常青便利", "en": "Evergreen"}, logo="logo.png")


class Printer:
    """Keeps what came out; refuses as often as it is told."""

    name = "test"

    def __init__(self) -> None:
        self.papers: list[str] = []
        self.refuses = 0
        self.doubts = 0
        """So many papers come out without its word."""

    def print_job(self, data: bytes, *, deadline_s: float, before_first_byte: Any) -> PrintOutcome:
        del deadline_s
        if self.refuses:
            self.refuses -= 1
            state = PrintState.FAILED_BEFORE_SEND
            return PrintOutcome(state, 0, message_key="printer.offline", retry_after_s=0.001)
        before_first_byte()
        self.papers.append(sheet_text(Interpreter(dots=576).print_all(data)))
        if self.doubts:
            self.doubts -= 1
            return PrintOutcome(PrintState.UNCERTAIN, len(data))
        return PrintOutcome(PrintState.CONFIRMED, len(data))


def wide() -> Encoder:
    book = built_in_profiles()
    return Encoder(book.profile("gb"), book.paper("80mm"))


@pytest.fixture
def printer() -> Printer:
    return Printer()


@pytest.fixture
def desk(tmp_path: Path, printer: Printer) -> Iterator[Desk]:
    made = open_desk(enrol_locally(tmp_path / "till"), printer=printer, encoder=wide())
    assert made.till.spooler is not None
    made.till.spooler.start()
    yield made
    made.till.close()


def idle(desk: Desk) -> None:
    assert desk.till.spooler is not None
    desk.till.wake_printer()
    assert desk.till.spooler.wait_idle(10)


def use(desk: Desk, form: ReceiptForm) -> None:
    approval = desk.approval("receipt-form")
    desk.till.receipt_form.change(form, operator_id=MANAGER, approvals=(approval,))


def kinds(desk: Desk) -> list[str]:
    with desk.till.books.reading() as connection:
        found = connection.exec_driver_sql("SELECT kind FROM entries ORDER BY epoch, seq")
        return [kind for (kind,) in found]


def test_the_next_receipt_has_the_new_form_with_its_logo(desk: Desk, printer: Printer) -> None:
    Image.new("L", (100, 40), 0).save(desk.till.store.folder.path / "logo.png")
    desk.sell(WATER_CODE)
    idle(desk)
    use(desk, FORM)
    desk.sell(WATER_CODE)
    idle(desk)
    before, after = printer.papers
    assert "常青便利" not in before
    assert "[picture" not in before
    assert "常青便利" in after
    assert "[picture" in after
    (desk.till.store.folder.path / "logo.png").unlink()
    desk.sell(WATER_CODE)
    idle(desk)
    assert "常青便利" in printer.papers[2], "a picture that is gone stops no receipt"
    assert "[picture" not in printer.papers[2]


def test_the_form_is_a_fact_and_the_same_one_again_is_none(desk: Desk) -> None:
    use(desk, FORM)
    use(desk, FORM)
    assert kinds(desk).count("receipt_form_changed") == 1
    again = open_again(desk)
    assert again.till.receipt_form.form == FORM


def open_again(desk: Desk) -> Desk:
    folder = desk.till.store.folder
    desk.till.close()
    made = open_desk(folder)
    desk.till = made.till
    return made


def test_without_a_managers_approval_nothing_changes(desk: Desk) -> None:
    for approvals in ((), (desk.approval("refund-in-cash"),)):
        with pytest.raises(DomainError, match="approval-needed"):
            desk.till.receipt_form.change(FORM, operator_id=MANAGER, approvals=approvals)
    with pytest.raises(DomainError, match="bad-receipt-web"):
        use(desk, msgspec.structs.replace(FORM, web="shop"))
    assert desk.till.receipt_form.form == ReceiptForm()
    assert "receipt_form_changed" not in kinds(desk)


def ask_for_test_page(desk: Desk) -> None:
    issue = issue_now(
        desk.till.books, desk.till.shop(), operator_label="王芳", language=PaperLanguage.ENGLISH
    )
    desk.till.print_page(trial_page(issue), "paper.title.test")


def loose_papers(desk: Desk) -> int:
    with desk.till.books.reading() as connection:
        kept = "SELECT count(*) FROM settings WHERE key LIKE 'loose-paper-%'"
        jobs = "SELECT count(*) FROM print_jobs WHERE entry_id NOT IN (SELECT id FROM entries)"
        papers = int(connection.exec_driver_sql(kept).scalar_one())
        assert int(connection.exec_driver_sql(jobs).scalar_one()) >= papers
        return papers


def test_a_paper_without_an_entry_waits_for_the_printer_and_is_gone_when_it_is_out(
    desk: Desk, printer: Printer
) -> None:
    printer.refuses = 3
    ask_for_test_page(desk)
    desk.sell(WATER_CODE)
    idle(desk)
    assert ["TEST PAGE" in paper for paper in printer.papers] == [True, False]
    assert loose_papers(desk) == 0
    idle(desk)
    assert len(printer.papers) == 2
    jobs = read_till(desk.till.store.folder.database).printed
    assert len(jobs) == 1, "the receipt's"


def test_a_paper_without_an_entry_survives_the_till(desk: Desk, printer: Printer) -> None:
    folder = desk.till.store.folder
    desk.till.close()
    desk.till = (waiting := open_desk(folder, printer=printer, encoder=wide())).till
    ask_for_test_page(waiting)  # its spooler never ran: as after a power cut
    waiting.till.close()
    assert printer.papers == []
    desk.till = open_desk(folder, printer=printer, encoder=wide()).till
    assert desk.till.spooler is not None
    desk.till.spooler.start()
    idle(desk)
    assert ["TEST PAGE" in paper for paper in printer.papers] == [True]


def test_a_doubtful_paper_without_an_entry_is_never_repeated_unmarked(
    desk: Desk, printer: Printer
) -> None:
    printer.doubts = 1
    ask_for_test_page(desk)
    idle(desk)
    (job,) = desk.till.copies.uncertain()
    loose = desk.till.copies.loose_paper(job)
    assert loose is not None
    assert loose.title == "paper.title.test"
    before = kinds(desk)
    desk.till.copies.print_copy(job.entry_id, "", MANAGER)
    desk.till.copies.settle(job)
    idle(desk)
    assert ["COPY 1" in paper for paper in printer.papers] == [False, True]
    assert printer.papers[1].count("TEST PAGE") == 1
    assert kinds(desk) == before, "no entry was printed again"
    assert loose_papers(desk) == 0


def test_a_doubtful_paper_that_was_seen_is_gone(desk: Desk, printer: Printer) -> None:
    printer.doubts = 1
    ask_for_test_page(desk)
    idle(desk)
    (job,) = desk.till.copies.uncertain()
    assert loose_papers(desk) == 1
    desk.till.copies.settle(job)
    assert loose_papers(desk) == 0
    assert read_till(desk.till.store.folder.database).printed == {}


def test_a_day_that_is_closed_leaves_its_paper(desk: Desk, printer: Printer) -> None:
    desk.sell(WATER_CODE)
    desk.counter.shifts.close(MANAGER, ())
    desk.counter.shifts.close_day(MANAGER)
    idle(desk)
    assert "日结" in printer.papers[-1]
    assert len(printer.papers) == 3


def test_sales_and_returns_carry_a_code_and_slips_of_money_none(desk: Desk) -> None:
    sale = desk.sell(WATER_CODE)
    back = desk.take_back(sale, (1, 1))
    close = desk.counter.shifts.close(MANAGER, ())
    assert close.sales == 1
    papers = Papers(desk.till.books, desk.till.shop())
    with desk.till.books.reading() as connection:
        z = connection.exec_driver_sql(
            "SELECT id FROM entries WHERE kind = 'shift_closed'"
        ).scalar()
    shown = []
    for entry in (sale.entry_id, back.entry_id, z):
        job = PrintJob("j", entry, 0, "zh_CN", JobState.QUEUED, "")
        shown.append(plain_text(papers.document(job), Grid(48)))
    assert ["查询码" in text for text in shown] == [True, True, False]


def test_the_command_shows_and_sets_the_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = enrol_locally(tmp_path / "till")
    file = tmp_path / "form.toml"

    def run(text: str = "") -> Done:
        file.write_text(text, encoding="utf-8")
        use = ("--set", str(file)) if text else ()
        return run_evertill(monkeypatch, capsys, "receipt-form", "--data", str(folder.path), *use)

    done = run('phone = "021-1"\n[names]\nzh = "常青"\n')
    assert done.code == 0, done.err
    assert 'zh = "常青"' in done.out
    assert run().out == done.out
    for wrong in ('left_out = ["total"]', 'logo = "logo.png"', "phone = 3"):
        refused = run(wrong)
        assert refused.code == 2
        assert refused.err
    assert run().out == done.out
