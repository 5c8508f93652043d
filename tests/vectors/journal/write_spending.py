"""Wrote the frozen journal of leases, stored value and gift cards, beside the one of release 1.

Running it again must give the same bytes: clock, keys and random source are fixed.
"""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.clock import HybridClock, ManualClock
from shared.ids import EntryId
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
from shared.trade.kinds import read_fact
from shared.trade.writing import Scribe, Writing
from tests.support import every_fact, every_spending


def frozen_journal() -> dict[str, object]:
    """The journal of a till with one fact of every kind that is about spending."""
    key = SigningKey(bytes(range(32)))
    clock = ManualClock(datetime(2026, 3, 1, 1, 0, tzinfo=UTC))
    journal = every_spending.JOURNAL
    certificate = encode_certificate(
        Certificate(
            journal=journal,
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
    head = begin_chain(journal, 1, certificate)
    genesis = head.hash.hex()
    scribe = Scribe(clock, HybridClock(clock), ZoneInfo("Asia/Shanghai"))
    rows = []
    for number, fact in enumerate(every_spending.spending_facts()):
        clock.advance(seconds=7)
        entry_id = EntryId(f"01900000-0000-7000-8000-{number:012}")
        writing = Writing(fact, business_date=date(2026, 3, 1))
        head, chained = scribe.write(head, writing, entry_id)
        told = read_fact(chained.envelope)
        postings = RULES.post(entry_id, told, post_version=fact.post_version)
        rows.append(
            {
                "bytes": chained.entry.encoded.decode(),
                "hash": chained.hash.hex(),
                "postings": [[*posting.account, posting.amount] for posting in postings],
            }
        )
    signature = sign_head(key, journal=journal, epoch=1, seq=head.last_seq, head_hash=head.hash)
    return {
        "certificate": certificate.decode(),
        "genesis": genesis,
        "entries": rows,
        "head_signature": signature.hex(),
    }


if __name__ == "__main__":
    text = json.dumps(frozen_journal(), ensure_ascii=False, indent=1)
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
