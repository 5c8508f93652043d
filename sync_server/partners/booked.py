"""What was booked of partners, as the journal tells it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from shared.ids import EntryId
from shared.journal.entry import decode_entry
from shared.loyalty.partners import AtPartner
from shared.trade.kinds import read_fact
from shared.trade.partner import PartnerReturned, PartnerSold
from sync_server.database.schema import IS_OF_PARTNERS, entries, natural_keys
from sync_server.database.transaction import Snapshot

AHEAD_MAX: Final = timedelta(days=1)
"""It may be tomorrow where the partner is."""
BEHIND_MAX: Final = timedelta(days=92)
"""Points that have lapsed since then may have paid; older ones are not brought back."""

OfPartner = PartnerSold | PartnerReturned


def key_of(partner: str, reference: str) -> str:
    """The natural key of a partner's own number."""
    return f"partner:{partner}:{reference}"


def figures(fact: OfPartner) -> AtPartner:
    """What a fact came to."""
    return AtPartner(fact.spend, fact.points, fact.paid, fact.points_spent)


def booked(snapshot: Snapshot, key: str) -> tuple[EntryId, OfPartner] | None:
    """What came under a natural key; None for one that is new."""
    statement = (
        select(entries.c.id, entries.c.bytes)
        .join(
            natural_keys,
            (natural_keys.c.shard == entries.c.shard) & (natural_keys.c.entry_id == entries.c.id),
        )
        .where(natural_keys.c.shard == snapshot.shard, natural_keys.c.natural_key == key)
    )
    row = snapshot.connection.execute(statement).first()
    fact = read_fact(decode_entry(row.bytes).envelope) if row is not None else None
    if row is None or not isinstance(fact, PartnerSold | PartnerReturned):
        return None
    return EntryId(row.id), fact


def of_days(snapshot: Snapshot, partner: str, first: date, last: date) -> list[OfPartner]:
    """What a partner sold and took back on these days."""
    # A day comes to be known from the day before it on, and not for ever.
    since, until = first - AHEAD_MAX, last + BEHIND_MAX + AHEAD_MAX
    return [
        fact
        for fact in _between(snapshot, since.isoformat(), until.isoformat())
        if fact.partner == partner and first.isoformat() <= fact.day <= last.isoformat()
    ]


def returns_of(snapshot: Snapshot, sale: PartnerSold) -> Sequence[PartnerReturned]:
    """What came back of a sale so far."""
    since = date.fromisoformat(sale.day) - AHEAD_MAX
    return [
        fact
        for fact in _between(snapshot, since.isoformat(), "9999")
        if isinstance(fact, PartnerReturned)
        and (fact.partner, fact.of_reference) == (sale.partner, sale.reference)
    ]


def _between(snapshot: Snapshot, since: str, until: str) -> Iterator[OfPartner]:
    statement = (
        select(entries.c.bytes)
        .where(
            entries.c.shard == snapshot.shard,
            IS_OF_PARTNERS,
            entries.c.received_at >= since,
            entries.c.received_at < until,
        )
        .order_by(entries.c.received_at, entries.c.server_seq)
    )
    for encoded in snapshot.connection.execute(statement).scalars():
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, PartnerSold | PartnerReturned):
            yield fact
