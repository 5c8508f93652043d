"""Wrote the frozen journals of release 1 and, for what came later, 2 and 3.

Kept to show how; a later release adds a file of its own.

Running it again must give the same bytes: clock, keys and random source are fixed.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.clock import HybridClock, ManualClock
from shared.ids import EntryId, JournalId
from shared.journal.attachment import attach
from shared.journal.certificate import (
    HASH_ALGORITHM,
    SIGNATURE_ALGORITHM,
    Certificate,
    encode_certificate,
    sign_head,
)
from shared.journal.chain import begin_chain
from shared.journal.keys import SigningKey
from shared.ledger.posting import RULES
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from shared.trade.writing import Scribe, Writing
from tests.support import every_fact, taxed_cards

JOURNAL = JournalId("0b0c0d0e-0000-4000-8000-000000000001")


class Counter:
    """A random source that only counts."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, size: int) -> bytes:
        """The next bytes."""
        self._count += 1
        return hashlib.sha256(self._count.to_bytes(8, "big")).digest()[:size].ljust(size, b"\0")


def frozen_journal(facts: Sequence[Fact] | None = None) -> dict[str, object]:
    """The journal of a till whose day has one fact of every kind."""
    key = SigningKey(bytes(range(32)))
    random = Counter()
    clock = ManualClock(datetime(2026, 3, 1, 1, 0, tzinfo=UTC))
    certificate = encode_certificate(
        Certificate(
            journal=JOURNAL,
            epoch=1,
            shard=0,
            till_id=every_fact.TILL,
            store_id=every_fact.STORE,
            till_number=1,
            hash_algorithm=HASH_ALGORITHM,
            signature_algorithm=SIGNATURE_ALGORITHM,
            public_key=str(key.public),
            key_id=key.id,
            issued_at="2026-03-01T00:00:00.000+00:00",
            forked_from=None,
        )
    )
    head = begin_chain(JOURNAL, 1, certificate)
    genesis = head.hash.hex()
    scribe = Scribe(clock, HybridClock(clock), ZoneInfo("Asia/Shanghai"), random)
    rows = []
    for number, fact in enumerate(every_fact.all_facts() if facts is None else facts):
        clock.advance(seconds=7)
        attached = attach(b'{"name":"\xe7\x8e\x8b"}', random_bytes=random)
        is_sale = fact.kind == "sale_completed"
        writing = Writing(
            fact,
            business_date=date(2026, 3, 1) if number % 3 else None,
            depends_on=(every_fact.SALE_ID,) if fact.kind == "sale_returned" else (),
            attachments=(("profile", attached),)
            if fact.kind in {"member_enrolled", "member_changed"}
            else (),
        )
        head, chained = scribe.write(head, writing, every_fact.SALE_ID if is_sale else None)
        postings = RULES.post(
            EntryId(chained.id), read_fact(chained.envelope), post_version=fact.post_version
        )
        rows.append(
            {
                "bytes": chained.entry.encoded.decode(),
                "hash": chained.hash.hex(),
                "postings": [[*posting.account, posting.amount] for posting in postings],
            }
        )
    signature = sign_head(key, journal=JOURNAL, epoch=1, seq=head.last_seq, head_hash=head.hash)
    return {
        "certificate": certificate.decode(),
        "genesis": genesis,
        "entries": rows,
        "head_signature": signature.hex(),
    }


if __name__ == "__main__":
    later = {
        "2": every_fact.since_release_1,
        "3": every_fact.since_release_2,
        "members": every_fact.about_members,
        "partners": every_fact.of_partners_and_batches,
        "lots-that-live-on": every_fact.of_lots_that_live_on,
        "profiles": every_fact.about_profiles,
        "keys": every_fact.about_keys,
        "signatures": every_fact.about_signatures,
        "taxed-cards": taxed_cards.taxed_card_facts,
        "papers": every_fact.about_papers,
        "tiers": every_fact.about_tiers,
    }
    newer = later[sys.argv[2]]() if sys.argv[2:] else None
    text = json.dumps(frozen_journal(newer), ensure_ascii=False, indent=1)
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
