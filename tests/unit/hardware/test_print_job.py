"""How a print job ends is never said better than it is known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Self

import pytest

from hardware.escpos.profile import Answers, AskBy, Confirm, Profile, built_in_profiles
from hardware.ports import Condition, PrintOutcome, PrintState
from hardware.printer.job import Job, Progress
from hardware.printer.transport import LinkClosed, LinkError
from shared.clock import ManualClock

DATA = b"x" * 1000
READY = {b"\x10\x04\x01": b"\x12", b"\x10\x04\x02": b"\x12", b"\x10\x04\x03": b"\x12"}
READY[b"\x10\x04\x04"] = b"\x12"
PAPER_OUT = {**READY, b"\x10\x04\x01": b"\x1a", b"\x10\x04\x04": b"\x72"}


@dataclass
class ScriptedLink:
    """Answers by a table, takes so many bytes, and lets the clock run while it is silent."""

    clock: ManualClock
    answers: dict[bytes, bytes] = field(default_factory=dict)
    job_answer: bytes = b""
    takes: int = 1_000_000
    fails_with: Condition = Condition.FAILURE
    in_doubt: int = 0
    closes: bool = False
    after_job: dict[bytes, bytes] | None = None
    sent: bytes = b""
    waiting: bytes = b""
    job_bytes: int = len(DATA) + len(b"\x1dr\x01")

    def send(self, data: bytes, *, timeout_s: float) -> int:
        if data[:2] == b"\x10\x04" or (not self.sent and len(data) <= 3):
            self.waiting += self.answers.get(data, b"")
            return len(data)
        count = min(len(data), 300, self.takes - len(self.sent))
        if count <= 0:
            self.clock.advance(seconds=timeout_s if self.fails_with is Condition.TIMEOUT else 0)
            raise LinkError(self.fails_with, "scripted", sent_in_doubt=self.in_doubt)
        self.sent += data[:count]
        if len(self.sent) >= self.job_bytes:
            self.waiting += self.job_answer
            self.answers = self.answers if self.after_job is None else self.after_job
        return count

    def receive(self, *, timeout_s: float) -> bytes:
        got, self.waiting = self.waiting, b""
        if not got and self.closes:
            raise LinkClosed(Condition.OFFLINE, "scripted")
        if not got:
            self.clock.advance(seconds=timeout_s)
        return got

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass
class Trial:
    """A job on a scripted link, and what it did."""

    clock: ManualClock = field(
        default_factory=lambda: ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    )
    progress: Progress = field(default_factory=Progress)
    committed: list[int] = field(default_factory=list)
    job: Job | None = None

    def run(
        self,
        link: ScriptedLink,
        profile: Profile,
        *,
        has_answered: bool = False,
        has_confirmed: bool = False,
        owed: int = 0,
        hook: Callable[[], None] | None = None,
    ) -> PrintOutcome:
        job = Job(
            link=link,
            profile=profile,
            data=DATA,
            number=b"0042",
            progress=self.progress,
            deadline=self.clock.monotonic() + 10,
            monotonic=self.clock.monotonic,
            has_answered=has_answered,
            has_confirmed=has_confirmed,
            owed=owed,
        )
        self.job = job
        return job.run(hook or (lambda: self.committed.append(len(link.sent))))


GB = built_in_profiles().profile("gb")
ALWAYS = replace(GB, answers=Answers.ALWAYS)
NEVER = replace(GB, answers=Answers.NEVER)
ECHO = replace(ALWAYS, confirm=Confirm.GS_H)


@pytest.fixture
def trial() -> Trial:
    return Trial()


def test_the_hook_runs_once_before_the_first_byte(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x00")
    trial.run(link, GB)
    assert trial.committed == [0]
    assert link.sent.startswith(DATA)


def test_the_printers_own_word_confirms(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x00")
    assert trial.run(link, GB) == PrintOutcome(PrintState.CONFIRMED, len(DATA))


def test_an_echo_of_the_jobs_number_confirms(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x11\x37\x220042\x00")
    assert trial.run(link, ECHO).state is PrintState.CONFIRMED
    assert link.sent.endswith(b"\x1d(H\x06\x00\x30\x300042")


def test_an_echo_of_another_job_confirms_nothing(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x37\x220041\x00")
    assert trial.run(link, ECHO).state is PrintState.UNCERTAIN


def test_a_printer_that_cannot_answer_is_never_called_confirmed(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock), NEVER)
    assert outcome.state is PrintState.CONFIRMED_UNVERIFIED
    assert outcome.bytes_sent == len(DATA)


def test_a_printer_that_never_answered_is_given_a_short_time_only(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock), GB)
    assert outcome.state is PrintState.CONFIRMED_UNVERIFIED
    assert trial.clock.monotonic() < 3


def test_silence_after_the_job_of_a_printer_that_speaks_is_uncertain(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY), GB)
    assert outcome.state is PrintState.UNCERTAIN
    assert outcome.message_key == "devices.printer.silent"
    assert trial.clock.monotonic() <= 10


def test_the_cause_of_a_silence_is_asked_for(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, after_job=PAPER_OUT)
    assert trial.run(link, GB).message_key == "devices.printer.paper-out"


def test_paper_that_ends_during_the_job_leaves_it_uncertain(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY, job_answer=b"\x0c"), GB)
    assert (outcome.state, outcome.condition) == (PrintState.UNCERTAIN, Condition.OFFLINE)


def test_a_printer_without_paper_gets_no_byte_and_no_hook(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, PAPER_OUT)
    outcome = trial.run(link, GB)
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert outcome.message_key == "devices.printer.paper-out"
    assert link.sent == b""
    assert trial.committed == []


@pytest.mark.parametrize(("profile", "has_answered"), [(ALWAYS, False), (GB, True)])
def test_a_printer_that_should_answer_and_does_not_gets_no_byte(
    trial: Trial, profile: Profile, has_answered: bool
) -> None:
    link = ScriptedLink(trial.clock)
    outcome = trial.run(link, profile, has_answered=has_answered)
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert link.sent == b""


def test_noise_is_not_an_answer(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, {b"\x10\x04\x01": b"\xff\x00\x13"})
    assert trial.run(link, ALWAYS).state is PrintState.FAILED_BEFORE_SEND


def test_a_link_that_breaks_after_some_bytes_is_uncertain_with_their_number(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY, takes=600), GB)
    assert (outcome.state, outcome.bytes_sent) == (PrintState.UNCERTAIN, 600)


def test_a_link_that_takes_nothing_failed_before_sending(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY, takes=0), GB)
    assert (outcome.state, outcome.bytes_sent) == (PrintState.FAILED_BEFORE_SEND, 0)


def test_bytes_in_doubt_make_even_the_first_chunk_uncertain(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY, takes=0, in_doubt=64), GB)
    assert (outcome.state, outcome.bytes_sent) == (PrintState.UNCERTAIN, 64)


def test_a_stalled_link_ends_at_the_deadline(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, takes=300, fails_with=Condition.TIMEOUT)
    outcome = trial.run(link, GB)
    assert (outcome.state, outcome.condition) == (PrintState.UNCERTAIN, Condition.TIMEOUT)
    assert trial.clock.monotonic() <= 10


def test_a_mute_printer_that_hangs_up_in_order_is_done(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, closes=True), GB)
    assert outcome.state is PrintState.CONFIRMED_UNVERIFIED


def test_a_speaking_printer_that_hangs_up_without_a_word_is_uncertain(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, closes=True)
    assert trial.run(link, GB).state is PrintState.UNCERTAIN


def test_a_hook_that_fails_stops_the_job_before_its_first_byte(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY)

    def refuse() -> None:
        raise LookupError("the commit failed")

    with pytest.raises(LookupError, match="commit"):
        trial.run(link, GB, hook=refuse)
    assert link.sent == b""


def test_a_job_withdrawn_while_the_hook_ran_is_not_sent(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY)
    withdrawn: list[bool] = []
    outcome = trial.run(link, GB, hook=lambda: withdrawn.append(trial.progress.withdraw()))
    assert withdrawn == [True]
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert link.sent == b""


def test_the_hook_of_a_withdrawn_job_is_never_called(trial: Trial) -> None:
    assert trial.progress.withdraw()
    outcome = trial.run(ScriptedLink(trial.clock, READY), GB)
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert trial.committed == []


def test_withdrawing_waits_for_a_running_hook(trial: Trial) -> None:
    entered, finish = Event(), Event()
    order: list[str] = []

    def hook() -> None:
        entered.set()
        finish.wait(5)
        order.append("hook ended")

    running = Thread(
        target=trial.run, args=(ScriptedLink(trial.clock, READY), GB), kwargs={"hook": hook}
    )
    running.start()
    entered.wait(5)
    withdrawing = Thread(target=lambda: (trial.progress.withdraw(), order.append("withdrawn")))
    withdrawing.start()
    finish.set()
    running.join(5)
    withdrawing.join(5)
    assert order == ["hook ended", "withdrawn"]


def test_a_job_on_its_way_cannot_be_withdrawn(trial: Trial) -> None:
    trial.run(ScriptedLink(trial.clock, READY, job_answer=b"\x00"), GB)
    assert trial.progress.withdraw() is False


ASB = replace(ALWAYS, ask_by=AskBy.ASB)
GS_A, GS_R = b"\x1da\xff", b"\x1dr\x01"


@pytest.mark.parametrize(
    ("block", "state", "key"),
    [
        (b"\x10\x00\x00\x00", PrintState.CONFIRMED, ""),
        (b"\x38\x00\x00\x00", PrintState.FAILED_BEFORE_SEND, "devices.printer.cover-open"),
        (b"\x18\x00\x0f\x00", PrintState.FAILED_BEFORE_SEND, "devices.printer.paper-out"),
        (b"", PrintState.FAILED_BEFORE_SEND, "devices.printer.silent"),
        (b"\x00\x00\x00", PrintState.FAILED_BEFORE_SEND, "devices.printer.silent"),
    ],
)
def test_a_printer_is_asked_by_its_automatic_status_where_it_knows_no_other(
    trial: Trial, block: bytes, state: PrintState, key: str
) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, {GS_A: block}, job_answer=b"\x00"), ASB)
    assert (outcome.state, outcome.message_key) == (state, key)


def test_an_automatic_status_after_the_job_confirms_nothing(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x10\x00\x00\x00")
    assert trial.run(link, GB).state is PrintState.UNCERTAIN


def test_a_late_answer_to_an_earlier_job_does_not_confirm_this_one(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, {**READY, GS_R: b"\x00\x00"})
    outcome = trial.run(link, GB, owed=1)
    assert outcome.state is PrintState.UNCERTAIN
    assert trial.job is not None
    assert trial.job.owed == 1


def test_a_lost_answer_to_an_earlier_job_does_not_doubt_this_one(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, {**READY, GS_R: b"\x00"}, job_answer=b"\x00")
    assert trial.run(link, GB, owed=1).state is PrintState.CONFIRMED
    assert trial.job is not None
    assert trial.job.owed == 0


def test_a_printer_that_still_owes_an_answer_and_says_nothing_gets_no_byte(trial: Trial) -> None:
    outcome = trial.run(ScriptedLink(trial.clock, READY), GB, owed=1, has_confirmed=True)
    assert outcome.state is PrintState.FAILED_BEFORE_SEND
    assert trial.committed == []


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (READY, PrintState.CONFIRMED_UNVERIFIED),
        (PAPER_OUT, PrintState.UNCERTAIN),
        ({}, PrintState.UNCERTAIN),
    ],
)
def test_a_printer_that_only_knows_its_state_is_asked_for_it_after_the_job(
    trial: Trial, after: dict[bytes, bytes], state: PrintState
) -> None:
    link = ScriptedLink(trial.clock, READY, after_job=after)
    link.job_bytes = len(DATA)
    assert trial.run(link, replace(ALWAYS, confirm=Confirm.NONE)).state is state
    assert link.sent == DATA


def test_an_answer_that_may_be_an_earlier_jobs_confirms_nothing(trial: Trial) -> None:
    link = ScriptedLink(trial.clock, READY, job_answer=b"\x00")
    outcome = trial.run(link, GB, owed=1)
    assert outcome.state is PrintState.UNCERTAIN
    assert link.sent.startswith(DATA), "a printer that never confirmed may not know the question"
