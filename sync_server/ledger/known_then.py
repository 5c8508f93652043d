"""What the server knew of a member and of limited offers when a sale was made.

A till without a network knows less, and may say so; a forged sale claims what never was. Only what
had arrived before the sale is looked at, so that a verdict never depends on when the job ran.
"""

from collections.abc import Iterator
from datetime import date

import msgspec
from sqlalchemy import func, select

from shared.ids import MemberId
from shared.ledger.account import AccountKind
from shared.loyalty.programme import Programme
from shared.pricing.conditions import around_birthday
from shared.pricing.known import Asked, asked_by
from shared.trade.fact import KnownBefore, OfferUsed
from shared.trade.profile import birthday_of
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import entries, lots, members, postings
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import Audited
from sync_server.ledger.offer_uses import uses_before
from sync_server.members.segments import segments_of


def known_then(
    snapshot: Snapshot, entry: Audited, sale: SaleCompleted, today: date, programme: Programme
) -> KnownBefore | None:
    """What a sale says that it knew on a day, put right where the server knows better.

    For one that tells nothing, though its programme asks, what the server knows; None where it
    asks for nothing.
    """
    asked = asked_by(programme)
    if sale.known is None and not asked.concerns(has_member=sale.member is not None):
        return None
    known = sale.known or KnownBefore(
        birthday=tuple(sorted(asked.birthday)), segments=tuple(sorted(asked.segments))
    )
    if asked.limited:
        used = tuple(_uses(snapshot, sale, known, asked, today))
        known = msgspec.structs.replace(known, uses=used)
    if sale.member is None:
        return known
    member = MemberId(sale.member.member_id)
    if asked.sales or asked.visits or asked.today:
        known = _visits(snapshot, entry, member, known, asked, today)
    return _of_member(snapshot, member, known, today, is_told=sale.known is not None)


def _uses(
    snapshot: Snapshot, sale: SaleCompleted, known: KnownBefore, asked: Asked, today: date
) -> Iterator[OfferUsed]:
    """A till counts its own sales, the server those of all; the higher figure is right."""
    said = {one.offer_id: one for one in known.uses}
    # More uses close an offer: only those that the sale has used can lose by them.
    used = {one.offer_id for one in sale.offers}
    for offer in asked.limited:
        if offer.id not in used and sale.known is not None:
            if offer.id in said:
                yield said[offer.id]
            continue
        told = said.get(offer.id, OfferUsed(offer_id=offer.id))
        counted = uses_before(snapshot, offer, sale, today)
        right = OfferUsed(
            offer_id=offer.id,
            by_member=max(told.by_member, counted.by_member),
            by_member_today=max(told.by_member_today, counted.by_member_today),
            in_store=max(told.in_store, counted.in_store),
            in_total=max(told.in_total, counted.in_total),
        )
        if offer.id in said or right != OfferUsed(offer_id=offer.id):
            yield right


def _visits(
    snapshot: Snapshot,
    entry: Audited,
    member: MemberId,
    known: KnownBefore,
    asked: Asked,
    today: date,
) -> KnownBefore:
    bought = _days_bought(snapshot, entry, member)
    return msgspec.structs.replace(
        known,
        sales=len(bought) if asked.sales else 0,
        visits=len(set(bought)) if asked.visits else 0,
        was_here_today=asked.today and today.isoformat() in bought,
    )


def _days_bought(snapshot: Snapshot, entry: Audited, member: MemberId) -> list[str]:
    """The days of a member's earlier sales that count, less what had come back of them by then."""
    counted = (
        select(postings.c.lot)
        .join(
            entries,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .where(
            postings.c.shard == snapshot.shard,
            postings.c.account == AccountKind.SPEND.value,
            postings.c.owner == member,
            entries.c.server_seq < entry.server_seq,
            entries.c.hlc < entry.hlc,
        )
        .group_by(postings.c.lot)
        .having(func.sum(postings.c.amount) > 0)
    )
    sales = snapshot.connection.execute(counted).scalars().all()
    days = {
        row.lot: row.earned_on
        for start in range(0, len(sales), 1000)
        for row in snapshot.connection.execute(
            select(lots.c.lot, lots.c.earned_on).where(
                lots.c.shard == snapshot.shard, lots.c.lot.in_(sales[start : start + 1000])
            )
        )
    }
    return [days.get(sale, "") for sale in sales]


def _of_member(
    snapshot: Snapshot, member: MemberId, known: KnownBefore, today: date, *, is_told: bool
) -> KnownBefore:
    """No birthday or segment that the server knows to be none.

    Of the erased nothing is known: what was told of them stands, and nothing where nothing was.
    """
    if not known.birthday and not known.segments:
        return known
    row = snapshot.connection.execute(
        select(members.c.birthday, members.c.gone).where(
            members.c.shard == snapshot.shard, members.c.member_id == member
        )
    ).first()
    if row is None or row.gone:
        nothing = msgspec.structs.replace(known, birthday=(), segments=())
        return known if is_told else nothing
    born = birthday_of(row.birthday)
    if born is not None or not is_told:
        near = {one.value for one in around_birthday(born, today)}
        known = msgspec.structs.replace(
            known, birthday=tuple(one for one in known.birthday if one in near)
        )
    belonged = segments_of(snapshot, [member], ever=True).get(member, [])
    return msgspec.structs.replace(
        known, segments=tuple(one for one in known.segments if one in belonged)
    )
