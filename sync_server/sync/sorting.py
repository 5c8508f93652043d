"""Entries of a push told apart: new facts, facts that are kept already, ids used again."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.journal.entry import decode_entry
from sync_server.database import schema
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.transaction import Work
from sync_server.journal.chains import Chain
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Kept, Link, Place, Reading

_STORED: Final = select(schema.entries.c.id, schema.entries.c.bytes).where(
    schema.entries.c.shard == bindparam("shard"), among_told(schema.entries.c.id, "ids")
)
"""Asked with every push: made once."""

Arrived = tuple[Link, Reading | ProtocolError]


def sort_entries(
    work: Work, chain: Chain, new: Sequence[Arrived]
) -> tuple[list[Kept], list[Finding]]:
    """What becomes of entries that a chain does not have."""
    ids = [link.envelope.id for link, _outcome in new if link.envelope]
    stored = _stored_facts(work, ids)
    kept: list[Kept] = []
    findings: list[Finding] = []
    for link, outcome in new:
        entry_id = link.envelope.id if link.envelope else None
        place = Place(chain.journal, chain.epoch, link.seq)
        if entry_id is None or entry_id not in stored:
            kept.append(Kept(place, link, outcome))
            if entry_id is not None:
                stored[entry_id] = link.encoded
            continue
        kept.append(Kept(place, link, outcome, repeats=entry_id))
        if not _same_fact(stored[entry_id], link.encoded):
            findings.append(_reused_finding(entry_id, place))
    return kept, findings


def _stored_facts(work: Work, ids: Sequence[EntryId]) -> dict[EntryId, bytes]:
    told = {"shard": work.shard, "ids": rows_of_keys(ids)}
    return {EntryId(found): encoded for found, encoded in work.connection.execute(_STORED, told)}


def _same_fact(stored: bytes, sent: bytes) -> bool:
    """Whether two entries of one id say the same; place and clock may differ."""
    try:
        first, second = decode_entry(stored).envelope, decode_entry(sent).envelope
    except ProtocolError:
        return stored == sent
    return (first.kind, first.version, first.body) == (second.kind, second.version, second.body)


def _reused_finding(entry_id: EntryId, place: Place) -> Finding:
    return Finding(
        rule=Rule.ID_REUSED,
        natural_key=f"entry-id-reused:{place.journal}:{place.epoch}:{place.seq}",
        facts=(entry_id,),
    )
