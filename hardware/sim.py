"""Simulators from the command line: ``python -m hardware.sim scale`` and others, see ``--help``."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import save_picture
from hardware.paper.text import sheet_text
from hardware.scale.protocols import ScaleProtocol
from hardware.simulators.display import DisplaySimulator
from hardware.simulators.fiscal import FiscalBehaviour, FiscalSimulator
from hardware.simulators.line_server import LineServer
from hardware.simulators.nfc import BankCard, MemoryCard, NfcSimulator, text_message
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.printer import PrintedJob, PrinterSimulator
from hardware.simulators.scale import ScaleSimulator
from hardware.simulators.scanner import SerialScannerSimulator
from hardware.simulators.terminal import TerminalSimulator
from shared.errors import EvertillError
from shared.language import Language, words

TAP_S = 1.0
SLOW_S = 5.0
LINE_FAULTS = {"silent": "silent", "hang-up": "hang_up", "garble": "garble"}
SCALE_FAULTS = {
    "moving": "is_moving",
    "silent": "is_silent",
    "noisy": "is_noisy",
    "bad-checksum": "breaks_checksums",
    "breaks-off": "breaks_off",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one simulator until it is interrupted; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        RUN[options.simulator](options)
    except KeyboardInterrupt:
        return 0
    except EvertillError as error:
        print(words(Language.ENGLISH).error(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.strerror}: {error.filename or options.simulator}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    papers = sorted(built_in_profiles().papers)
    parser = argparse.ArgumentParser(prog="python -m hardware.sim", description=__doc__)
    kinds = parser.add_subparsers(dest="simulator", required=True)
    printer = kinds.add_parser("printer", help="a receipt printer on TCP that shows its paper")
    printer.add_argument("--port", type=int, default=9100, help="0 takes a free one")
    printer.add_argument("--out", type=Path, help="folder for .bin, .txt and .png of every job")
    for fault in ("paper-out", "cover-open", "silent"):
        printer.add_argument(f"--{fault}", action="store_true")
    printer.add_argument("--stall-after", type=int, metavar="BYTES")
    printer.add_argument("--reset-after", type=int, metavar="BYTES")
    kinds.add_parser("scanner", help="a serial scanner on a pty; reads a code per line typed")
    scale = kinds.add_parser("scale", help="a scale on a pty; weighs the grams typed, see below")
    scale.add_argument("--protocol", choices=list(ScaleProtocol), default="toledo-8217")
    scale.epilog = "lines typed: grams, or a fault: " + ", ".join(SCALE_FAULTS)
    display = kinds.add_parser("display", help="a customer display on a pty that shows its lines")
    display.add_argument("--codec", default="gbk")
    nfc = kinds.add_parser("nfc", help="a PN532 on a pty; taps the number typed")
    nfc.epilog = "lines typed: the text on a card, 'uid HEX', or 'bank NUMBER'"
    for name, about in (
        ("terminal", "a card terminal on TCP; the next payment meets what is typed"),
        ("wallet", "a wallet's gateway on TCP; the next payment meets what is typed"),
        ("fiscal", "a fiscal device on TCP; the next signature meets what is typed"),
    ):
        asked = kinds.add_parser(name, help=about)
        asked.add_argument("--port", type=int, default=0, help="0 takes a free one")
        asked.add_argument("--record", type=Path, help="file for every line, as JSON")
        known = FiscalBehaviour if name == "fiscal" else Behaviour
        asked.epilog = ", ".join(["lines typed: show", "slow SECONDS", *known, *LINE_FAULTS])
    show = kinds.add_parser("show", help="show a captured print job")
    show.add_argument("file", type=Path)
    show.add_argument("--png", type=Path)
    for command in (printer, show):
        command.add_argument("--paper", choices=papers, default="80mm")
    return parser


def _printer(options: argparse.Namespace) -> None:
    paper = built_in_profiles().paper(options.paper)
    simulator = PrinterSimulator(
        port=options.port, paper=paper, on_job=_print_job, save_to=options.out
    )
    simulator.faults.paper_out = options.paper_out
    simulator.faults.cover_open = options.cover_open
    simulator.faults.silent = options.silent
    simulator.faults.stall_after = options.stall_after
    simulator.faults.reset_after = options.reset_after
    with simulator:
        print(f"printer on {simulator.host}:{simulator.port}", flush=True)
        Event().wait()


def _print_job(job: PrintedJob) -> None:
    print(f"--- job {job.number}, {len(job.data)} bytes\n{job.text()}", flush=True)


def _scanner(options: argparse.Namespace) -> None:  # noqa: ARG001 - it has no options
    simulator = SerialScannerSimulator()
    print(f"scanner on {simulator.port}", flush=True)
    for line in sys.stdin:
        simulator.scan(line.strip())


def _scale(options: argparse.Namespace) -> None:
    simulator = ScaleSimulator(ScaleProtocol(options.protocol))
    print(f"scale on {simulator.port}", flush=True)
    for line in map(str.strip, sys.stdin):
        if line in SCALE_FAULTS:
            fault = SCALE_FAULTS[line]
            setattr(simulator.faults, fault, not getattr(simulator.faults, fault))
            print(f"{line}: {getattr(simulator.faults, fault)}", flush=True)
        elif line.lstrip("-").isdecimal():
            simulator.put(int(line))
        elif line:
            print(f"{line!r} is neither grams nor a fault", file=sys.stderr)
    simulator.close()


def _display(options: argparse.Namespace) -> None:
    def show(picture: tuple[str, str]) -> None:
        print(f"+{'-' * 20}+\n|{picture[0]}|\n|{picture[1]}|", flush=True)

    simulator = DisplaySimulator(codec=options.codec, on_picture=show)
    print(f"display on {simulator.port}", flush=True)
    for _ in sys.stdin:
        pass
    simulator.close()


def _nfc(options: argparse.Namespace) -> None:  # noqa: ARG001 - it has no options
    simulator = NfcSimulator()
    print(f"nfc on {simulator.port}", flush=True)
    for tap, line in enumerate(map(str.strip, sys.stdin)):
        kind, _, rest = line.partition(" ")
        uid = bytes([0x04, *tap.to_bytes(6)])
        if kind == "bank":
            simulator.lay(BankCard(uid, rest))
        elif kind == "uid":
            simulator.lay(MemoryCard(bytes.fromhex(rest)))
        else:
            simulator.lay(MemoryCard(uid, text_message(line)))
        Event().wait(TAP_S)
        simulator.lift()
    simulator.close()


def _terminal(options: argparse.Namespace) -> None:
    simulator = TerminalSimulator(port=options.port, record=options.record, pays_after_s=SLOW_S)
    provider = simulator.provider
    extra = {"cut": provider.cut, "revive": provider.revive}

    def show() -> None:
        for attempt_id, one in provider.books.items():
            print(f"{attempt_id} {one.amount} {one.state}", flush=True)
        print(f"taken: {provider.taken()}", flush=True)

    _listen(simulator, options, lambda typed: provider.script(Behaviour(typed)), show, extra)


def _fiscal(options: argparse.Namespace) -> None:
    simulator = FiscalSimulator(port=options.port, record=options.record)

    def show() -> None:
        for one in simulator.inside.signed.values():
            print(f"{one.signature.counter} {one.signature.number} {one.reference}", flush=True)

    _listen(
        simulator, options, lambda typed: simulator.inside.script(FiscalBehaviour(typed)), show, {}
    )


def _listen(
    simulator: LineServer,
    options: argparse.Namespace,
    script: Callable[[str], None],
    show: Callable[[], None],
    extra: Mapping[str, Callable[[], None]],
) -> None:
    """Run it, and obey what is typed until the input ends."""
    with simulator:
        print(f"{options.simulator} on {simulator.host}:{simulator.port}", flush=True)
        for line in map(str.strip, sys.stdin):
            word, _, rest = line.partition(" ")
            if word in LINE_FAULTS:
                fault = LINE_FAULTS[word]
                setattr(simulator.faults, fault, not getattr(simulator.faults, fault))
                print(f"{word}: {getattr(simulator.faults, fault)}", flush=True)
            elif word == "slow" and rest.replace(".", "", 1).isdecimal():
                simulator.faults.slow_s = float(rest)
            elif word == "show":
                show()
            elif word in extra:
                extra[word]()
            elif word:
                try:
                    script(word)
                except ValueError:
                    print(f"{line!r} is not known; see --help", file=sys.stderr)


def _show(options: argparse.Namespace) -> None:
    paper = built_in_profiles().paper(options.paper)
    sheet = Interpreter(dots=paper.dots).print_all(options.file.read_bytes())
    print(sheet_text(sheet), end="")
    if options.png:
        save_picture(sheet, options.png)


RUN = {
    "printer": _printer,
    "scanner": _scanner,
    "scale": _scale,
    "display": _display,
    "nfc": _nfc,
    "terminal": _terminal,
    "wallet": _terminal,
    "fiscal": _fiscal,
    "show": _show,
}


if __name__ == "__main__":
    sys.exit(main())
