"""One contract for receipt printers, kept by the driver over every transport."""

import os
import socket
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread

import pytest

from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import Answers, Confirm, Profile, built_in_profiles
from hardware.ports import (
    Condition,
    DeviceError,
    DeviceState,
    Power,
    PrintOutcome,
    PrintState,
)
from hardware.printer.printer import DrawerPulse, EscposPrinter
from hardware.printer.transport import FileTransport, SerialTransport, TcpTransport, Transport
from hardware.simulators.printer import PrinterSimulator
from shared.clock import SystemClock
from shared.receipt.document import Cut, Document, Text

BOOK = built_in_profiles()
GB = BOOK.profile("gb")
SPEAKS = replace(GB, answers=Answers.ALWAYS)
ECHOES = BOOK.profile("gb-epson")
MUTE = replace(GB, answers=Answers.NEVER)
JOB = Encoder(GB, BOOK.paper("58mm")).encode(Document((Text("农夫山泉"), Cut())))
DEADLINE_S = 2.0


def nothing() -> None:
    """A hook that has nothing to do."""


@pytest.fixture
def simulator() -> Iterator[PrinterSimulator]:
    with PrinterSimulator(paper=BOOK.paper("58mm")) as running:
        yield running


Connect = Callable[..., EscposPrinter]


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[EscposPrinter] = []

    def make(transport: Transport, profile: Profile = GB, **options: object) -> EscposPrinter:
        printer = EscposPrinter("printer", transport, profile, clock=SystemClock(), **options)  # type: ignore[arg-type]  # as named
        printer.open()
        opened.append(printer)
        return printer

    yield make
    for printer in opened:
        printer.close()


def print_it(printer: EscposPrinter, deadline_s: float = DEADLINE_S) -> PrintOutcome:
    return printer.print_job(JOB, deadline_s=deadline_s, before_first_byte=nothing)


def tcp(simulator: PrinterSimulator) -> TcpTransport:
    return TcpTransport(simulator.host, simulator.port)


@pytest.mark.parametrize("profile", [GB, SPEAKS, ECHOES], ids=lambda profile: profile.name)
def test_a_printed_job_is_confirmed_and_arrives_byte_by_byte(
    simulator: PrinterSimulator, connect: Connect, profile: Profile
) -> None:
    outcome = print_it(connect(tcp(simulator), profile))
    assert outcome == PrintOutcome(PrintState.CONFIRMED, len(JOB))
    (job,) = simulator.wait_for_jobs(1)
    assert job.data.startswith(JOB)
    assert job.is_complete
    assert job.text().startswith("农夫山泉\n")


