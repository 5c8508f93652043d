"""What a push is answered, as of the end of its transaction."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from shared.ids import EntryId
from shared.protocol.message import ExceptionNotice
from sync_server.backup.durability import Durability, durability_of
from sync_server.database import schema
from sync_server.database.among import among, among_told, rows_of_keys
from sync_server.database.transaction import Work
from sync_server.journal.chains import Chain, read_signature
from sync_server.journal.forks import should_enrol_again
from sync_server.sync.batch import Batch

NOTICES_MAX = 100
_ABOUT: Final = select(schema.exception_facts.c.entry_id).where(
    schema.exception_facts.c.shard == bindparam("shard"),
    among_told(schema.exception_facts.c.fact_id, "facts"),
)
"""Asked with every push: made once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the copy stands, and what was found."""

    chain: Chain
    notices: tuple[ExceptionNotice, ...]
    safe: Durability
    proof: bytes | None
    """The till's own signature of the head, where the server has more than was sent."""
    enrol_again: bool


def read_outcome(work: Work, batch: Batch, chain: Chain) -> Outcome:
    """What there is to say about a push that was kept."""
    is_ahead = chain.next_seq > batch.next_seq
    return Outcome(
        chain=chain,
        notices=_notices(work, batch),
        safe=durability_of(work, chain),
        proof=read_signature(work, chain, chain.next_seq - 1) if is_ahead else None,
        enrol_again=should_enrol_again(work, batch.request.journal, batch.request.epoch),
    )


def _notices(work: Work, batch: Batch) -> tuple[ExceptionNotice, ...]:
    """All exceptions about facts of this push, so that a repeat is told them again."""
    ids = [link.envelope.id for link in batch.links if link.envelope]
    about, raised = schema.exception_facts, schema.exceptions
    told = {"shard": work.shard, "facts": rows_of_keys(ids)}
    # Not DISTINCT, for which SQLite reads the whole table in order.
    found = set(work.connection.execute(_ABOUT, told).scalars())
    if not found:
        return ()
    statement = (
        select(raised.c.entry_id, raised.c.rule, about.c.fact_id)
        .join(about, (about.c.shard == raised.c.shard) & (about.c.entry_id == raised.c.entry_id))
        .where(raised.c.shard == work.shard, among(raised.c.entry_id, found))
        .order_by(raised.c.entry_id)
    )
    rules: dict[str, str] = {}
    facts: dict[str, list[EntryId]] = {}
    for entry_id, rule, fact in work.connection.execute(statement):
        rules[entry_id] = rule
        facts.setdefault(entry_id, []).append(EntryId(fact))
    return tuple(
        ExceptionNotice(id=EntryId(entry_id), rule=rules[entry_id], facts=tuple(linked))
        for entry_id, linked in list(facts.items())[:NOTICES_MAX]
    )
