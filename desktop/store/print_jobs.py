"""The spooler's jobs: written with the sale, at most one original per receipt.

A job names an entry; what is printed is rendered from the entry when it is printed. ``UNIQUE
(entry_id, copy)`` is what makes a second original impossible; copy 0 is the original. A paper
without an entry is kept beside its job, under an id of its own in the entry's place.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from desktop.store.card_codes import forget_codes_of
from desktop.store.loose_papers import forget_paper, keep_paper, read_paper
from desktop.store.prepared import Prepared
from desktop.store.schema import print_jobs
from shared.errors import DomainError
from shared.ids import EntryId
from shared.receipt.document import Document


class JobState(StrEnum):
    """Where a print job stands."""

    QUEUED = "queued"
    """Written; no byte has left."""
    SENDING = "sending"
    """Committed before the first byte; a till found in this state does not know what came out."""
    CONFIRMED = "confirmed"
    """The printer said so itself."""
    CONFIRMED_UNVERIFIED = "confirmed-unverified"
    """Sent whole to a printer that cannot reply."""
    UNCERTAIN = "uncertain"
    """Some bytes may be on paper: the cashier looks and decides; new paper says COPY."""
    FAILED_BEFORE_SEND = "failed-before-send"
    """No byte left; tried again by itself."""
    SETTLED = "settled"
    """Uncertain before; the cashier has decided."""


FINISHED = frozenset({JobState.CONFIRMED, JobState.CONFIRMED_UNVERIFIED, JobState.SETTLED})


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One paper to be printed."""

    job_id: str
    entry_id: EntryId
    """Or the id of a loose paper."""
    copy: int
    language: str
    state: JobState
    reason: str


def queue_original(
    connection: Connection, *, job_id: str, entry_id: EntryId, language: str
) -> None:
    """Queue the one original of an entry's receipt."""
    _insert(connection, job_id=job_id, entry_id=entry_id, copy=0, language=language)


def queue_copy(connection: Connection, *, job_id: str, entry_id: EntryId, language: str) -> int:
    """Queue one more copy; returns its number, 1 for the first."""
    highest = connection.execute(
        select(func.max(print_jobs.c.copy)).where(print_jobs.c.entry_id == entry_id)
    ).scalar()
    copy = (highest or 0) + 1
    _insert(connection, job_id=job_id, entry_id=entry_id, copy=copy, language=language)
    return copy


def queue_paper(
    connection: Connection,
    *,
    job_id: str,
    paper_id: str,
    title: str,
    document: Document,
    language: str,
) -> None:
    """Queue a paper that no entry stands behind, and keep it until it is out."""
    keep_paper(connection, paper_id, title, document)
    _insert(connection, job_id=job_id, entry_id=EntryId(paper_id), copy=0, language=language)


_LAST_POSITION = Prepared(select(func.max(print_jobs.c.position)))
_INSERT = Prepared(
    insert(print_jobs),
    ("job_id", "position", "entry_id", "copy", "language", "state", "reason"),
)


def _insert(
    connection: Connection, *, job_id: str, entry_id: EntryId, copy: int, language: str
) -> None:
    position = _LAST_POSITION.run(connection).scalar() or 0
    _INSERT.run(
        connection,
        job_id=job_id,
        position=position + 1,
        entry_id=entry_id,
        copy=copy,
        language=language,
        state=JobState.QUEUED.value,
        reason="",
    )


def next_to_print(connection: Connection) -> PrintJob | None:
    """The oldest job of which no byte has left yet."""
    waiting = [JobState.QUEUED, JobState.FAILED_BEFORE_SEND]
    return _first(connection, waiting)


def uncertain(connection: Connection) -> list[PrintJob]:
    """Jobs the cashier must decide on."""
    return _jobs(connection, [JobState.UNCERTAIN])


def _first(connection: Connection, states: list[JobState]) -> PrintJob | None:
    return next(iter(_jobs(connection, states, limit=1)), None)


def _jobs(
    connection: Connection, states: list[JobState], limit: int | None = None
) -> list[PrintJob]:
    rows = connection.execute(
        select(print_jobs)
        .where(print_jobs.c.state.in_(states))
        .order_by(print_jobs.c.position)
        .limit(limit)
    )
    return [
        PrintJob(
            row.job_id,
            EntryId(row.entry_id),
            row.copy,
            row.language,
            JobState(row.state),
            row.reason,
        )
        for row in rows
    ]


def move(
    connection: Connection,
    job_id: str,
    *,
    from_states: frozenset[JobState],
    to: JobState,
    reason: str = "",
) -> None:
    """Move a job to its next state; DomainError ``print-job-moved`` if it is elsewhere by now."""
    changed = connection.execute(
        update(print_jobs)
        .where(print_jobs.c.job_id == job_id, print_jobs.c.state.in_(from_states))
        .values(state=to, reason=reason)
    ).rowcount
    if changed != 1:
        raise DomainError("print-job-moved", job_id=job_id)
    if to in FINISHED:
        forget_codes_of(connection, job_id)
        _forget_paper_of(connection, job_id)


def _forget_paper_of(connection: Connection, job_id: str) -> None:
    """A loose paper goes with its jobs as soon as none of them is open."""
    named = select(print_jobs.c.entry_id).where(print_jobs.c.job_id == job_id)
    paper_id = connection.execute(named).scalar_one()
    if read_paper(connection, paper_id) is None:
        return
    of_paper = print_jobs.c.entry_id == paper_id
    still_open = exists().where(of_paper, print_jobs.c.state.not_in(FINISHED))
    if not connection.execute(select(still_open)).scalar():
        forget_paper(connection, paper_id)
        connection.execute(delete(print_jobs).where(of_paper))


def doubt_interrupted(connection: Connection) -> int:
    """After a start: jobs that were being sent when the till died are uncertain. Returns count."""
    return connection.execute(
        update(print_jobs)
        .where(print_jobs.c.state == JobState.SENDING)
        .values(state=JobState.UNCERTAIN, reason="interrupted")
    ).rowcount
