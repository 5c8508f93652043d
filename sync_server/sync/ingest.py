"""Push: one transaction that keeps what a till wrote, books it, and says where the copy stands.

An authentic fact is never refused: the money has changed hands. What is known is skipped by
comparing hashes, what contradicts it becomes a branch, what cannot be read goes to quarantine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import select, update

from shared.clock import Clock, HybridTime
from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.journal.certificate import ForkPoint, encode_certificate
from shared.journal.entry import decode_entry
from shared.journal.keys import sign_statement
from shared.protocol.message import ExceptionNotice, PushReply, PushRequest
from sync_server.database import schema
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Work
from sync_server.journal.chains import (
    Chain,
    ChainReader,
    add_epoch,
    keep_signature,
    move_head,
    read_chains,
)
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault
from sync_server.leases.claims import settle_leases
from sync_server.ledger.booking import book
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Kept, Place, Reading
from sync_server.ledger.overreturning import find_overreturning
from sync_server.ledger.overspending import find_overspending
from sync_server.members.profiles import enrol, enrolments
from sync_server.sync.attachments import keep_attachments
from sync_server.sync.batch import Batch, prove
from sync_server.sync.placing import Placing, place_batch

NOTICES_MAX = 100


@dataclass(frozen=True, slots=True)
class Ingest:
    """Takes pushes."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault

    def push(self, request: PushRequest) -> PushReply:
        """Take a push; ProtocolError says why not (``batch.prove``, ``placing.place_batch``)."""
        batch = prove(request, self.vault.signing.public)
        with self.database.writing() as work:
            chain = self._keep(work, batch)
            notices = _notices(work, batch)
        self.own.witness(HybridTime(request.hlc))
        return PushReply(
            next_seq=chain.next_seq,
            head_hash=chain.head_hash,
            durable_seq=0,
            exceptions=notices,
            server_time=format_time(self.clock.now()),
            hlc=self.own.hybrid.tick(),
        )

    def _keep(self, work: Work, batch: Batch) -> Chain:
        chains = read_chains(work, batch.request.journal)
        placing = place_batch(ChainReader(work, chains), chains, batch)
        now = format_time(self.clock.now())
        findings: list[Finding] = []
        chain = placing.chain
        if placing.forks_at is not None:
            chain = self._branch(work, placing, batch, chains, now)
            findings.append(_fork_finding(placing, batch))
        kept, reused = _kept(work, chain, batch, placing.known)
        findings += reused
        findings += self._book(work, batch, kept, now)
        last_seq = batch.next_seq - 1
        head_hash = batch.request.head_hash
        if kept:
            chain = replace(chain, next_seq=batch.next_seq, head_hash=head_hash)
            move_head(
                work,
                chain.journal,
                chain.epoch,
                next_seq=chain.next_seq,
                head_hash=chain.head_hash,
            )
        if last_seq >= 0:
            keep_signature(
                work,
                chain,
                seq=last_seq,
                head_hash=head_hash,
                key_id=batch.certificate.key_id,
                signature=batch.request.head_signature,
                received_at=now,
            )
        self.own.raise_exceptions(work, findings)
        _note_contact(work, batch, now)
        return chain

    def _book(self, work: Work, batch: Batch, kept: Sequence[Kept], now: str) -> list[Finding]:
        readings = [reading for each in kept if (reading := each.booked)]
        findings = [*find_overspending(work, readings), *find_overreturning(work, readings)]
        findings += settle_leases(work, readings)
        book(work, kept, now)
        repeated = {each.repeats for each in kept if each.repeats}
        vouching = [
            outcome
            for outcome in batch.outcomes
            if isinstance(outcome, Reading) and outcome.id not in repeated
        ]
        proved, unproven = keep_attachments(work, vouching, batch.request.attachments)
        claimed = enrol(work, enrolments(readings, proved), self.vault.lookup)
        return [*findings, *unproven, *claimed]

    def _branch(
        self,
        work: Work,
        placing: Placing,
        batch: Batch,
        chains: Sequence[Chain],
        now: str,
    ) -> Chain:
        """Open a fresh epoch for entries that contradict the ones kept."""
        assert placing.forks_at is not None
        parent = placing.chain
        fork = ForkPoint(parent.epoch, placing.forks_at)
        epoch = 1 + max(chain.epoch for chain in chains)
        certificate = msgspec.structs.replace(
            batch.certificate, epoch=epoch, forked_from=fork, issued_at=now
        )
        encoded = encode_certificate(certificate)
        signed = sign_statement(
            self.vault.signing,
            purpose="certificate",
            audience=parent.journal,
            payload=encoded,
        )
        add_epoch(
            work,
            certificate=certificate,
            encoded=encoded,
            signed=msgspec.msgpack.encode(signed),
            created_at=now,
            written_epoch=batch.request.epoch,
            start=(placing.forks_at, placing.hash_at_fork),
        )
        return Chain(
            journal=parent.journal,
            epoch=epoch,
            written_epoch=batch.request.epoch,
            certificate=encoded,
            fork=fork,
            next_seq=placing.forks_at,
            head_hash=placing.hash_at_fork,
        )


