"""Taking over many members at once: a page, or a slice of a snapshot.

What becomes of each is what ``put_member`` makes of it; here it takes a handful of statements for
all of them instead of a dozen for each. Members with own changes and tombstones go one by one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.member_keys import name_keys
from desktop.store.members import posting_of, put_member
from desktop.store.schema import (
    balances,
    lots,
    member_keys,
    member_search,
    members,
    postings,
    profile_changes,
    pulled_balances,
)
from shared.ledger.account import Account, AccountKind, Unit
from shared.protocol.message import MemberRow

Values = dict[str, object]


def apply_members(
    connection: Connection,
    rows: Iterable[MemberRow],
    *,
    epoch: int,
    applied_through: int,
    as_of: str,
) -> None:
    """Take over members who are true for one state of the server; of one twice the last."""
    told = list({row.member_id: row for row in rows}.values())
    ids = [row.member_id for row in told]
    pending = select(profile_changes.c.member_id).where(profile_changes.c.member_id.in_(ids))
    changed = set(connection.execute(pending).scalars())
    plain = [row for row in told if not row.gone and row.member_id not in changed]
    for row in told:
        if row.gone or row.member_id in changed:
            put_member(connection, row, epoch=epoch, applied_through=applied_through, as_of=as_of)
    if plain:
        place = {"applied_epoch": epoch, "applied_through": applied_through}
        _replace(connection, plain, {**place, "balance_as_of": as_of})
        _put_balances(connection, plain, epoch=epoch, applied_through=applied_through)


def _replace(connection: Connection, rows: Sequence[MemberRow], place: Values) -> None:
    ids = [row.member_id for row in rows]
    for table in (members, member_keys, member_search):
        connection.execute(delete(table).where(table.c.member_id.in_(ids)))
    for table in (balances, pulled_balances):
        connection.execute(delete(table).where(table.c.owner.in_(ids)))
    connection.execute(insert(members), [{**_profile(row), **place} for row in rows])
    keys: list[Values] = [
        {"key": key, "member_id": row.member_id} for row in rows for key in dict.fromkeys(row.keys)
    ]
    words: list[Values] = [
        {"key": key, "member_id": row.member_id} for row in rows for key in name_keys(row.name)
    ]
    if keys:
        connection.execute(insert(member_keys), keys)
    if words:
        connection.execute(insert(member_search), words)


def _profile(row: MemberRow) -> Values:
    return {
        "member_id": row.member_id,
        "name": row.name,
        "phone_tail": row.phone_tail,
        "card_tail": row.card_tail,
        "tier": row.tier,
        "birthday": row.birthday,
        "segments": msgspec.json.encode(row.segments).decode(),
        "alias_of": row.alias_of,
        "language": row.language,
        "changed_hlc": row.changed_hlc,
        "consents": msgspec.json.encode(row.consents).decode(),
    }


def _put_balances(
    connection: Connection, rows: Sequence[MemberRow], *, epoch: int, applied_through: int
) -> None:
    pulled = Counter[Account]()
    for row in rows:
        for one in row.balances:
            account, amount = posting_of(row.member_id, one)
            pulled[account] += amount
    shown = pulled.copy()
    ids = [row.member_id for row in rows]
    own = select(postings).where(
        postings.c.owner.in_(ids),
        (postings.c.epoch > epoch)
        | ((postings.c.epoch == epoch) & (postings.c.seq >= applied_through)),
    )
    for posting in connection.execute(own):
        kind, unit = AccountKind(posting.account), Unit(posting.unit)
        shown[Account(kind, posting.owner, posting.lot, unit)] += posting.amount
    if pulled:
        connection.execute(insert(pulled_balances), _columns(pulled))
    if shown:
        connection.execute(insert(balances), _columns(shown))
    terms: list[Values] = [
        {
            "member_id": row.member_id,
            "lot": one.lot,
            "earned_on": one.earned_on,
            "expires_on": one.expires_on,
        }
        for row in rows
        for one in row.balances
        if one.earned_on
    ]
    if terms:
        connection.execute(upsert(lots).on_conflict_do_nothing(), terms)


def _columns(amounts: Mapping[Account, int]) -> list[Values]:
    return [
        {
            "owner": account.owner,
            "account": account.kind.value,
            "lot": account.lot,
            "unit": account.unit,
            "amount": amount,
        }
        for account, amount in amounts.items()
    ]
