"""Members as tills may know them, read for pull and look-up."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select

from shared.ids import MemberId
from shared.ledger.account import MEMBER_ACCOUNTS, AccountKind
from shared.protocol.message import (
    PROTOCOL_BIRTHDAYS,
    PROTOCOL_CARDS,
    PROTOCOL_FLOORS,
    PROTOCOL_LEASES,
    PROTOCOL_PROFILES,
    BalanceRow,
    ConsentRow,
    MemberRow,
)
from shared.trade.consent import Decision
from shared.trade.profile import month_day
from sync_server.database.among import among
from sync_server.database.schema import balances, lots, member_keys, members
from sync_server.database.transaction import Snapshot
from sync_server.members.aliases import aliases_among
from sync_server.members.consents import standing_consents
from sync_server.members.segments import in_batches, segments_of

TAIL_LENGTH = 4


def read_member_rows(snapshot: Snapshot, rows: Sequence[Row[Any]]) -> list[MemberRow]:
    """Member rows of the ``members`` table as tills get them, in the same order."""
    present = [row.member_id for row in rows if not row.gone]
    keys = _keys(snapshot, present)
    held = read_balances(snapshot, present)
    segments = segments_of(snapshot, present)
    aliases = aliases_among(snapshot, present)
    consents = standing_consents(snapshot, present)
    return [
        # Nobody finds an alias; its sales can still be returned, and what they move follows.
        MemberRow(
            member_id=row.member_id,
            tier=row.tier,
            balances=tuple(held.get(row.member_id, ())),
            alias_of=aliases[row.member_id],
        )
        if row.member_id in aliases
        else _member_row(row, keys, held, segments, consents)
        for row in rows
    ]


def as_spoken(rows: Iterable[MemberRow], protocol: int) -> list[MemberRow]:
    """Rows as a till of that protocol version reads them."""
    unknown = {kind.value for since, kinds in _NEWER.items() if since > protocol for kind in kinds}
    told = list(rows)
    if unknown:
        told = [_without(row, unknown) for row in told]
    if protocol < PROTOCOL_BIRTHDAYS:
        told = [msgspec.structs.replace(row, birthday="", segments=()) for row in told]
    if protocol < PROTOCOL_PROFILES:
        told = [
            msgspec.structs.replace(row, alias_of="", language="", changed_hlc="", consents=())
            for row in told
        ]
    return told


_NEWER = {
    PROTOCOL_LEASES: (AccountKind.STORED_BONUS,),
    PROTOCOL_CARDS: (
        AccountKind.STAMPS,
        AccountKind.REFERRAL,
        AccountKind.FRIENDS,
        AccountKind.ACTION,
        AccountKind.DRAW_ENTRY,
    ),
    PROTOCOL_FLOORS: (AccountKind.TIER_FLOOR,),
}
"""Accounts that tills know since a version of the protocol."""


def knows_all(protocol: int) -> bool:
    """Whether tills of a version of the protocol get rows as they are counted."""
    return protocol >= PROTOCOL_FLOORS


def _without(row: MemberRow, accounts: Collection[str]) -> MemberRow:
    kept = tuple(one for one in row.balances if one.account not in accounts)
    return msgspec.structs.replace(row, balances=kept)


def find_members(snapshot: Snapshot, member_key: str) -> list[MemberRow]:
    """Members by a keyed hash of phone or card."""
    statement = (
        select(members)
        .join(
            member_keys,
            (member_keys.c.shard == members.c.shard)
            & (member_keys.c.member_id == members.c.member_id),
        )
        .where(members.c.shard == snapshot.shard, member_keys.c.key_hash == member_key)
    )
    return read_member_rows(snapshot, list(snapshot.connection.execute(statement)))


def find_member(snapshot: Snapshot, member_id: str) -> list[MemberRow]:
    """One member by id; none if unknown or erased."""
    statement = select(members).where(
        members.c.shard == snapshot.shard,
        members.c.member_id == member_id,
        members.c.gone.is_(False),
    )
    return read_member_rows(snapshot, list(snapshot.connection.execute(statement)))


def read_balances(
    snapshot: Snapshot, member_ids: Sequence[MemberId]
) -> dict[MemberId, list[BalanceRow]]:
    """What members have, lot by lot; nothing for accounts at zero."""
    found: dict[MemberId, list[BalanceRow]] = defaultdict(list)
    for ids in in_batches(member_ids):
        statement = (
            select(
                balances.c.owner,
                balances.c.account,
                balances.c.lot,
                balances.c.unit,
                balances.c.amount,
                lots.c.earned_on,
                lots.c.expires_on,
            )
            .outerjoin(lots, (lots.c.shard == balances.c.shard) & (lots.c.lot == balances.c.lot))
            .where(
                balances.c.shard == snapshot.shard,
                among(balances.c.owner, ids),
                balances.c.account.in_([kind.value for kind in MEMBER_ACCOUNTS]),
                balances.c.amount != 0,
            )
            .order_by(balances.c.owner, balances.c.account, balances.c.lot, balances.c.unit)
        )
        # Fetched at once and taken apart, not one by one and asked by name: of a page's time that
        # was more than half.
        rows = snapshot.connection.execute(statement).all()
        for owner, account, lot, unit, amount, earned, expires in rows:
            found[owner].append(
                BalanceRow(
                    account=account,
                    lot=lot,
                    unit=unit,
                    amount=amount,
                    earned_on=earned,
                    expires_on=expires,
                )
            )
    return found


def _member_row(
    row: Row[Any],
    keys: dict[MemberId, list[str]],
    held: dict[MemberId, list[BalanceRow]],
    segments: dict[MemberId, list[str]],
    consents: dict[MemberId, tuple[Decision, ...]],
) -> MemberRow:
    if row.gone:
        return MemberRow(member_id=row.member_id, gone=True)
    return MemberRow(
        member_id=row.member_id,
        name=row.name,
        phone_tail=row.phone[-TAIL_LENGTH:],
        card_tail=row.card[-TAIL_LENGTH:],
        keys=tuple(keys.get(row.member_id, ())),
        tier=row.tier,
        balances=tuple(held.get(row.member_id, ())),
        birthday=month_day(row.birthday),
        segments=tuple(segments.get(row.member_id, ())),
        language=row.language,
        changed_hlc=row.changed_hlc,
        consents=tuple(
            ConsentRow(consent=one.consent, decision=one.entry_id, is_granted=one.is_granted)
            for one in consents.get(row.member_id, ())
        ),
    )


def _keys(snapshot: Snapshot, member_ids: Sequence[MemberId]) -> dict[MemberId, list[str]]:
    found: dict[MemberId, list[str]] = defaultdict(list)
    columns = member_keys.c
    for ids in in_batches(member_ids):
        statement = select(columns.member_id, columns.key_hash).where(
            columns.shard == snapshot.shard, among(columns.member_id, ids)
        )
        in_order = statement.order_by(columns.key_hash)
        for member, key in snapshot.connection.execute(in_order).all():
            found[MemberId(member)].append(key)
    return found
