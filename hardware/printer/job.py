"""The course of one print job over one link: look, hand over, ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, RLock

from hardware.escpos import commands
from hardware.escpos.answers import AnswerReader
from hardware.escpos.profile import Answers, AskBy, Confirm, Profile
from hardware.escpos.status import (
    PrinterStatus,
    is_paper_out,
    read_automatic_status,
    read_status,
)
from hardware.ports import BeforeFirstByte, Condition, PrintOutcome, PrintState
from hardware.printer.transport import Link, LinkClosed, LinkError

PROBE_TIMEOUT_S = 0.4
"""A printer answers DLE EOT within 100 ms, also over a slow serial line."""
MUTE_WAIT_S = 1.5
"""How long a printer that has never answered may take to prove us wrong."""
SETTLE_WAIT_S = 3.0
"""How long answers owed to earlier jobs are waited for: a receipt may still be printing."""
SLICE_S = 0.2
SHORTEST_WAIT_S = 0.001

Monotonic = Callable[[], float]


@dataclass(slots=True)
class Progress:
    """How far a job is; read by the caller when its deadline passes. Thread-safe."""

    bytes_sent: int = 0
    _lock: Lock = field(default_factory=Lock)
    _hook_lock: RLock = field(default_factory=RLock)
    _sending: bool = False
    _withdrawn: bool = False

    def commit(self, before_first_byte: BeforeFirstByte) -> bool:
        """Run the hook, unless the job was withdrawn."""
        with self._hook_lock:
            if self._withdrawn:
                return False
            before_first_byte()
            return True

    def begin_sending(self) -> bool:
        """Whether the first byte may go now; False if the job was withdrawn."""
        with self._lock:
            self._sending = not self._withdrawn
            return self._sending

    def withdraw(self) -> bool:
        """Take the job back; False if its bytes may already be on the way.

        A hook that is running is waited for, so that it never ends after ``print_job`` did.
        """
        with self._hook_lock, self._lock:
            self._withdrawn = not self._sending
            return self._withdrawn


@dataclass(slots=True)
class Job:
    """One job on an open link.

    ``has_answered`` says whether this printer has ever answered, ``has_confirmed`` whether it has
    ever confirmed; ``number`` is what it echoes. ``owed`` counts requests of earlier jobs whose
    answers may still come on this line: none of them may be taken for this job's.
    """

    link: Link
    profile: Profile
    data: bytes
    number: bytes
    progress: Progress
    deadline: float
    monotonic: Monotonic
    has_answered: bool
    has_confirmed: bool = False
    owed: int = 0

    def run(self, before_first_byte: BeforeFirstByte) -> PrintOutcome:
        """Print; raises only what ``before_first_byte`` raises."""
        try:
            refusal = self._look()
        except LinkError as error:
            return failed(error.condition)
        if refusal:
            return refusal
        if not (self.progress.commit(before_first_byte) and self.progress.begin_sending()):
            return failed(Condition.TIMEOUT)
        try:
            self._hand_over(self.data + self._request())
        except LinkError as error:
            self.progress.bytes_sent += error.sent_in_doubt
            return self._interrupted(error.condition)
        return self._ask()

    def _look(self) -> PrintOutcome | None:
        """Why nothing should be sent now, or None."""
        if self.profile.answers is Answers.NEVER:
            return None
        found = probe(self.link, self.profile.ask_by)
        self.has_answered = self.has_answered or found.is_known
        if found.can_print is False:
            return failed(Condition.OFFLINE, trouble_key(found))
        if not found.is_known and self._can_answer():
            return failed(Condition.TIMEOUT, "devices.printer.silent")
        if found.is_known and self._owes() and not self._settle() and self.has_confirmed:
            return failed(Condition.TIMEOUT, "devices.printer.silent")
        return None

    def _owes(self) -> bool:
        """An echo bears its number; only ``GS r`` can be taken for another's."""
        return self.owed > 0 and self.profile.confirm is Confirm.GS_R

    def _settle(self) -> bool:
        """Ask once more and hear everything out: what comes later can only be this job's answer.

        False if nothing came: then an answer more is owed.
        """
        self.owed += 1
        self.link.send(commands.REQUEST_PAPER_STATUS, timeout_s=PROBE_TIMEOUT_S)
        heard = AnswerReader()
        until = min(self.deadline, self.monotonic() + SETTLE_WAIT_S)
        while (left := until - self.monotonic()) > SHORTEST_WAIT_S and len(heard.paper) < self.owed:
            got = receive(self.link, timeout_s=min(left, PROBE_TIMEOUT_S))
            heard.feed(got)
            if heard.paper and not got:
                break
        if heard.paper:
            self.owed = 0
        return bool(heard.paper)

    def _can_answer(self) -> bool:
        return self.profile.answers is Answers.ALWAYS or self.has_answered

    def _request(self) -> bytes:
        if self.profile.answers is Answers.NEVER:
            return b""
        match self.profile.confirm:
            case Confirm.GS_H:
                return commands.request_echo(self.number)
            case Confirm.GS_R:
                return commands.REQUEST_PAPER_STATUS
            case Confirm.NONE:
                return b""

    def _hand_over(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            at += self.link.send(data[at:], timeout_s=self._left())
            self.progress.bytes_sent = at

    def _left(self) -> float:
        left = self.deadline - self.monotonic()
        if left <= 0:
            raise LinkError(Condition.TIMEOUT, "the deadline passed")
        return left

    def _interrupted(self, condition: Condition) -> PrintOutcome:
        if self.progress.bytes_sent == 0:
            return failed(condition)
        return self._uncertain(condition, "devices.printer.interrupted")

    def _ask(self) -> PrintOutcome:
        """Wait for the printer's own word; mute printers get a short time only."""
        if self.profile.answers is Answers.NEVER:
            return self._done(PrintState.CONFIRMED_UNVERIFIED)
        if self.profile.confirm is Confirm.NONE:
            return self._ask_how_it_is()
        wait_until = self.deadline if self._can_answer() else self.monotonic() + MUTE_WAIT_S
        wait_until = min(wait_until, self.deadline)
        try:
            outcome = self._await_answer(wait_until)
        except LinkClosed:
            outcome = None
        except LinkError as error:
            return self._uncertain(error.condition, "devices.printer.interrupted")
        if outcome:
            return outcome
        if self._can_answer():
            self.owed += 1
            return self._uncertain(Condition.TIMEOUT, self._cause())
        return self._done(PrintState.CONFIRMED_UNVERIFIED)

    def _ask_how_it_is(self) -> PrintOutcome:
        """The printer cannot say what it has printed, but may say that it cannot print."""
        try:
            found = probe(self.link, self.profile.ask_by)
        except LinkError as error:
            return self._uncertain(error.condition, "devices.printer.interrupted")
        if found.can_print is False:
            return self._uncertain(Condition.OFFLINE, trouble_key(found))
        if not found.is_known and self._can_answer():
            return self._uncertain(Condition.TIMEOUT, "devices.printer.silent")
        return self._done(PrintState.CONFIRMED_UNVERIFIED)

    def _await_answer(self, wait_until: float) -> PrintOutcome | None:
        """Stops a little early, so that there is time left to ask for the cause of a silence."""
        heard = AnswerReader()
        while (left := wait_until - self.monotonic() - PROBE_TIMEOUT_S) > SHORTEST_WAIT_S:
            heard.feed(self.link.receive(timeout_s=min(left, SLICE_S)))
            if self.profile.confirm is Confirm.GS_H:
                if self.number in heard.echoes:
                    return self._answered(paper_out=False)
            elif len(heard.paper) > self.owed:
                return self._answered(paper_out=is_paper_out(heard.paper[-1]))
        return None

    def _answered(self, *, paper_out: bool) -> PrintOutcome:
        self.has_answered = self.has_confirmed = True
        self.owed = 0
        if paper_out:
            return self._uncertain(Condition.OFFLINE, "devices.printer.paper-out")
        return self._done(PrintState.CONFIRMED)

    def _cause(self) -> str:
        try:
            found = probe(self.link, self.profile.ask_by)
        except LinkError:
            return "devices.printer.silent"
        return trouble_key(found) if found.can_print is False else "devices.printer.silent"

    def _done(self, state: PrintState) -> PrintOutcome:
        return PrintOutcome(state, min(self.progress.bytes_sent, len(self.data)))

    def _uncertain(self, condition: Condition, message_key: str) -> PrintOutcome:
        sent = min(self.progress.bytes_sent, len(self.data))
        return PrintOutcome(PrintState.UNCERTAIN, sent, condition, message_key)


def failed(condition: Condition, message_key: str = "") -> PrintOutcome:
    """Not one byte of the job left."""
    key = message_key or f"devices.printer.{condition}"
    return PrintOutcome(PrintState.FAILED_BEFORE_SEND, 0, condition, key)


def probe(link: Link, ask_by: AskBy) -> PrinterStatus:
    """Ask for the state; LinkError where the link itself fails.

    What was left over from before is not an answer. A printer that does not answer the first
    question is not asked the others.
    """
    receive(link, timeout_s=SHORTEST_WAIT_S)
    if ask_by is AskBy.ASB:
        return _probe_automatic(link)
    found: dict[int, int] = {}
    for kind in (1, 2, 3, 4):
        link.send(commands.request_status(kind), timeout_s=PROBE_TIMEOUT_S)
        heard = AnswerReader()
        heard.feed(receive(link, timeout_s=PROBE_TIMEOUT_S))
        if not heard.real_time:
            break
        found[kind] = heard.real_time[0]
    return read_status(found)


def _probe_automatic(link: Link) -> PrinterStatus:
    link.send(commands.SEND_STATUS_BY_ITSELF, timeout_s=PROBE_TIMEOUT_S)
    heard = AnswerReader()
    while got := receive(link, timeout_s=PROBE_TIMEOUT_S):
        heard.feed(got)
        if heard.automatic:
            return read_automatic_status(heard.automatic[-1])
    return PrinterStatus()


def receive(link: Link, *, timeout_s: float) -> bytes:
    """What has come; nothing, too, where nothing can come any more."""
    try:
        return link.receive(timeout_s=timeout_s)
    except LinkClosed:
        return b""


def trouble_key(found: PrinterStatus) -> str:
    """Words for what keeps a printer from printing: the cause a person can remove first."""
    if found.is_cover_open:
        return "devices.printer.cover-open"
    if found.is_paper_out:
        return "devices.printer.paper-out"
    return "devices.printer.error" if found.has_error else "devices.printer.offline"
