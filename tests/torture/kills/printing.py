"""Paper through kills and printer faults: what is on it, judged against what the till believes.

The printer outlives the till: it is a simulator in this process, and its paper is the truth.
"""

import random
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any, Final

from desktop.reckoning.file import KeptFile, read_till
from desktop.store.database import TillFolder
from desktop.store.verification import verify_till
from hardware.escpos.profile import built_in_profiles
from hardware.simulators.printer import Faults, PrintedJob, PrinterSimulator
from tests.support.enrolled_till import enrol_locally
from tests.support.scratch import scratch_folder
from tests.torture.kills.life import EVERY, Lives, told
from tests.torture.kills.runs import Chooser, Tally

LIFE_US: Final = 700_000
JOB_BYTES: Final = 700
"""About what one receipt takes: faults strike below it."""
LAST_LIVES: Final = 8
"""A life is short, and much may have been waiting."""
PROFILES: Final = ("gb", "gb-epson")
"""``GS r`` and ``GS ( H``."""
NUMBER: Final = re.compile(r"^Receipt +(\d{20})$", re.MULTILINE)
COPY: Final = "COPY"
PAGE: Final = re.compile(r"page-\w{8}")
"""Who printed a test page: each has a name of its own."""
VISIBLE: Final = {"uncertain", "failed-before-send", "queued", "sending"}
"""States that a cashier sees, or that the next start makes so."""


@dataclass
class PaperTally(Tally):
    """What a run of paper came to."""

    jobs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    originals: int = 0
    pulses: int = 0
    pages: set[str] = field(default_factory=set)
    """Papers without an entry that the till said it would print."""

    def note(self, point: str, life: dict[str, Any]) -> bool:
        """Count a life, and what it asked for."""
        self.pages |= set(told(life, "page"))
        return super().note(point, life)


