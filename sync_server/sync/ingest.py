"""Push: one transaction that keeps what a till wrote, books it, and says where the copy stands.

An authentic fact is never refused: the money has changed hands. What is known is skipped by
comparing hashes, what contradicts it becomes a branch, what cannot be read goes to quarantine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
from sqlalchemy import bindparam, update

from shared.clock import Clock, HybridTime
from shared.errors import ProtocolError
from shared.journal.attachment import Attachment
from shared.journal.certificate import Certificate, ForkPoint, encode_certificate
from shared.journal.chain import ChainHead
from shared.journal.keys import KeyId, sign_statement
from shared.protocol.message import PushReply, PushRequest
from sync_server.database import schema
from sync_server.database.fair_lock import FairLock
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Work
from sync_server.enrolment.revoking import is_revoked
from sync_server.journal.chains import (
    Chain,
    ChainReader,
    add_epoch,
    find_certificate,
    keep_signature,
    move_head,
    next_epoch,
    read_chains,
)
from sync_server.journal.closed import find_written_after_loss
from sync_server.journal.forks import fork_key
from sync_server.journal.holes import Hole, dig, fill
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import KnownKeys
from sync_server.keys.vault import Vault
from sync_server.ledger.booking import book
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Kept, Reading, read_till_link
from sync_server.members.merging import Merging
from sync_server.members.profile_facts import Arrival, is_ahead, profile_facts_among
from sync_server.members.profiles import settle_profiles
from sync_server.points.recovery import Recovery
from sync_server.sync.adopting import adopt
from sync_server.sync.attachments import keep_attachments
from sync_server.sync.batch import Batch, prove, walk
from sync_server.sync.grouping import SMALL, Groups
from sync_server.sync.misuse import find_misuse
from sync_server.sync.outcome import Outcome, read_outcome
from sync_server.sync.placing import Placing, place_batch
from sync_server.sync.sorting import sort_entries

_NOTE_CONTACT: Final = (
    update(schema.tills)
    .where(
        schema.tills.c.shard == bindparam("of_shard"),
        schema.tills.c.till_id == bindparam("of_till"),
    )
    .values(last_contact_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Takes pushes."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    keys: KnownKeys
    merging: Merging
    recovery: Recovery
    groups: Groups
    adopted: Callable[[Work, Certificate], None]
    """Lets what was told to a till concern an epoch that comes only now."""
    proving: FairLock = field(default_factory=FairLock)
    known_keys: set[KeyId] = field(default_factory=set)
    """Whose epochs are known to be here; no epoch ever goes."""

    def push(self, request: PushRequest) -> PushReply:
        """Take a push; ProtocolError says why not (``batch.prove``, ``placing.place_batch``)."""
        batch = self._prove(request)
        kept = self.keep(batch)
        self.own.witness(HybridTime(request.hlc))
        return PushReply(
            next_seq=kept.chain.next_seq,
            head_hash=kept.chain.head_hash,
            durable_seq=kept.safe.next_seq,
            exceptions=kept.notices,
            server_time=format_time(self.clock.now()),
            hlc=self.own.hybrid.tick(),
            backup_at=kept.safe.backup_at,
            enrol_again=kept.enrol_again,
            head_signature=kept.proof,
        )

    def _prove(self, request: PushRequest) -> Batch:
        """One great push at a time: threads that reckon take turns of milliseconds each, and who
        holds the writer's lock would wait for all of them after every statement."""
        if len(request.entries) <= SMALL:
            return prove(request, self.keys.author_of)
        with self.proving:
            return prove(request, self.keys.author_of)

    def keep(self, batch: Batch) -> Outcome:
        """Take a push that is proved; ProtocolError as ``placing.place_batch`` says."""
        self._adopt(batch)
        return self.groups.run(lambda work: self._take_in(work, batch), size=len(batch.links))

    def _take_in(self, work: Work, batch: Batch) -> Outcome:
        return read_outcome(work, batch, self._keep(work, batch))

    def _adopt(self, batch: Batch) -> None:
        """Take in an epoch that was given before a restore, in a transaction of its own: the push
        itself may be answered with where to begin."""
        key_id = batch.certificate.key_id
        if key_id in self.known_keys:
            return
        with self.database.reading() as snapshot:
            if find_certificate(snapshot, key_id) is not None:
                self.known_keys.add(key_id)
                return
        # A key that was taken back gives no new epochs.
        self.keys.key_for(batch.request.certificate)
        now = format_time(self.clock.now())
        with self.database.writing() as work:
            found = adopt(work, batch.certificate, batch.request.certificate, now)
            if found is not None:
                self.own.raise_exceptions(work, [found])
                self.adopted(work, batch.certificate)

    def _keep(self, work: Work, batch: Batch) -> Chain:
        chains = read_chains(work, batch.request.journal)
        placing = place_batch(ChainReader(work, chains), chains, batch)
        now = format_time(self.clock.now())
        findings: list[Finding] = []
        chain = placing.chain
        if placing.forks_at is not None:
            chain = self._branch(work, placing, batch, now)
            findings.append(_fork_finding(placing, batch))
        if placing.digs is not None:
            dig(work, placing.digs, now)
            findings.append(_hole_finding(placing.digs))
        outcomes: Sequence[Reading | ProtocolError] = batch.outcomes
        is_trusted = not is_revoked(work, batch.certificate.key_id)
        if not is_trusted:
            outcomes = [ProtocolError("revoked-till") for _link in batch.links]
        arrived = zip(batch.links, outcomes, strict=True)
        new = [(link, outcome) for link, outcome in arrived if link.seq not in placing.known]
        kept, reused = sort_entries(work, chain, new)
        findings += reused
        findings += find_written_after_loss(work, batch.request.journal, batch.request.epoch, kept)
        findings += self._book(
            work,
            batch.outcomes,
            batch.request.attachments,
            kept,
            now,
            is_trusted=is_trusted,
            sent_at=HybridTime(batch.request.hlc),
        )
        last_seq = batch.next_seq - 1
        head_hash = batch.request.head_hash
        if placing.fills is not None:
            _fill(work, placing.fills, batch, now)
        if batch.next_seq > chain.next_seq:
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

    def refill(
        self, hole: Hole, encoded: Sequence[bytes], attachments: Sequence[Attachment]
    ) -> int:
        """Keep and book entries that were found again, from the hole's first one on; how many.

        Raises ProtocolError ``broken-chain`` where they do not lead to what is kept behind it.
        """
        now = format_time(self.clock.now())
        with self.database.writing() as work:
            chains = read_chains(work, hole.journal)
            chain = next(chain for chain in chains if chain.epoch == hole.epoch)
            head = ChainHead(hole.journal, chain.written_epoch, hole.first_seq, hole.hash_before)
            links = walk(head, encoded)
            last = links[-1]
            if last.seq == hole.stop_seq - 1 and last.hash != hole.hash_at_end:
                raise ProtocolError("broken-chain", epoch=hole.epoch, seq=last.seq)
            outcomes = [read_till_link(link) for link in links]
            kept, findings = sort_entries(work, chain, list(zip(links, outcomes, strict=True)))
            findings += self._book(work, outcomes, attachments, kept, now)
            fill(work, hole, next_seq=last.seq + 1, head_hash=last.hash, now=now)
            self.own.raise_exceptions(work, findings)
        return len(links)

    def _book(
        self,
        work: Work,
        outcomes: Sequence[Reading | ProtocolError],
        attachments: Sequence[Attachment],
        kept: Sequence[Kept],
        now: str,
        *,
        is_trusted: bool = True,
        sent_at: HybridTime | None = None,
    ) -> list[Finding]:
        readings = [reading for each in kept if (reading := each.booked)]
        findings = find_misuse(work, readings)
        book(work, kept, now)
        repeated = {each.repeats for each in kept if each.repeats}
        vouching = [
            outcome
            for outcome in outcomes
            if isinstance(outcome, Reading) and outcome.id not in repeated
        ]
        proved, unproven = keep_attachments(work, vouching, attachments)
        # Of a key that is trusted no more, personal data is kept for whoever decides, and not used.
        telling = proved if is_trusted else []
        now_ms = int(self.clock.now().timestamp() * 1000)
        arrival = Arrival(now_ms=now_ms, is_ahead=sent_at is not None and is_ahead(sent_at, now_ms))
        facts = profile_facts_among(readings, telling)
        claimed = settle_profiles(work, facts, self.vault.lookup, arrival)
        self.merging.follow(work, readings)
        self.recovery.follow(work, readings)
        return [*findings, *unproven, *claimed]

    def _branch(self, work: Work, placing: Placing, batch: Batch, now: str) -> Chain:
        """Open a fresh epoch for entries that contradict the ones kept."""
        assert placing.forks_at is not None
        parent = placing.chain
        fork = ForkPoint(parent.epoch, placing.forks_at)
        epoch = next_epoch(work, parent.journal)
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


def _fork_finding(placing: Placing, batch: Batch) -> Finding:
    assert placing.forks_at is not None
    sent = batch.links[placing.forks_at - batch.request.first_seq]
    both = (placing.contradicted, sent.envelope.id if sent.envelope else None)
    journal = batch.request.journal
    return Finding(
        rule=Rule.FORK,
        natural_key=fork_key(journal, placing.chain.epoch, placing.forks_at, sent.hash),
        facts=tuple(dict.fromkeys(fact for fact in both if fact is not None)),
    )


def _hole_finding(hole: Hole) -> Finding:
    return Finding(
        rule=Rule.HOLE,
        natural_key=f"hole:{hole.journal}:{hole.epoch}:{hole.first_seq}:{hole.stop_seq}",
        facts=(),
    )


def _fill(work: Work, hole: Hole, batch: Batch, now: str) -> None:
    last = [link for link in batch.links if hole.misses(link.seq)][-1]
    fill(work, hole, next_seq=last.seq + 1, head_hash=last.hash, now=now)


def _note_contact(work: Work, batch: Batch, now: str) -> None:
    told = {"of_shard": work.shard, "of_till": batch.certificate.till_id, "now": now}
    work.connection.execute(_NOTE_CONTACT, told)