def test_nobody_listening_is_a_failure_before_sending_with_growing_waits(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    printer = connect(tcp(simulator))
    simulator.stop()
    outcomes = [print_it(printer) for _ in range(3)]
    assert {outcome.state for outcome in outcomes} == {PrintState.FAILED_BEFORE_SEND}
    assert [outcome.retry_after_s for outcome in outcomes] == [0.5, 1.0, 2.0]
    assert printer.check_health(deadline_s=1).power is Power.OFF
    simulator.start()
    assert print_it(printer).state is PrintState.CONFIRMED


@pytest.mark.parametrize(
    ("fault", "key"), [("paper_out", "paper-out"), ("cover_open", "cover-open")]
)
def test_a_printer_that_cannot_print_gets_nothing_and_says_why(
    simulator: PrinterSimulator, connect: Connect, fault: str, key: str
) -> None:
    printer = connect(tcp(simulator))
    setattr(simulator.faults, fault, True)
    outcome = print_it(printer)
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert outcome.message_key == f"devices.printer.{key}"
    health = printer.check_health(deadline_s=1)
    assert (health.power, health.message_key) == (Power.OFFLINE, f"devices.printer.{key}")
    assert not health.is_ready
    assert simulator.jobs == ()


def test_a_reset_in_the_middle_is_uncertain(simulator: PrinterSimulator, connect: Connect) -> None:
    simulator.faults.reset_after = 20
    assert print_it(connect(tcp(simulator), SPEAKS)).state is PrintState.UNCERTAIN


def test_a_stall_in_the_middle_is_uncertain_by_the_deadline(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    simulator.faults.stall_after = 20
    started = time.monotonic()
    outcome = print_it(connect(tcp(simulator), SPEAKS), deadline_s=1.0)
    assert outcome.state is PrintState.UNCERTAIN
    assert time.monotonic() - started < 1.5


def test_a_printer_that_fell_silent_gets_nothing(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    printer = connect(tcp(simulator))
    assert print_it(printer).state is PrintState.CONFIRMED
    simulator.faults.silent = True
    assert print_it(printer).state is PrintState.FAILED_BEFORE_SEND
    assert printer.check_health(deadline_s=1).message_key == "devices.printer.silent"


def test_a_printer_that_never_speaks_is_never_called_confirmed(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    simulator.faults.silent = True
    printer = connect(tcp(simulator), MUTE)
    assert print_it(printer) == PrintOutcome(PrintState.CONFIRMED_UNVERIFIED, len(JOB))
    (job,) = simulator.wait_for_jobs(1)
    assert job.data == JOB
    assert printer.check_health(deadline_s=1).is_ready


def test_noise_on_the_line_hides_no_answer(simulator: PrinterSimulator, connect: Connect) -> None:
    simulator.faults.noise = b"\x11\x13\xff"
    assert print_it(connect(tcp(simulator), SPEAKS)).state is PrintState.CONFIRMED


def test_paper_that_runs_low_is_told_before_it_ends(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    simulator.faults.paper_low = True
    health = connect(tcp(simulator)).check_health(deadline_s=1)
    assert (health.is_ready, health.message_key) == (True, "devices.printer.paper-low")


def test_the_drawer_opens_without_a_job_and_a_job_never_opens_it(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    printer = connect(tcp(simulator), drawer=DrawerPulse(pin=5))
    print_it(printer)
    assert simulator.pulses == []
    printer.open_drawer(deadline_s=1)
    print_it(printer)
    simulator.wait_for_jobs(2)
    assert simulator.pulses == [5]
    assert len(simulator.jobs) == 2


def test_a_drawer_that_cannot_be_reached_says_so(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    printer = connect(tcp(simulator))
    simulator.stop()
    with pytest.raises(DeviceError) as caught:
        printer.open_drawer(deadline_s=1)
    assert caught.value.condition is Condition.NOHARDWARE


def test_a_hook_that_fails_comes_out_and_nothing_is_printed(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    def refuse() -> None:
        raise LookupError("the commit failed")

    with pytest.raises(LookupError, match="commit"):
        connect(tcp(simulator)).print_job(JOB, deadline_s=1, before_first_byte=refuse)
    assert simulator.jobs == ()


def test_a_closed_printer_fails_before_sending(
    simulator: PrinterSimulator, connect: Connect
) -> None:
    printer = connect(tcp(simulator))
    printer.close()
    outcome = print_it(printer)
    assert (outcome.state, outcome.condition) == (
        PrintState.FAILED_BEFORE_SEND,
        Condition.CLOSED,
    )
    assert printer.check_health(deadline_s=1).state is DeviceState.CLOSED


def test_an_address_where_packets_vanish_ends_by_the_deadline(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        port = deaf.getsockname()[1]
        started = time.monotonic()
        outcome = print_it(connect(TcpTransport("127.0.0.1", port), SPEAKS), deadline_s=1.0)
        assert outcome.state is PrintState.FAILED_BEFORE_SEND
        assert time.monotonic() - started < 1.5


@dataclass
class PtyPrinter:
    """The far end of a serial line: keeps what comes and answers like a printer."""

    far: int
    speaks: bool
    data: bytes = b""
    has_job: Event = field(default_factory=Event)

    def serve(self) -> None:
        while True:
            try:
                got = os.read(self.far, 4096)
            except OSError:
                return
            self.data += got
            if JOB in self.data:
                self.has_job.set()
            if self.speaks:
                answer = b"\x12" * got.count(b"\x10\x04") + b"\x00" * got.count(b"\x1dr\x01")
                os.write(self.far, answer)


@pytest.fixture
def serial_line() -> Iterator[tuple[int, str]]:
    far, near = os.openpty()
    tty.setraw(near)
    yield far, os.ttyname(near)
    os.close(near)


@pytest.mark.parametrize(
    ("speaks", "profile", "state"),
    [(True, GB, PrintState.CONFIRMED), (False, MUTE, PrintState.CONFIRMED_UNVERIFIED)],
)
def test_a_serial_printer_keeps_the_same_contract(
    serial_line: tuple[int, str],
    connect: Connect,
    speaks: bool,
    profile: Profile,
    state: PrintState,
) -> None:
    far, port = serial_line
    printer = PtyPrinter(far, speaks)
    thread = Thread(target=printer.serve, daemon=True)
    thread.start()
    outcome = print_it(connect(SerialTransport(port), profile))
    assert outcome == PrintOutcome(state, len(JOB))
    assert printer.has_job.wait(5)


def test_a_serial_port_that_is_not_there_has_no_hardware(connect: Connect, tmp_path: Path) -> None:
    outcome = print_it(connect(SerialTransport(str(tmp_path / "ttyS9"))))
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert outcome.condition is Condition.NOHARDWARE


def test_a_stalled_serial_printer_hangs_nobody(
    serial_line: tuple[int, str], connect: Connect
) -> None:
    _, port = serial_line  # nobody reads at the far end
    printer = connect(SerialTransport(port), MUTE)
    started = time.monotonic()
    outcome = printer.print_job(b"x" * 200_000, deadline_s=1.0, before_first_byte=nothing)
    assert outcome.state is PrintState.UNCERTAIN
    assert time.monotonic() - started < 1.5


def test_a_file_collects_jobs_and_is_never_called_confirmed(
    tmp_path: Path, connect: Connect
) -> None:
    path = tmp_path / "jobs.bin"
    printer = connect(FileTransport(path), MUTE)
    assert print_it(printer).state is PrintState.CONFIRMED_UNVERIFIED
    assert print_it(printer).state is PrintState.CONFIRMED_UNVERIFIED
    assert path.read_bytes() == JOB + JOB


def test_a_file_in_a_folder_that_is_not_there_has_no_hardware(
    tmp_path: Path, connect: Connect
) -> None:
    outcome = print_it(connect(FileTransport(tmp_path / "none" / "jobs.bin"), MUTE))
    assert outcome.condition is Condition.NOHARDWARE


def test_the_simulator_saves_bytes_text_and_picture_of_every_job(
    tmp_path: Path, connect: Connect
) -> None:
    with PrinterSimulator(paper=BOOK.paper("58mm"), save_to=tmp_path) as simulator:
        print_it(connect(tcp(simulator)))
        simulator.wait_for_jobs(1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001.bin", "0001.png", "0001.txt"]
    assert (tmp_path / "0001.txt").read_text(encoding="utf-8").startswith("农夫山泉\n")


def test_two_jobs_on_one_connection_are_two_papers(simulator: PrinterSimulator) -> None:
    with socket.create_connection((simulator.host, simulator.port)) as line:
        line.sendall(JOB + JOB)
    assert [job.data for job in simulator.wait_for_jobs(2)] == [JOB, JOB]


def test_an_echo_is_asked_for_only_where_the_profile_says_so() -> None:
    assert ECHOES.confirm is Confirm.GS_H
    assert GB.confirm is Confirm.GS_R
