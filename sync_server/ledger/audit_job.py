"""Jobs that judge facts behind the pushes, each following the shard's counter.

The watermark is moved in the transaction that raises what was found, so that a killed server goes
on where it was and raises nothing twice.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Row, func, select

from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.journal.entry import Envelope, decode_entry
from shared.pricing.sale_basket import Unjudged
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from sync_server.database.schema import entries, jobs
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.ledger.finding import Finding

log = structlog.get_logger("evertill.audit")

BATCH: Final = 25
"""Judged in one transaction; a till that has just sold waits for no more of them."""
BATCHES: Final = 8
"""Between two looks at whether the server is to stop."""
AUDIT_PAUSE_S: Final = 5.0
GIVING_WAY_S: Final = 1.0
"""At most, between two batches: pushes that never end do not keep an audit from ever ending."""
LOOK_EVERY_S: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a job looks at: entries of some kinds, of which it judges those of one."""

    job: str
    judged: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """An entry that was kept, as a job looks at it."""

    id: EntryId
    kind: str
    encoded: bytes
    journal: str
    server_seq: int
    hlc: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one fact."""

    findings: tuple[Finding, ...] = ()
    unjudged: Unjudged | None = None
    made_good: bool = False
    """It was counted as not to be judged before, and is judged now."""


class Judge(Protocol):
    """Judges facts of one kind."""

    @property
    def watched(self) -> Watched:
        """Which entries it wants to see."""
        ...

    def judge(self, work: Work, entry: Audited) -> Iterator[Verdict]:
        """What an entry gives: mostly one verdict, none where it only stands beside."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is: facts judged and not, and what it has still to look at."""

    server_seq: int = 0
    judged: int = 0
    unjudged: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Outcome:
    """What one run found."""

    judged: int = 0
    different: int = 0
    unjudged: Counter[Unjudged] = field(default_factory=Counter)

    def note(self, verdict: Verdict) -> None:
        """Count one verdict."""
        if verdict.unjudged is not None:
            self.unjudged[verdict.unjudged] += 1
            return
        self.judged += 1
        self.different += bool(verdict.findings)
        if verdict.made_good:
            self.unjudged[Unjudged.UNKNOWN_SALE] -= 1


@dataclass(frozen=True, slots=True)
class AuditJob:
    """One job on one database."""

    database: Database
    own: OwnJournal
    judge: Judge

    def run(self) -> Outcome:
        """Judge everything that is waiting, batch by batch."""
        whole = Outcome()
        while self._step(whole):
            pass
        return whole

    def run_behind(self) -> bool:
        """Some of it, for a server that does it again and again; whether more may be waiting.

        What was done is in the log.
        """
        outcome = Outcome()
        is_more = True
        for _ in range(BATCHES):
            is_more = self._step(outcome)
            if not is_more:
                break
            self._give_way()
        unjudged = sum(outcome.unjudged.values())
        if outcome.judged or unjudged:
            log.info(
                "audit.ran",
                job=self.judge.watched.job,
                judged=outcome.judged,
                different=outcome.different,
                unjudged=unjudged,
            )
        return is_more

    def _give_way(self) -> None:
        """Wait while pushes have something to write, or pages are read for tills."""
        for _ in range(int(GIVING_WAY_S / LOOK_EVERY_S)):
            if not self.database.is_wanted:
                return
            time.sleep(LOOK_EVERY_S)

    def _step(self, whole: Outcome) -> bool:
        """One batch in one transaction; whether there was anything."""
        watched, found, findings = self.judge.watched, Outcome(), list[Finding]()
        with self.database.writing() as work:
            before = _reached(work, watched)
            batch = _batch(work, watched, before.server_seq)
            if not batch:
                return False
            for entry in batch:
                for verdict in self.judge.judge(work, entry):
                    found.note(verdict)
                    findings += verdict.findings
            self.own.raise_exceptions(work, findings)
            unjudged = before.unjudged + sum(found.unjudged.values())
            _move(work, watched, batch[-1].server_seq, before.judged + found.judged, unjudged)
        whole.judged += found.judged
        whole.different += found.different
        for reason, count in found.unjudged.items():
            whole.unjudged[reason] += count
        return True


def _batch(work: Work, watched: Watched, after: int) -> list[Audited]:
    rows = work.connection.execute(
        select(entries)
        .where(
            entries.c.shard == work.shard,
            entries.c.kind.in_((watched.judged, *watched.beside)),
            entries.c.id.is_not(None),
            entries.c.server_seq > after,
        )
        .order_by(entries.c.server_seq)
        .limit(BATCH)
    )
    return [audited(row) for row in rows]


def audited(row: Row[Any]) -> Audited:
    """A row of ``entries`` as a job looks at it."""
    return Audited(
        id=EntryId(row.id),
        kind=row.kind,
        encoded=row.bytes,
        journal=row.journal,
        server_seq=row.server_seq,
        hlc=row.hlc,
    )


def fact_of(entry: Audited) -> Fact | None:
    """The fact of an entry; None for one in quarantine that this release cannot read."""
    try:
        return fact_in(decode_entry(entry.encoded).envelope)
    except ProtocolError:
        return None


def fact_in(envelope: Envelope) -> Fact | None:
    """The fact in an envelope; None for one that this release cannot read."""
    try:
        return read_fact(envelope)
    except ProtocolError:
        return None


def progress_of(snapshot: Snapshot, watched: Watched) -> Progress:
    """How far a job is, and how much waits for it."""
    reached = _reached(snapshot, watched)
    waiting = snapshot.connection.execute(
        select(func.count())
        .select_from(entries)
        .where(
            entries.c.shard == snapshot.shard,
            entries.c.kind == watched.judged,
            entries.c.id.is_not(None),
            entries.c.server_seq > reached.server_seq,
        )
    ).scalar_one()
    return replace(reached, waiting=waiting)


def _reached(snapshot: Snapshot, watched: Watched) -> Progress:
    row = snapshot.connection.execute(
        select(jobs).where(jobs.c.shard == snapshot.shard, jobs.c.job == watched.job)
    ).first()
    if row is None:
        return Progress()
    return Progress(server_seq=row.server_seq, judged=row.judged, unjudged=row.unjudged)


def _move(work: Work, watched: Watched, server_seq: int, judged: int, unjudged: int) -> None:
    statement = work.upsert(jobs)
    statement = statement.on_conflict_do_update(
        index_elements=list(jobs.primary_key),
        set_={
            name: getattr(statement.excluded, name) for name in ("server_seq", "judged", "unjudged")
        },
    )
    values = {"server_seq": server_seq, "judged": judged, "unjudged": unjudged}
    work.connection.execute(statement, {"shard": work.shard, "job": watched.job, **values})
