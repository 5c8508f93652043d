"""A printer on TCP: takes jobs, answers status requests, shows paper, fails on demand."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

from hardware.escpos.answers import ECHO_HEADER
from hardware.escpos.profile import Paper, built_in_profiles
from hardware.paper.firmware import COMPLETE, Firmware
from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import png
from hardware.paper.sheet import Sheet
from hardware.paper.text import sheet_text
from hardware.paper.tokens import Command, Run, Token, Tokeniser

ACCEPT_POLL_S = 0.1
HELD_POLL_S = 0.02
PRINTS = frozenset(
    ["LF", "FF", "ESC d", "ESC J", "GS v0", "GS k", "GS (k", "GS (L", "GS 8L", "ESC *", "GS V",
     "ESC i", "ESC m"]
)  # fmt: skip
QUESTIONS = frozenset(["DLE EOT", "DLE ENQ", "GS a"])
"""Answered and forgotten: no part of a job."""
CUTS = frozenset(["GS V", "ESC i", "ESC m"])


@dataclass(slots=True)
class Faults:
    """What is wrong with the printer now; change it at any time.

    ``silent``: takes everything, answers nothing. ``stall_after``: takes so many bytes of a
    connection and then no more. ``reset_after``: resets the connection after so many bytes.
    ``noise``: sent before every answer. ``late_s``: how long every answer takes.
    ``runs_out_after``: so many bytes of a connection come out, then the paper is out; what follows
    stays in the printer's buffer, and is printed when ``paper_out`` is taken back.
    """

    paper_out: bool = False
    paper_low: bool = False
    cover_open: bool = False
    silent: bool = False
    stall_after: int | None = None
    reset_after: int | None = None
    noise: bytes = b""
    late_s: float = 0.0
    runs_out_after: int | None = None


@dataclass(frozen=True, slots=True)
class PrintedJob:
    """One job as it arrived: from the first byte that prints to the cut, or to the cut-off end."""

    number: int
    data: bytes
    dots: int
    is_complete: bool
    firmware: Firmware = COMPLETE

    def sheet(self) -> Sheet:
        """The paper that came out."""
        return Interpreter(dots=self.dots, firmware=self.firmware).print_all(self.data)

    def text(self) -> str:
        """The paper as text."""
        return sheet_text(self.sheet())

    def save(self, folder: Path, stem: str = "") -> None:
        """Write ``.bin``, ``.txt`` and ``.png`` into a folder, made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        name = stem or f"{self.number:04d}"
        sheet = self.sheet()
        (folder / f"{name}.bin").write_bytes(self.data)
        (folder / f"{name}.txt").write_text(sheet_text(sheet), encoding="utf-8")
        (folder / f"{name}.png").write_bytes(png(sheet))


OnJob = Callable[[PrintedJob], None]


@dataclass(slots=True)
class _Connection:
    """What one connection has brought so far."""

    tokeniser: Tokeniser = field(default_factory=Tokeniser)
    received: int = 0
    job: bytearray = field(default_factory=bytearray)
    has_print: bool = False
    is_cut: bool = False
    held: list[Token] = field(default_factory=list)
    """What waits for paper."""


