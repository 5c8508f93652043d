"""SIGKILL around every byte of a receipt: one original at most, a word for each that is missing.

Judge: a separate reader of the till's file, and the virtual printer that outlives the till.
"""

import signal

import pytest

from hardware.escpos.profile import built_in_profiles
from hardware.simulators.printer import PrinterSimulator
from tests.support.enrolled_till import enrol_locally
from tests.torture.kills.life import Lives, told
from tests.torture.kills.printing import PaperTally, check_paper, print_and_die

POINTS = (
    ("before-update-print_jobs", 1),
    ("after-update-print_jobs", 1),
    ("before-bytes", 0),
    ("after-bytes", 0),
    ("after-bytes", 2),
)
"""A point, and how often it is passed before."""


@pytest.mark.xdist_group("kills")
def test_wherever_a_printing_till_is_killed_no_receipt_is_an_original_twice(tmp_path):
    folder, tally = enrol_locally(tmp_path / "till").path, PaperTally()
    paper = built_in_profiles().paper("58mm")
    with Lives("printing_child.py") as lives, PrinterSimulator(paper=paper) as printer:
        for point, skip in POINTS:
            life = lives.live(folder, point, skip, printer.port, "gb")
            assert (life["killed_by"], told(life, "point")) == (signal.SIGKILL, [point])
            printer.settle()
            tally.note(point, life)
            check_paper(folder, printer, tally)
        lives.live(folder, "nowhere", 0, printer.port, "gb")
        printer.settle()
        check_paper(folder, printer, tally)
    assert tally.states["uncertain"] >= 3, "killed with bytes on the way"
    assert set(tally.states) == {"confirmed", "uncertain"}


@pytest.mark.xdist_group("kills")
def test_a_printing_till_at_a_printer_with_a_bad_day():
    with Lives("printing_child.py") as lives:
        assert print_and_die(lives, "test", 6).jobs >= 6
