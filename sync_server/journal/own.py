"""The server's own journal: what it does is a fact too, chained and signed like a till's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import msgspec
from sqlalchemy import select

from shared.clock import Clock, HybridClock, HybridTime, hybrid_milliseconds
from shared.errors import EnvironmentFault, ProtocolError
from shared.ids import EntryId, JournalId
from shared.journal.certificate import decode_certificate, sign_head
from shared.journal.chain import ChainHead
from shared.journal.keys import SigningKey
from shared.journal.strict import INTEGER_MAX
from shared.trade.server import ExceptionEffect, ExceptionRaised
from shared.trade.writing import Scribe, Writing
from sync_server.database import schema
from sync_server.database.times import format_time
from sync_server.database.transaction import Work
from sync_server.journal.chains import Chain, keep_signature, move_head, read_chains
from sync_server.ledger.booking import book
from sync_server.ledger.finding import Finding
from sync_server.ledger.kept import Kept, Place, link_of, read_link

WITNESS_AHEAD_MS_MAX = 10 * 60 * 1000
"""A till's clock further ahead than this does not move the server's."""


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """Writes the server's facts inside the transactions that make them true."""

    journal: JournalId
    clock: Clock
    hybrid: HybridClock
    key: SigningKey

    def write(self, work: Work, writings: Sequence[Writing]) -> list[EntryId]:
        """Append facts, book them and sign the new head.

        Raises EnvironmentFault ``signing-key-changed`` where another process changed the key: what
        the old one signed from here on would be found as forged.
        """
        if not writings:
            return []
        chain = read_chains(work, self.journal)[-1]
        key_id = decode_certificate(chain.certificate).key_id
        if key_id != self.key.id:
            raise EnvironmentFault("signing-key-changed", key=key_id)
        # Another process may have written the last entry, on a machine whose clock is ahead.
        self.hybrid.witness(_last_time(work, chain))
        scribe = Scribe(self.clock, self.hybrid, UTC)
        head = ChainHead(chain.journal, chain.epoch, chain.next_seq, chain.head_hash)
        kept: list[Kept] = []
        for writing in writings:
            head, chained = scribe.write(head, writing)
            outcome = read_link(link_of(chained))
            assert not isinstance(outcome, ProtocolError), outcome
            place = Place(chain.journal, chain.epoch, chained.envelope.seq)
            kept.append(Kept(place, link_of(chained), outcome))
        now = format_time(self.clock.now())
        book(work, kept, now)
        move_head(work, chain.journal, chain.epoch, next_seq=head.next_seq, head_hash=head.hash)
        self._sign(work, replace(chain, next_seq=head.next_seq, head_hash=head.hash), now)
        ids = [EntryId(str(each.link.envelope.id)) for each in kept if each.link.envelope]
        work.insert(schema.attachments, _attachment_rows(ids, writings))
        return ids

    def raise_exceptions(self, work: Work, findings: Sequence[Finding]) -> None:
        """Write each finding as a fact, once for its natural key."""
        new = self._new(work, findings)
        writings = [_exception(finding) for finding in new]
        ids = self.write(work, writings)
        now = format_time(self.clock.now())
        pairs = list(zip(ids, new, strict=True))
        work.insert(
            schema.natural_keys,
            [{"natural_key": found.natural_key, "entry_id": entry} for entry, found in pairs],
        )
        work.insert(
            schema.exceptions,
            [
                {
                    "entry_id": entry,
                    "natural_key": found.natural_key,
                    "rule": found.rule.value,
                    "member_id": found.member_id,
                    "raised_at": now,
                }
                for entry, found in pairs
            ],
        )
        facts = [
            {"entry_id": entry, "fact_id": fact} for entry, found in pairs for fact in found.facts
        ]
        work.insert(schema.exception_facts, facts)

    def witness(self, other: HybridTime) -> None:
        """Let later facts of the server come after what a till has seen."""
        now_ms = int(self.clock.now().timestamp() * 1000)
        if hybrid_milliseconds(other) - now_ms <= WITNESS_AHEAD_MS_MAX:
            self.hybrid.witness(other)

    def _new(self, work: Work, findings: Sequence[Finding]) -> list[Finding]:
        by_key = {finding.natural_key: finding for finding in reversed(findings)}
        columns = schema.natural_keys.c
        statement = select(columns.natural_key).where(
            columns.shard == work.shard, columns.natural_key.in_(list(by_key))
        )
        written = set(work.connection.execute(statement).scalars()) if by_key else set()
        return [by_key[key] for key in reversed(by_key) if key not in written]

    def _sign(self, work: Work, chain: Chain, now: str) -> None:
        seq = chain.next_seq - 1
        signature = sign_head(
            self.key, journal=chain.journal, epoch=chain.epoch, seq=seq, head_hash=chain.head_hash
        )
        keep_signature(
            work,
            chain,
            seq=seq,
            head_hash=chain.head_hash,
            key_id=self.key.id,
            signature=signature,
            received_at=now,
        )


def _last_time(work: Work, chain: Chain) -> HybridTime:
    columns = schema.entries.c
    found = work.connection.execute(
        select(columns.hlc).where(
            columns.shard == work.shard,
            columns.journal == chain.journal,
            columns.epoch == chain.epoch,
            columns.seq == chain.next_seq - 1,
        )
    ).scalar()
    return HybridTime(found or "0")


def _writable(effect: ExceptionEffect) -> ExceptionEffect:
    """An effect of facts with absurd figures, as far as an entry can hold its amount."""
    within = max(-INTEGER_MAX, min(effect.amount, INTEGER_MAX))
    return msgspec.structs.replace(effect, amount=within)


def _exception(finding: Finding) -> Writing:
    fact = ExceptionRaised(
        natural_key=finding.natural_key,
        rule=finding.rule.value,
        member_id=finding.member_id,
        effects=tuple(map(_writable, finding.effects)),
    )
    return Writing(fact, depends_on=finding.facts)


def _attachment_rows(
    ids: Sequence[EntryId], writings: Sequence[Writing]
) -> list[dict[str, object]]:
    return [
        {
            "attachment_id": attachment.id,
            "entry_id": entry_id,
            "role": role,
            "salt": attachment.salt,
            "content": attachment.content,
        }
        for entry_id, writing in zip(ids, writings, strict=True)
        for role, attachment in writing.attachments
    ]