class PrinterSimulator:
    """Listens on a loopback port. Start with ``start`` or as a context manager."""

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        paper: Paper | None = None,
        firmware: Firmware = COMPLETE,
        on_job: OnJob | None = None,
        save_to: Path | None = None,
    ) -> None:
        self.host = host
        self.faults = Faults()
        self.pulses: list[int] = []
        """Connector pins of drawer pulses, in order."""
        self._paper = paper or built_in_profiles().paper("80mm")
        self._firmware = firmware
        self._on_job = on_job
        self._save_to = save_to
        self._jobs: list[PrintedJob] = []
        self._lock = Lock()
        self._arrived = Event()
        self._stopping = Event()
        self._listener: socket.socket | None = None
        self._threads: list[Thread] = []
        self._connections: list[Thread] = []
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def jobs(self) -> tuple[PrintedJob, ...]:
        """All jobs so far."""
        with self._lock:
            return tuple(self._jobs)

    def wait_for_jobs(self, count: int, *, timeout_s: float = 5.0) -> tuple[PrintedJob, ...]:
        """The jobs, once there are so many; TimeoutError otherwise."""
        while len(self.jobs) < count:
            self._arrived.clear()
            if len(self.jobs) < count and not self._arrived.wait(timeout_s):
                raise TimeoutError(f"{len(self.jobs)} of {count} jobs arrived")
        return self.jobs

    def start(self) -> None:
        """Switch it on; ``port`` is known from here on, and the same after off and on."""
        if self._listener:
            return
        self._stopping.clear()
        self._listener = socket.create_server((self.host, self.port))
        self._listener.settimeout(ACCEPT_POLL_S)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Switch it off: connections are refused from now on."""
        self._stopping.set()
        for thread in (*self._threads, *self._connections):
            thread.join(5)
        self._threads.clear()
        self._connections.clear()
        if self._listener:
            self._listener.close()
            self._listener = None

    def settle(self) -> None:
        """Wait until all connections have ended and what came over them is on paper."""
        while self._connections:
            self._connections.pop().join()

    def _spawn(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = Thread(target=work, args=(connection,), name="printer simulator", daemon=True)
        (self._threads if connection is self._listener else self._connections).append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        state = _Connection()
        connection.settimeout(ACCEPT_POLL_S)
        with connection:
            while not self._stopping.is_set():
                limit = self._limit(state)
                if limit == 0 and self._break_off(connection):
                    break
                try:
                    data = connection.recv(min(limit, 4096)) if limit else self._idle()
                except TimeoutError:
                    continue
                except OSError:
                    break
                if not data and limit:
                    break
                self._take(connection, state, data)
            while state.held and not self._stopping.wait(HELD_POLL_S):
                self._take(connection, state, b"")
        self._finish(state)

    def _limit(self, state: _Connection) -> int:
        """How many bytes are taken before a fault strikes."""
        limits = [limit for limit in (self.faults.stall_after, self.faults.reset_after) if limit]
        return max(0, min(limits) - state.received) if limits else 4096

    def _break_off(self, connection: socket.socket) -> bool:
        """Reset where that is the fault (SO_LINGER 0 sends RST); stalling only waits."""
        if self.faults.reset_after is None:
            return False
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return True

    def _idle(self) -> bytes:
        self._stopping.wait(ACCEPT_POLL_S)
        return b""

    def _take(self, connection: socket.socket, state: _Connection, data: bytes) -> None:
        state.received += len(data)
        if not self.faults.paper_out:
            held, state.held = state.held, []
            for token in held:
                self._print(connection, state, token)
        for token in state.tokeniser.feed(data):
            is_real_time = isinstance(token, Command) and token.name == "DLE EOT"
            if self._ran_out(state) and not is_real_time:
                state.held.append(token)
            else:
                self._print(connection, state, token)

    def _print(self, connection: socket.socket, state: _Connection, token: Token) -> None:
        self._answer(connection, token)
        self._record(state, token)

    def _ran_out(self, state: _Connection) -> bool:
        """Whether the paper has ended in the middle of this connection's job."""
        limit = self.faults.runs_out_after
        if limit is not None and len(state.job) >= limit:
            self.faults.paper_out, self.faults.runs_out_after = True, None
        return self.faults.paper_out and bool(state.job)

    def _record(self, state: _Connection, token: Token) -> None:
        if isinstance(token, Command):
            if token.name in QUESTIONS:
                return
            if token.name in ("ESC p", "DLE DC4"):
                interpreter = Interpreter(dots=self._paper.dots)
                interpreter.accept(token)
                self.pulses += interpreter.sheet.pulses
            if state.is_cut and token.name == "ESC @":
                self._finish(state)
        state.job += token.source
        if isinstance(token, Run) or (isinstance(token, Command) and token.name in PRINTS):
            state.has_print = True
        if isinstance(token, Command) and token.name in CUTS:
            state.is_cut = True

    def _finish(self, state: _Connection) -> None:
        """A connection that only asked or opened the drawer leaves no job."""
        data = bytes(state.job) + state.tokeniser.pending
        if state.has_print:
            with self._lock:
                job = PrintedJob(
                    len(self._jobs) + 1, data, self._paper.dots, state.is_cut, self._firmware
                )
                self._jobs.append(job)
            if self._save_to:
                job.save(self._save_to)
            if self._on_job:
                self._on_job(job)
            self._arrived.set()
        state.job.clear()
        state.has_print = state.is_cut = False

    def _answer(self, connection: socket.socket, token: Token) -> None:
        if not isinstance(token, Command) or self.faults.silent:
            return
        if token.name not in self._firmware.answers:
            return
        answer = self._answer_to(token)
        if answer:
            self._stopping.wait(self.faults.late_s)
            try:
                connection.sendall(self.faults.noise + answer)
            except OSError:
                return  # the sender has gone; its job is kept all the same

    def _answer_to(self, command: Command) -> bytes:
        faults = self.faults
        can_print = not (faults.paper_out or faults.cover_open)
        match command.name:
            case "DLE EOT":
                return self._status(command.parameters[0], can_print=can_print)
            case "GS a" if command.parameters[0]:
                return self._automatic_status(can_print=can_print)
            case "GS r" if can_print:
                return bytes([0x03 * faults.paper_low])
            case "GS (H" if can_print and command.parameters[2:4] == b"\x30\x30":
                return ECHO_HEADER + command.parameters[4:8] + b"\x00"
            case _:
                return b""

    def _automatic_status(self, *, can_print: bool) -> bytes:
        faults = self.faults
        low = faults.paper_low or faults.paper_out
        general = 0x10 | (0 if can_print else 0x08) | 0x20 * faults.cover_open
        return bytes([general, 0, 0x03 * low | 0x0C * faults.paper_out, 0])

    def _status(self, kind: int, *, can_print: bool) -> bytes:
        faults = self.faults
        low = faults.paper_low or faults.paper_out
        details = {
            1: 0 if can_print else 0x08,
            2: 0x04 * faults.cover_open | 0x20 * faults.paper_out,
            3: 0,
            4: 0x0C * low | 0x60 * faults.paper_out,
        }
        return bytes([0x12 | details[kind]]) if kind in details else b""