class Weather:
    """What is wrong with the printer in one life."""

    KINDS: Final = (
        "fine", "fine", "paper-out", "cover", "runs-out", "stall", "reset", "silent", "late",
        "power-off", "power-cut",
    )  # fmt: skip

    def __init__(self, printer: PrinterSimulator, chance: random.Random) -> None:
        self._printer = printer
        self._chance = chance
        self._timer: Timer | None = None
        self.kind = "fine"

    def begin(self) -> None:
        """Something goes wrong, or nothing does."""
        self.kind = self._chance.choice(self.KINDS)
        faults, somewhere = self._printer.faults, self._chance.randrange(1, JOB_BYTES)
        match self.kind:
            case "paper-out":
                faults.paper_out = True
            case "cover":
                faults.cover_open = True
            case "runs-out":
                faults.runs_out_after = somewhere
            case "stall":
                faults.stall_after = somewhere
            case "reset":
                faults.reset_after = somewhere
            case "silent":
                faults.silent = True
            case "late":
                faults.late_s = self._chance.random() * 2
            case "power-off":
                self._printer.stop()
            case "power-cut":
                self._timer = Timer(self._chance.random() * 0.6, self._printer.stop)
                self._timer.start()

    def end(self) -> None:
        """Everything is put right; what waited in the printer's buffer comes out now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        self._printer.faults = Faults()
        self._printer.start()
        self._printer.settle()


@dataclass(frozen=True)
class Sheet:
    """What stands on one paper, as a customer could show it."""

    number: str
    is_copy: bool
    is_whole: bool


def read_sheet(job: PrintedJob) -> Sheet | None:
    """None for a scrap that names no receipt."""
    text = job.text()
    found = NUMBER.search(text)
    if found is None:
        return None
    return Sheet(found[1], COPY in text, job.is_complete)


def check_paper(folder: Path, printer: PrinterSimulator, tally: PaperTally) -> None:
    """Never two originals, never an original missing without a visible word of it."""
    kept = read_till(TillFolder(folder).database)
    sales = [entry.told for entry in kept.entries() if entry.told["kind"] == "sale_completed"]
    sheets = [sheet for sheet in map(read_sheet, printer.jobs) if sheet is not None]
    originals = Counter(sheet.number for sheet in sheets if not sheet.is_copy)
    assert all(count == 1 for count in originals.values()), originals.most_common(3)
    whole = {sheet.number for sheet in sheets if sheet.is_whole and not sheet.is_copy}
    tally.states = Counter(kept.printed.values())
    tally.jobs, tally.originals = len(kept.printed), len(originals)
    for sale in sales:
        number, state = sale["body"]["receipt_no"], kept.printed[(sale["id"], 0)]
        assert number in whole or state in VISIBLE | {"settled"}, (number, state)
        if state in ("queued", "failed-before-send"):
            assert number not in originals, (number, state)
    assert tally.done <= {sale["id"] for sale in sales}
    _check_pages(kept, printer, tally)


def _check_pages(kept: KeptFile, printer: PrinterSimulator, tally: PaperTally) -> None:
    """The same of papers without an entry: what is not out has a job that is not over."""
    texts = [(job, job.text()) for job in printer.jobs]
    named = [(job, found[0]) for job, text in texts if (found := PAGE.search(text))]
    times = Counter(page for _job, page in named)
    assert all(count == 1 for count in times.values()), times.most_common(3)
    missing = tally.pages - {page for job, page in named if job.is_complete}
    entries = {entry.told["id"] for entry in kept.entries()}
    waiting = [state for (one, _), state in kept.printed.items() if one not in entries]
    assert set(waiting) <= VISIBLE
    assert len(missing) <= len(waiting), (missing, waiting)


def print_and_die(lives: Lives, seed_of: object, jobs: int) -> PaperTally:
    """A till at a printer with a bad day, killed at points and times until so many jobs are
    written; then it lives on, and what is missing has a word."""
    chance, tally, root = random.Random(f"printing {seed_of}"), PaperTally(), scratch_folder()
    profile = PROFILES[chance.randrange(len(PROFILES))]
    try:
        folder = enrol_locally(root / "till").path
        with PrinterSimulator(paper=built_in_profiles().paper("58mm")) as printer:
            first = lives.live(folder, EVERY, 0, printer.port, profile)
            tally.note(EVERY, first)
            chooser = Chooser(sorted(set(told(first, "point"))), LIFE_US, chance)
            weather = Weather(printer, chance)
            printer.settle()
            while tally.jobs < jobs:
                _one_life(lives, folder, printer, profile, chooser, weather, tally)
            _last_life(lives, folder, printer, profile, tally)
            tally.pulses = len(printer.pulses)
    finally:
        shutil.rmtree(root)
    return tally


def _one_life(
    lives: Lives,
    folder: Path,
    printer: PrinterSimulator,
    profile: str,
    chooser: Chooser,
    weather: Weather,
    tally: PaperTally,
) -> None:
    before = len(printer.pulses)
    weather.begin()
    point, skip = chooser.next()
    try:
        life = lives.live(folder, point, skip, printer.port, profile)
    finally:
        weather.end()
    tally.note(point, life)
    tally.faults[weather.kind] += 1
    check_paper(folder, printer, tally)
    _check_pulses(life, len(printer.pulses) - before, weather.kind)


def _check_pulses(life: dict[str, Any], pulses: int, kind: str) -> None:
    """One for a tender at most; exactly one for each that the till called opened at a good printer.

    A pulse that was handed to a stalled or dying printer may be lost: it is not repeated.
    """
    assert pulses <= len(told(life, "done")), (pulses, life["reports"])
    if kind in ("fine", "silent", "late"):
        assert pulses >= len(told(life, "pulsed")), (pulses, life["reports"])


def _last_life(
    lives: Lives, folder: Path, printer: PrinterSimulator, profile: str, tally: PaperTally
) -> None:
    """At a good printer everything that never left comes out."""
    for _ in range(LAST_LIVES):
        tally.note("nowhere", lives.live(folder, "nowhere", 0, printer.port, profile))
        printer.settle()
        check_paper(folder, printer, tally)
        if not tally.states.keys() & {"queued", "failed-before-send"}:
            break
    assert set(tally.states) <= {"confirmed", "confirmed-unverified", "uncertain"}, tally.states
    assert verify_till(TillFolder(folder)).flaws == []
