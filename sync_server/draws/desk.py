"""Runs prize draws: from the entries that tills sold to winners that anybody can check.

An entry is named by the fact that sold it and a number, ``<entry id>/1``, so that the whole list
can be published. What was drawn is a fact of the server's own journal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, select

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import AccountKind
from shared.loyalty.document import Names
from shared.loyalty.engagement import PrizeDraw
from shared.loyalty.prize_draw import Win, outcome
from shared.loyalty.programme import Programme
from shared.loyalty.taking_part import check_closed
from shared.pricing.sale_lines import names_by_language
from shared.trade.benefit import DrawEntered
from shared.trade.kinds import read_fact
from shared.trade.server import DrawRun, DrawWin
from shared.trade.writing import Writing
from sync_server.database.schema import entries, postings, stores, tills
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.members.aliases import stands_for
from sync_server.programme.bundles import newest_programme

WINS_IN_FACT = 200
"""A fact holds so many; more prizes make more facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawState:
    """A draw of the programme in force."""

    rule: PrizeDraw
    entries: tuple[str, ...]
    """What takes part: all that have arrived, or those that did when it was run."""
    late: int
    """Entries that arrived after it was run."""
    wins: tuple[DrawWin, ...] | None
    """None before it is run."""


@dataclass(frozen=True, slots=True)
class DrawDesk:
    """Lists and runs draws."""

    database: Database
    clock: Clock
    own: OwnJournal

    def states(self) -> list[DrawState]:
        """Every draw of the programme in force."""
        with self.database.reading() as snapshot:
            programme = newest_programme(snapshot)
            return [_state(snapshot, rule) for rule in programme.draws] if programme else []

    def unheard(self, draw: str) -> list[str]:
        """Tills that have not been heard of since the draw closed: they may hold entries."""
        with self.database.reading() as snapshot:
            rule = _rule(snapshot, draw)
            return [
                row.name
                for row in _tills(snapshot)
                if row.last_contact_at is None
                or _wall(datetime.fromisoformat(row.last_contact_at), row.zone) <= rule.closes
                or row.unsent_told
            ]

    def run(self, draw: str, seed: str) -> DrawState:
        """Draw the winners with the seed that was promised, once.

        Raises DomainError ``not-in-programme``, ``draw-still-open``, ``draw-was-run`` and
        ``draw-seed-wrong``.
        """
        with self.database.writing() as work:
            rule = _rule(work, draw)
            now = self.clock.now()
            for row in _tills(work):
                check_closed(rule, _wall(now, row.zone))
            if any(_runs(work, draw)):
                raise DomainError("draw-was-run", draw=draw)
            sold = {entry: stands_for(work, member) for entry, member in _entries(work, draw)}
            wins = outcome(rule, seed, sold)
            self._write(work, rule, seed, sold, wins)
            return _state(work, rule)

    def _write(
        self,
        work: Work,
        rule: PrizeDraw,
        seed: str,
        sold: dict[str, MemberId],
        wins: tuple[Win, ...],
    ) -> None:
        names = {prize.id: names_by_language(prize.names) for prize in rule.prizes}
        told = [
            DrawWin(
                prize=win.prize, names=names[win.prize], entry=win.entry, member_id=sold[win.entry]
            )
            for win in wins
        ]
        parts = [told[at : at + WINS_IN_FACT] for at in range(0, len(told), WINS_IN_FACT)] or [[]]
        facts = [
            DrawRun(
                draw=rule.id,
                names=names_by_language(rule.names),
                seed=seed,
                entries=len(sold),
                wins=tuple(part),
            )
            for part in parts
        ]
        self.own.write(work, [Writing(fact) for fact in facts])


def _rule(snapshot: Snapshot, draw: str) -> PrizeDraw:
    programme = newest_programme(snapshot)
    for rule in programme.draws if programme else ():
        if rule.id == draw:
            return rule
    raise DomainError("not-in-programme", what=draw)


def check_promises(snapshot: Snapshot, programme: Programme) -> None:
    """What was promised to those who have entered a draw stands until it is run.

    Raises DomainError ``draw-promised`` for a programme that changes, or leaves out, such a draw.
    """
    before = newest_programme(snapshot)
    rules = {rule.id: _promise(rule) for rule in programme.draws}
    for rule in before.draws if before else ():
        if rules.get(rule.id) == _promise(rule) or any(_runs(snapshot, rule.id)):
            continue
        if any(_entries(snapshot, rule.id)):
            raise DomainError("draw-promised", draw=rule.id)


def _promise(rule: PrizeDraw) -> PrizeDraw:
    """All but what it is called."""
    return msgspec.structs.replace(rule, names=Names(zh="", en=""))


def _state(snapshot: Snapshot, rule: PrizeDraw) -> DrawState:
    runs = list(_runs(snapshot, rule.id))
    sold = [*_entries(snapshot, rule.id, before=runs[0].server_seq if runs else None)]
    late = sum(1 for _ in _entries(snapshot, rule.id)) - len(sold)
    facts = [read_fact(decode_entry(run.bytes).envelope) for run in runs]
    wins = tuple(win for fact in facts if isinstance(fact, DrawRun) for win in fact.wins)
    return DrawState(
        rule=rule,
        entries=tuple(entry for entry, _member in sold),
        late=late,
        wins=wins if runs else None,
    )


def _runs(snapshot: Snapshot, draw: str) -> Iterator[Row[Any, Any]]:
    """The facts of a draw's run, in their order."""
    statement = (
        select(entries.c.server_seq, entries.c.bytes)
        .where(entries.c.shard == snapshot.shard, entries.c.kind == DrawRun.kind)
        .order_by(entries.c.server_seq)
    )
    for row in snapshot.connection.execute(statement):
        fact = read_fact(decode_entry(row.bytes).envelope)
        if isinstance(fact, DrawRun) and fact.draw == draw:
            yield row


def _entries(
    snapshot: Snapshot, draw: str, *, before: int | None = None
) -> Iterator[tuple[str, MemberId]]:
    """Every entry that is booked, with who bought it."""
    statement = (
        select(postings.c.entry_id, postings.c.owner, postings.c.amount)
        .join(
            entries,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .where(
            postings.c.shard == snapshot.shard,
            postings.c.account == AccountKind.DRAW_ENTRY.value,
            postings.c.lot == draw,
            postings.c.amount > 0,
            # A merge moves entries; they are the same ones.
            entries.c.kind == DrawEntered.kind,
        )
        .order_by(entries.c.server_seq)
    )
    if before is not None:
        statement = statement.where(entries.c.server_seq < before)
    for entry_id, owner, amount in snapshot.connection.execute(statement):
        for number in range(1, amount + 1):
            yield f"{entry_id}/{number}", MemberId(owner)


def _tills(snapshot: Snapshot) -> Sequence[Row[Any]]:
    statement = (
        select(tills.c.name, tills.c.journal, tills.c.last_contact_at, tills.c.unsent_told)
        .add_columns(stores.c.zone)
        .join(stores, (stores.c.shard == tills.c.shard) & (stores.c.store_id == tills.c.store_id))
        .where(tills.c.shard == snapshot.shard, tills.c.journal.is_not(None))
        .order_by(tills.c.number)
    )
    return snapshot.connection.execute(statement).all()


def _wall(at: datetime, zone: str) -> datetime:
    """What a store's clock shows, as programmes mean it."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
