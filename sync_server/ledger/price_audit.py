"""Prices every sale a second time, behind the pushes, and raises what differs.

The job follows the shard's counter with a watermark that is moved in the transaction that raises
what it found, so that a killed server goes on where it was and raises nothing twice.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Event, Thread
from typing import Final

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from shared.catalogue.goods import Goods
from shared.errors import EvertillError
from shared.ids import EntryId, MemberId
from shared.journal.entry import decode_entry
from shared.loyalty.bundle import load_programme
from shared.loyalty.programme import Programme
from shared.pricing.sale_basket import Difference, Measured, Unjudged, judge
from shared.trade.fact import BundleRef
from shared.trade.kinds import read_fact
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import bundles, entries, goods, jobs
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.ledger.finding import Finding, Rule

log = structlog.get_logger("evertill.audit")

JOB: Final = "prices"
BATCH: Final = 200
PAUSE_S: Final = 5.0
_article = msgspec.json.Decoder(Goods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the audit is: sales judged and not, and what it has still to look at."""

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


@dataclass(frozen=True, slots=True)
class PriceAudit:
    """The audit of one database."""

    database: Database
    own: OwnJournal

    def run(self) -> Outcome:
        """Judge everything that is waiting, batch by batch."""
        whole = Outcome()
        while self._step(whole):
            pass
        return whole

    def _step(self, whole: Outcome) -> bool:
        """One batch in one transaction; whether there was anything."""
        with self.database.writing() as work:
            before = progress_of(work)
            rows = work.connection.execute(
                select(entries.c.server_seq, entries.c.bytes)
                .where(
                    entries.c.shard == work.shard,
                    entries.c.kind == SaleCompleted.kind,
                    entries.c.id.is_not(None),
                    entries.c.server_seq > before.server_seq,
                )
                .order_by(entries.c.server_seq)
                .limit(BATCH)
            ).all()
            if not rows:
                return False
            found = Outcome()
            findings = [finding for row in rows for finding in self._judged(work, row.bytes, found)]
            self.own.raise_exceptions(work, findings)
            unjudged = before.unjudged + found.unjudged.total()
            _move(work, rows[-1].server_seq, before.judged + found.judged, unjudged)
        whole.judged += found.judged
        whole.different += found.different
        whole.unjudged.update(found.unjudged)
        return True

    def _judged(self, work: Work, encoded: bytes, outcome: Outcome) -> list[Finding]:
        envelope = decode_entry(encoded).envelope
        sale = read_fact(envelope)
        assert isinstance(sale, SaleCompleted)
        programme = _programme(work, sale.programme)
        if programme is None:
            outcome.unjudged[Unjudged.UNKNOWN_PROGRAMME] += 1
            return []
        at = datetime.fromisoformat(envelope.occurred_at)
        verdict = judge(sale, at, programme, _goods(work, sale))
        if isinstance(verdict, Unjudged):
            outcome.unjudged[verdict] += 1
            return []
        outcome.judged += 1
        if not verdict:
            return []
        outcome.different += 1
        return [_finding(EntryId(str(envelope.id)), sale, verdict, programme)]


def progress_of(snapshot: Snapshot) -> Progress:
    """How far the audit is."""
    row = snapshot.connection.execute(
        select(jobs).where(jobs.c.shard == snapshot.shard, jobs.c.job == JOB)
    ).first()
    reached = row.server_seq if row else 0
    waiting = snapshot.connection.execute(
        select(func.count())
        .select_from(entries)
        .where(
            entries.c.shard == snapshot.shard,
            entries.c.kind == SaleCompleted.kind,
            entries.c.id.is_not(None),
            entries.c.server_seq > reached,
        )
    ).scalar_one()
    return Progress(
        server_seq=reached,
        judged=row.judged if row else 0,
        unjudged=row.unjudged if row else 0,
        waiting=waiting,
    )


def _move(work: Work, server_seq: int, judged: int, unjudged: int) -> None:
    statement = work.upsert(jobs)
    statement = statement.on_conflict_do_update(
        index_elements=list(jobs.primary_key),
        set_={
            name: getattr(statement.excluded, name) for name in ("server_seq", "judged", "unjudged")
        },
    )
    values = {"server_seq": server_seq, "judged": judged, "unjudged": unjudged}
    work.connection.execute(statement, {"shard": work.shard, "job": JOB, **values})


def _programme(snapshot: Snapshot, ref: BundleRef) -> Programme | None:
    document = snapshot.connection.execute(
        select(bundles.c.document).where(
            bundles.c.shard == snapshot.shard,
            bundles.c.version == ref.version,
            bundles.c.sha256 == ref.sha256,
        )
    ).scalar()
    return _read_programme(document) if document is not None else None


@lru_cache(maxsize=8)
def _read_programme(document: bytes) -> Programme | None:
    """One programme prices many sales; one that this release cannot read prices none."""
    try:
        return load_programme(document)
    except EvertillError:
        return None


def _goods(snapshot: Snapshot, sale: SaleCompleted) -> Mapping[str, Goods]:
    wanted = {line.goods_id for line in sale.lines}
    rows = snapshot.connection.execute(
        select(goods.c.goods_id, goods.c.document).where(
            goods.c.shard == snapshot.shard, goods.c.goods_id.in_(wanted)
        )
    )
    return {row.goods_id: _article.decode(row.document) for row in rows}


def _finding(
    entry: EntryId, sale: SaleCompleted, differences: list[Difference], programme: Programme
) -> Finding:
    money = f"{sale.currency}/{programme.money.exponent}"
    points = f"points/{programme.points.decimals}"
    return Finding(
        rule=Rule.PRICED_OTHERWISE,
        natural_key=f"priced-otherwise:{entry}",
        facts=(entry,),
        member_id=MemberId(sale.member.member_id) if sale.member else None,
        effects=tuple(
            ExceptionEffect(
                account=f"audit-{one.measured}",
                owner="",
                unit=points if one.measured is Measured.POINTS else money,
                amount=one.amount,
            )
            for one in differences
        ),
    )


class AuditThread:
    """Runs the audit behind the server, for as long as it serves."""

    def __init__(self, audit: PriceAudit, pause_s: float = PAUSE_S) -> None:
        self._audit = audit
        self._pause_s = pause_s
        self._leaving = Event()
        self._thread = Thread(target=self._loop, name="price-audit", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._leaving.wait(self._pause_s):
            try:
                outcome = self._audit.run()
            except (DBAPIError, EvertillError) as error:
                log.error("audit.failed", kind=type(error).__name__)
                continue
            if outcome.judged or outcome.unjudged:
                unjudged = outcome.unjudged.total()
                log.info(
                    "audit.ran",
                    judged=outcome.judged,
                    different=outcome.different,
                    unjudged=unjudged,
                )
