"""Stores kept entries with everything that is derived from them, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select

from shared.ids import LotId, MemberId
from shared.ledger.account import MEMBER_ACCOUNTS, AccountKind
from shared.ledger.balance import Balances, fold
from shared.ledger.lot import LotTerms, lot_terms, lots_living_on
from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database import schema
from sync_server.database.among import among
from sync_server.database.bulk import insert_rows
from sync_server.database.transaction import Work
from sync_server.ledger.fiscal import note_fiscal
from sync_server.ledger.kept import Kept, Reading
from sync_server.members.regions import note_seen
from sync_server.members.roll import concerns, note_standing

Row = dict[str, Any]


def book(work: Work, kept: Sequence[Kept], received_at: str) -> None:
    """Store entries verbatim, and book what each newly says."""
    _store(work, kept, received_at)
    book_readings(work, [reading for each in kept if (reading := each.booked)], received_at)


def book_readings(work: Work, readings: Sequence[Reading], now: str) -> None:
    """Book what entries say that are stored already."""
    rows = [row for reading in readings for row in _postings(work.shard, reading)]
    if rows:
        insert_rows(work.connection, schema.postings, _OF_POSTING, rows)
    add_to_balances(work, fold(posting for reading in readings for posting in reading.postings))
    work.put(schema.lots, _lots(readings), _JOINED)
    work.insert(schema.tickets, [row for reading in readings for row in _ticket(reading)])
    work.insert(schema.returned_lines, [row for r in readings for row in _returned(r)])
    work.insert(
        schema.member_entries,
        [
            {"member_id": member, "entry_id": reading.id}
            for reading in readings
            for member in concerns(reading.fact)
        ],
    )
    note_fiscal(work, readings)
    note_standing(work, readings, _holders(work, readings))
    note_seen(work, readings, today=now[:10])


def add_to_balances(work: Work, changes: Balances) -> None:
    """Move balances by the sums of a batch."""
    rows = [{**account_row(account), "amount": amount} for account, amount in changes.items()]
    work.put(schema.balances, rows, "amount = balances.amount + excluded.amount")


def account_row(account: Any) -> Row:
    """An account as columns."""
    return {
        "account": account.kind.value,
        "owner": account.owner,
        "lot": account.lot,
        "unit": account.unit,
    }


def _store(work: Work, kept: Sequence[Kept], received_at: str) -> None:
    numbers = work.take(len(kept))
    rows = [_entry(each, received_at, number) for each, number in zip(kept, numbers, strict=True)]
    work.insert(schema.entries, rows)
    work.insert(
        schema.quarantine, [row for each in kept for row in _quarantined(each, received_at)]
    )


def _entry(kept: Kept, received_at: str, server_seq: int) -> Row:
    place, link, known = kept.place, kept.link, kept.link.envelope
    return {
        "journal": place.journal,
        "epoch": place.epoch,
        "seq": place.seq,
        "id": known.id if known and kept.repeats is None else None,
        "repeats": kept.repeats,
        "kind": known.kind if known else "",
        "hlc": known.hlc if known else "",
        "occurred_at": known.occurred_at if known else "",
        "prev_hash": link.prev_hash,
        "hash": link.hash,
        "bytes": link.encoded,
        "received_at": received_at,
        "server_seq": server_seq,
    }


def _quarantined(kept: Kept, received_at: str) -> Iterable[Row]:
    if isinstance(kept.outcome, Reading) or kept.repeats is not None:
        return
    envelope = kept.link.envelope
    detail = str(kept.outcome.fields.get("reason", kept.outcome.fields.get("kind", "")))
    yield {
        "journal": kept.place.journal,
        "epoch": kept.place.epoch,
        "seq": kept.place.seq,
        "entry_id": envelope.id if envelope else None,
        "reason": kept.outcome.code,
        "detail": detail.replace("\0", " ")[:200],
        "received_at": received_at,
        "resolved_at": None,
    }


_KINDS: Final = {kind: kind.value for kind in AccountKind}
_OF_POSTING: Final = (
    *("shard", "entry_id", "position"),
    *("account", "owner", "lot", "unit", "amount"),
)


def _postings(shard: int, reading: Reading) -> Iterable[tuple[Any, ...]]:
    """Most rows of all by far, so they are made as the database takes them."""
    for position, (account, amount) in enumerate(reading.postings):
        kind, owner, lot, unit = account
        yield shard, reading.id, position, _KINDS[kind], owner, lot, unit, amount


_JOINED: Final = """
    member_id = CASE WHEN lots.earned_on = '' THEN excluded.member_id ELSE lots.member_id END,
    earned_on = CASE WHEN lots.earned_on = '' THEN excluded.earned_on ELSE lots.earned_on END,
    expires_on = CASE
        WHEN lots.earned_on <> '' AND lots.expires_on IS NULL THEN NULL
        WHEN excluded.earned_on <> '' AND excluded.expires_on IS NULL THEN NULL
        WHEN lots.expires_on > excluded.expires_on THEN lots.expires_on
        ELSE excluded.expires_on END
"""
"""``LotTerms.joined``, between what is known and what is new."""


def _lots(readings: Sequence[Reading]) -> list[Row]:
    """A lot has the same terms for everybody who has points in it: the first row tells them."""
    found: dict[LotId, LotTerms] = {}
    for reading in readings:
        opened = lot_terms(reading.envelope, reading.fact)[:1]
        for terms in (*opened, *lots_living_on(reading.fact)):
            known = found.get(terms.lot)
            found[terms.lot] = known.joined(terms) if known else terms
    return [terms._asdict() for terms in found.values()]


def _holders(work: Work, readings: Sequence[Reading]) -> list[MemberId]:
    """Who has something in lots whose terms a return changes: not only whose return it is, for a
    referral pays two members out of one sale, and their tills show its last day, too."""
    changed = list({terms.lot for one in readings for terms in lots_living_on(one.fact)})
    if not changed:
        return []
    columns = schema.postings.c
    # A lot has the name of the entry that opened it.
    statement = select(columns.owner).where(
        columns.shard == work.shard,
        among(columns.entry_id, changed),
        columns.account.in_([kind.value for kind in MEMBER_ACCOUNTS]),
    )
    return sorted({MemberId(owner) for owner in work.connection.execute(statement).scalars()})


def _ticket(reading: Reading) -> Iterable[Row]:
    fact: Fact = reading.fact
    if isinstance(fact, SaleCompleted | SaleReturned):
        yield {
            "entry_id": reading.id,
            "receipt_no": fact.receipt_no,
            "original": fact.original if isinstance(fact, SaleReturned) else None,
            "member_id": fact.member.member_id if fact.member else None,
        }


def _returned(reading: Reading) -> Iterable[Row]:
    fact = reading.fact
    if isinstance(fact, SaleReturned) and fact.original is not None:
        for position, line in enumerate(fact.lines):
            yield {
                "entry_id": reading.id,
                "line": position,
                "original": fact.original,
                "of_line": line.of_line,
                "quantity": line.quantity,
            }
