"""The simulators as programs: started, spoken to, stopped."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest
import serial

from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.fiscal.line_device import LineFiscalDevice
from hardware.nfc.pn532_reader import Pn532Reader
from hardware.payment.line_terminal import LineTerminal
from hardware.ports import CardData, PaymentRequest
from hardware.serial_port import LineSettings
from hardware.sim import main
from shared.clock import SystemClock
from shared.money import Currency, Money
from shared.receipt.document import Cut, Document, Text

BOOK = built_in_profiles()
JOB = Encoder(BOOK.profile("gb"), BOOK.paper("58mm")).encode(Document((Text("农夫山泉"), Cut())))


def test_the_printer_program_shows_and_saves_its_paper(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "hardware.sim", "printer", "--port", "0", "--paper", "58mm",
         "--out", str(tmp_path)],
        stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        # Tests in the background ignore the signal, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )  # fmt: skip
    try:
        assert program.stdout
        port = int(program.stdout.readline().rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(JOB)
        assert program.stdout.readline().startswith("--- job 1")
        assert program.stdout.readline() == "农夫山泉\n"
        assert (tmp_path / "0001.bin").read_bytes() == JOB
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=60)
    assert program.returncode == 0


def test_a_captured_job_is_shown(tmp_path: Path, capsys: object) -> None:
    captured = tmp_path / "job.bin"
    captured.write_bytes(JOB)
    assert main(["show", str(captured), "--paper", "58mm", "--png", str(tmp_path / "p.png")]) == 0
    assert capsys.readouterr().out.startswith("农夫山泉\n")  # type: ignore[attr-defined]  # pytest's own
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_not_there_is_named_without_a_trace(tmp_path: Path, capsys: object) -> None:
    assert main(["show", str(tmp_path / "none.bin")]) == 1
    assert "none.bin" in capsys.readouterr().err  # type: ignore[attr-defined]  # pytest's own


@pytest.mark.parametrize(
    ("arguments", "line", "asked", "answer"),
    [
        (["scale"], "1234\n", b"W", b"\x0201.234\r"),
        (["scale", "--protocol", "cas-stream"], "20000\n", b"", b"OL,GS,1\x80,+020.000 kg\r\n"),
    ],
)
def test_the_scale_program_weighs_what_is_typed(
    arguments: list[str], line: str, asked: bytes, answer: bytes
) -> None:
    with started(*arguments) as (program, port):
        assert program.stdin
        program.stdin.write(line)
        program.stdin.flush()
        with serial.Serial(port, timeout=1) as till:
            heard = b""
            while answer not in heard:
                till.write(asked)
                heard = heard[-100:] + till.read(22)


def test_the_display_program_shows_what_is_written() -> None:
    with started("display") as (program, port):
        assert program.stdout
        with serial.Serial(port, timeout=1) as till:
            till.write(b"\x1b@\x1bQA" + "可乐 7.00".encode("gbk") + b"\r")
            while "可乐 7.00" not in program.stdout.readline():
                pass


def test_the_nfc_program_taps_what_is_typed() -> None:
    with started("nfc") as (program, port):
        heard: Queue[CardData] = Queue()
        reader = Pn532Reader("cards", LineSettings(port, 115_200), clock=SystemClock())
        reader.deliver_to(heard.put)
        reader.open()
        assert reader.check_health(deadline_s=60).is_ready
        assert program.stdin
        program.stdin.write("8600123456781234\n")
        program.stdin.flush()
        assert heard.get(timeout=60).token == "8600123456781234"
        reader.close()


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A simulator as a program of its own, and the port that it says it is on."""
    program = subprocess.Popen(
        [sys.executable, "-m", "hardware.sim", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    try:
        assert program.stdout
        yield program, program.stdout.readline().rsplit(" ", 1)[1].strip()
    finally:
        program.communicate(timeout=60)
    assert program.returncode == 0


@contextmanager
def asked(kind: str, record: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A simulator on TCP as a program, with its port."""
    program = subprocess.Popen(
        [sys.executable, "-m", "hardware.sim", kind, "--record", str(record)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        assert program.stdout
        yield program, int(program.stdout.readline().rsplit(":", 1)[1])
    finally:
        program.communicate(timeout=60)
    assert program.returncode == 0


def test_the_terminal_program_takes_money_and_fails_as_it_is_told(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    with asked("terminal", record) as (program, port):
        assert program.stdin
        assert program.stdout
        terminal = LineTerminal("terminal", "127.0.0.1", port)
        amount = Money(1250, Currency("CNY"))
        assert terminal.pay(PaymentRequest("a", amount), deadline_s=60).state == "approved"
        program.stdin.write("decline\nshow\n")
        program.stdin.flush()
        assert program.stdout.readline() == "a ¥12.50 approved\n"
        assert program.stdout.readline() == "taken: 1250\n"
        assert terminal.pay(PaymentRequest("b", amount), deadline_s=60).state == "declined"
    assert record.read_text().count('"heard"') == 2


def test_the_fiscal_program_signs(tmp_path: Path) -> None:
    with asked("fiscal", tmp_path / "record.jsonl") as (_program, port):
        device = LineFiscalDevice("fiscal", "127.0.0.1", port)
        start = device.begin(deadline_s=60)
        assert device.finish(start.number, "sale", b"data", deadline_s=60).counter == 1
