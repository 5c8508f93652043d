"""Taking over many members at once: a page, or a slice of a snapshot.

What becomes of each is what ``put_member`` makes of it; here it takes a handful of statements for
all of them instead of a dozen for each. Members with own changes and tombstones go one by one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from desktop.store.lots import put_lot_rows
from desktop.store.member_keys import name_keys
from desktop.store.members import put_member
from desktop.store.prepared import Prepared, among, listed
from desktop.store.schema import (
    balances,
    member_keys,
    member_search,
    members,
    postings,
    profile_changes,
    pulled_balances,
)
from shared.ledger.account import AccountKind
from shared.protocol.message import MemberRow

Key = tuple[str, str, str, str]
"""Of a balance, in the order of ``_BALANCE``."""

_BALANCE = ("owner", "account", "lot", "unit", "amount")
_FOUND_BY = ("key", "member_id")
_PROFILE = (
    "member_id",
    "name",
    "phone_tail",
    "card_tail",
    "tier",
    "birthday",
    "segments",
    "alias_of",
    "language",
    "changed_hlc",
    "consents",
    "applied_epoch",
    "applied_through",
    "balance_as_of",
)
_CHANGED = Prepared(
    select(profile_changes.c.member_id).where(among(profile_changes.c.member_id, "ids"))
)
_OWN = Prepared(
    select(
        postings.c.owner, postings.c.account, postings.c.lot, postings.c.unit, postings.c.amount
    ).where(
        among(postings.c.owner, "ids"),
        (postings.c.epoch > bindparam("of_epoch"))
        | ((postings.c.epoch == bindparam("of_epoch")) & (postings.c.seq >= bindparam("from_seq"))),
    )
)
_DROP = (
    *(
        Prepared(delete(table).where(among(table.c.member_id, "ids")))
        for table in (members, member_keys, member_search)
    ),
    *(
        Prepared(delete(table).where(among(table.c.owner, "ids")))
        for table in (balances, pulled_balances)
    ),
)
_PUT_MEMBER = Prepared(insert(members), _PROFILE)
_PUT_KEY = Prepared(insert(member_keys), _FOUND_BY)
_PUT_WORD = Prepared(insert(member_search), _FOUND_BY)
_PUT_PULLED = Prepared(insert(pulled_balances), _BALANCE)
_PUT_SHOWN = Prepared(insert(balances), _BALANCE)


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
    ids = listed(row.member_id for row in told)
    changed = set(_CHANGED.run(connection, ids=ids).scalars())
    plain = [row for row in told if not row.gone and row.member_id not in changed]
    for row in told:
        if row.gone or row.member_id in changed:
            put_member(connection, row, epoch=epoch, applied_through=applied_through, as_of=as_of)
    if plain:
        ids = listed(row.member_id for row in plain)
        for drop in _DROP:
            drop.run(connection, ids=ids)
        _put_profiles(connection, plain, (epoch, applied_through, as_of))
        own = _OWN.run(connection, ids=ids, of_epoch=epoch, from_seq=applied_through)
        _put_balances(connection, plain, [(row[:4], row[4]) for row in map(tuple, own)])


def _put_profiles(
    connection: Connection, rows: Sequence[MemberRow], place: tuple[int, int, str]
) -> None:
    _PUT_MEMBER.run_many(connection, [(*_profile(row), *place) for row in rows])
    _PUT_KEY.run_many(
        connection, [(key, row.member_id) for row in rows for key in dict.fromkeys(row.keys)]
    )
    _PUT_WORD.run_many(
        connection, [(key, row.member_id) for row in rows for key in name_keys(row.name)]
    )


def _profile(row: MemberRow) -> tuple[str, ...]:
    return (
        row.member_id,
        row.name,
        row.phone_tail,
        row.card_tail,
        row.tier,
        row.birthday,
        msgspec.json.encode(row.segments).decode(),
        row.alias_of,
        row.language,
        row.changed_hlc,
        msgspec.json.encode(row.consents).decode(),
    )


def _put_balances(
    connection: Connection, rows: Sequence[MemberRow], own: Iterable[tuple[Key, int]]
) -> None:
    pulled = Counter[Key]()
    for row in rows:
        for one in row.balances:
            pulled[row.member_id, one.account, one.lot, one.unit] += one.amount
    for kind in {kind for _owner, kind, _lot, _unit in pulled}:
        # What only a later release knows is not kept half understood.
        AccountKind(kind)
    shown = pulled.copy()
    for key, amount in own:
        shown[key] += amount
    _PUT_PULLED.run_many(connection, _with_amounts(pulled))
    _PUT_SHOWN.run_many(connection, _with_amounts(shown))
    put_lot_rows(
        connection,
        [
            (row.member_id, one.lot, one.earned_on, one.expires_on)
            for row in rows
            for one in row.balances
            if one.earned_on
        ],
    )


def _with_amounts(amounts: Mapping[Key, int]) -> list[tuple[str | int, ...]]:
    return [(*key, amount) for key, amount in amounts.items()]
