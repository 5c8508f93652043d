"""The demo without a display: a day is played, told on the terminal, and judged by its files."""

import shutil
import sys
import threading
import time
from pathlib import Path

import structlog
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from desktop.demo.album import picture_first_pages
from desktop.demo.day import Day
from desktop.demo.history import History
from desktop.demo.shop import DemoShop
from desktop.demo.stock import read_people, read_stock
from desktop.demo.summary import Summary, summarise
from hardware.simulators.printer import PrintedJob
from shared.errors import EnvironmentFault

log = structlog.get_logger("demo")

WALLET_SILENCE_S = 0.4
"""How long the simulated wallet keeps silent; a real one would take its whole deadline."""
MARK = ".evertill-demo"
"""A folder is emptied only if a demo has made it."""


class Terminal:
    """Tells what happens, from several threads, one thing at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def tell(self, text: str) -> None:
        """A line of progress."""
        with self._lock:
            print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def paper(self, name: str, job: PrintedJob) -> None:
        """A receipt as it came out."""
        text = job.text()
        with self._lock:
            print(f"--- {name}, paper {job.number}\n{text}", flush=True)


def fresh_folder(folder: Path) -> None:
    """Empty the folder of an earlier demo; refuse one that something else has filled."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise EnvironmentFault("demo-folder-in-use", folder=str(folder))
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def play(folder: Path) -> bool:
    """Play the day into ``folder``; whether everything it left agrees."""
    fresh_folder(folder)
    terminal = Terminal()
    qInstallMessageHandler(_qt_message)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    wait = threading.Event().wait
    shop = DemoShop(
        folder,
        read_stock(),
        read_people(),
        on_paper=terminal.paper,
        wallet_wait=lambda seconds: wait(min(seconds, WALLET_SILENCE_S)),
    )
    with shop:
        terminal.tell(f"head office answers at {shop.server.url}")
        picture_first_pages(folder)
        terminal.tell("early shift: members join and shop")
        History(shop, shop.benches[0]).play()
        Day(shop, terminal.tell).play()
        shop.catch_up()
    del application
    summary = _judged(shop, folder)
    _print(summary)
    return summary.is_consistent


def _qt_message(kind: QtMsgType, _context: object, message: str) -> None:
    """Qt's own remarks, such as what the offscreen platform cannot do, are for the log."""
    log.info("qt", kind=kind.name, message=message)


def _judged(shop: DemoShop, folder: Path) -> Summary:
    """After all processes have ended: by the files, and by the server's own check of its file."""
    summary = summarise(folder)
    told = shop.server.verify()
    if not told["is_clean"]:
        summary.differences.append(f"the server's own check: {told['flaws'][0]}")
    summary.write(folder)
    return summary


def _print(summary: Summary) -> None:
    print()
    for name, figure in summary.figures.items():
        print(f"{name:>22}  {figure}")
    for difference in summary.differences:
        print(f"DISAGREES: {difference}", file=sys.stderr)
    print("everything agrees" if summary.is_consistent else "NOT consistent, see above")
