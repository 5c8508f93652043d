"""The demo's chain of stores: server process, network cables, tills, and a simulator per device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.demo.stock import People, Stock, seed_document
from desktop.shop.network_plug import NetworkPlug
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import Profile, built_in_profiles
from hardware.paper.picture import sheet_picture
from hardware.paper.text import sheet_text
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import TcpTransport
from hardware.simulators.card import CardReaderSimulator
from hardware.simulators.printer import PrintedJob, PrinterSimulator
from hardware.simulators.scale import CallbackScaleSimulator
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.wallet import Wait, WalletSimulator
from shared.clock import Clock, SystemClock
from shared.errors import EnvironmentFault

RECEIPTS = "receipts"
SCREENS = "screens"
SERVER = "server"
PNG_LEVEL = 3

OnPaper = Callable[[str, PrintedJob], None]
"""Told what came out of which till's printer."""


@dataclass(slots=True)
class Bench:
    """A till's place at the counter: its folder, its devices, its cable."""

    name: str
    store: str
    folder: TillFolder
    plug: NetworkPlug
    printer: PrinterSimulator
    profile: Profile
    wallet: WalletSimulator
    scanner: CallbackScannerSimulator = field(default_factory=CallbackScannerSimulator)
    reader: CardReaderSimulator = field(default_factory=CardReaderSimulator)
    scale: CallbackScaleSimulator = field(
        default_factory=lambda: CallbackScaleSimulator(SystemClock())
    )

    def driver(self, clock: Clock) -> EscposPrinter:
        """The real driver, on TCP to the simulated printer."""
        transport = TcpTransport(self.printer.host, self.printer.port)
        return EscposPrinter(self.name, transport, self.profile, clock=clock)

    def surroundings(self, *, language: str, clock: Clock | None = None) -> Surroundings:
        """What a till runs on here."""
        clock = clock or SystemClock()
        driver = self.driver(clock)
        driver.open()
        return Surroundings(
            clock=clock,
            language=language,
            printer=driver,
            drawer=driver,
            encoder=Encoder(self.profile, built_in_profiles().paper("80mm")),
            gateway=self.wallet,
            scale=self.scale,
        )


def save_paper(job: PrintedJob, folder: Path, stem: str) -> None:
    """The bytes, the text, and a picture made in a hurry: the demo is not to wait for zlib."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.bin").write_bytes(job.data)
    sheet = job.sheet()
    (folder / f"{stem}.txt").write_text(sheet_text(sheet), encoding="utf-8")
    sheet_picture(sheet).save(folder / f"{stem}.png", compress_level=PNG_LEVEL)


class DemoShop:
    """Two stores with three tills in one folder. A context manager: leaving ends everything."""

    def __init__(
        self,
        folder: Path,
        stock: Stock,
        people: People,
        *,
        on_paper: OnPaper = lambda _name, _job: None,
        wallet_wait: Wait | None = None,
    ) -> None:
        self.folder = folder
        self.stock = stock
        self.people = people
        self.server = ServerProcess(folder / SERVER)
        self.benches: list[Bench] = []
        self._on_paper = on_paper
        self._wallet_wait = wallet_wait

    def open(self) -> None:
        """Make the server, start it, enrol every till with its one-time code."""
        sown = self.server.prepare(seed_document(self.stock, self.people))
        url = self.server.start()
        number = 0
        for store in sown["stores"]:
            plug = NetworkPlug(url)
            for told in store["tills"]:
                number += 1
                self.benches.append(self._bench(f"till-{number}", store["name"], plug, told))

    def _bench(self, name: str, store: str, plug: NetworkPlug, told: dict[str, Any]) -> Bench:
        profiles = built_in_profiles()

        def keep(job: PrintedJob) -> None:
            save_paper(job, self.folder / RECEIPTS, f"{name}-{job.number:04d}")
            self._on_paper(name, job)

        bench = Bench(
            name=name,
            store=store,
            folder=TillFolder(self.folder / name),
            plug=plug,
            printer=PrinterSimulator(on_job=keep),
            profile=profiles.profile("gb-epson"),
            wallet=WalletSimulator(wait=self._wallet_wait),
        )
        bench.printer.start()
        bench.scanner.open()
        bench.reader.open()
        with OpenStore(bench.folder) as opened:
            opened.enrol(url=plug.url, code=told["code"])
        return bench

    def start_till(self, bench: Bench, *, language: str, clock: Clock | None = None) -> Till:
        """Open a till on its bench, brought up to date with the server."""
        till = Till(OpenStore(bench.folder), bench.surroundings(language=language, clock=clock))
        till.sync.try_once()
        till.sync.disconnect()
        return till

    def catch_up(self) -> None:
        """Every till once more, as on the next morning: sends what waits, sees what others did."""
        for bench in self.benches:
            till = self.start_till(bench, language="zh_CN")
            unsent = till.unsent()
            till.close()
            if unsent:
                raise EnvironmentFault("demo-stuck", what=f"{bench.name}: {unsent} unsent")

    def close(self) -> None:
        """End everything; afterwards no process of the shop is left."""
        for bench in self.benches:
            bench.plug.pull()
            bench.printer.stop()
        self.server.stop()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
