"""The simulators as programs: started, spoken to, stopped."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.sim import main
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