def _kept(work: Work, chain: Chain, batch: Batch, known: int) -> tuple[list[Kept], list[Finding]]:
    """The entries above what is known, told apart by whether their fact is kept already."""
    new = list(zip(batch.links[known:], batch.outcomes[known:], strict=True))
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
    columns = schema.entries.c
    statement = select(columns.id, columns.bytes).where(
        columns.shard == work.shard, columns.id.in_(ids)
    )
    return {EntryId(found): encoded for found, encoded in work.connection.execute(statement)}


def _same_fact(stored: bytes, sent: bytes) -> bool:
    """Whether two entries of one id say the same; place and clock may differ."""
    try:
        first, second = decode_entry(stored).envelope, decode_entry(sent).envelope
    except ProtocolError:
        return stored == sent
    return (first.kind, first.version, first.body) == (second.kind, second.version, second.body)


def _fork_finding(placing: Placing, batch: Batch) -> Finding:
    assert placing.forks_at is not None
    sent = batch.links[placing.known]
    both = (placing.contradicted, sent.envelope.id if sent.envelope else None)
    journal = batch.request.journal
    return Finding(
        rule=Rule.FORK,
        natural_key=f"fork:{journal}:{placing.chain.epoch}:{placing.forks_at}:{sent.hash.hex()}",
        facts=tuple(dict.fromkeys(fact for fact in both if fact is not None)),
    )


def _reused_finding(entry_id: EntryId, place: Place) -> Finding:
    return Finding(
        rule=Rule.ID_REUSED,
        natural_key=f"entry-id-reused:{place.journal}:{place.epoch}:{place.seq}",
        facts=(entry_id,),
    )


def _notices(work: Work, batch: Batch) -> tuple[ExceptionNotice, ...]:
    """All exceptions about facts of this push, so that a repeat is told them again."""
    ids = [link.envelope.id for link in batch.links if link.envelope]
    about, raised = schema.exception_facts, schema.exceptions
    hit = select(about.c.entry_id).where(about.c.shard == work.shard, about.c.fact_id.in_(ids))
    statement = (
        select(raised.c.entry_id, raised.c.rule, about.c.fact_id)
        .join(about, (about.c.shard == raised.c.shard) & (about.c.entry_id == raised.c.entry_id))
        .where(raised.c.shard == work.shard, raised.c.entry_id.in_(hit))
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


def _note_contact(work: Work, batch: Batch, now: str) -> None:
    columns = schema.tills.c
    statement = (
        update(schema.tills)
        .where(columns.shard == work.shard, columns.till_id == batch.certificate.till_id)
        .values(last_contact_at=now)
    )
    work.connection.execute(statement)
