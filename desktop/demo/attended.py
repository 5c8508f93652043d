"""The demo with a display: a till's window beside a panel of simulators, and head office."""

import sys
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from desktop.bootstrap import OpenStore
from desktop.demo.beside import Beside
from desktop.demo.history import History
from desktop.demo.panel import WIDTH, SimulatorPanel
from desktop.demo.played import fresh_folder
from desktop.demo.shop import RECEIPTS, Bench, DemoShop
from desktop.demo.stock import People, read_people, read_stock
from desktop.till_window import Station, open_station
from hardware.simulators.printer import PrintedJob
from shared.language import Language

SIZE = (1366, 768)
LANGUAGE = Language.CHINESE


class Attended:
    """Holds what is open while somebody tries it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._people = read_people()
        self._stock = read_stock()
        self._panel: SimulatorPanel | None = None
        self.devices = Beside()
        self.shop = DemoShop(folder, self._stock, self._people, on_paper=self._paper)

    def _paper(self, name: str, job: PrintedJob) -> None:
        if self._panel is not None:
            print(f"--- {name}, paper {job.number}\n{job.text()}", flush=True)
            picture = self._folder / RECEIPTS / f"{name}-{job.number:04d}.png"
            self._panel.took_paper(job, picture.read_bytes())

    def open(self, bench: Bench) -> Station:
        """The window, with the panel on its right."""
        station = open_station(
            OpenStore(bench.folder),
            self.devices.attached_to(bench.surroundings(language=LANGUAGE.value)),
            scanner=bench.scanner,
            cards=bench.reader,
        )
        panel = SimulatorPanel(
            bench,
            self._stock,
            self._people,
            devices=self.devices,
            language=LANGUAGE,
            beside=station.window,
        )
        self._panel = panel
        station.window.resize(*SIZE)
        station.window.show()
        station.start()
        panel.resize(WIDTH, SIZE[1])
        panel.move(station.window.pos() + QPoint(SIZE[0], 0))
        panel.show()
        return station


def attend(folder: Path) -> int:
    """Open everything, wait until the till's window is closed, end everything; the exit code."""
    fresh_folder(folder)
    application = QApplication(sys.argv[:1])
    attended = Attended(folder)
    print("setting up two stores with three tills …", flush=True)
    with attended.devices, attended.shop:
        History(attended.shop, attended.shop.benches[0]).play()
        station = attended.open(attended.shop.benches[0])
        print(_greeting(attended.shop.server.url, read_people()), flush=True)
        try:
            code = application.exec()
        finally:
            station.close()
    return code


def _greeting(url: str, people: People) -> str:
    pins = "\n".join(f"  {one.name}  PIN {one.pin}  ({one.role})" for one in people.operators)
    office = people.head_office
    return (
        f"\nhead office  {url}\n"
        f"  login {office.login}  password {office.password}\n"
        f"at the till\n{pins}\n"
        "Close the till's window to end the demo."
    )
