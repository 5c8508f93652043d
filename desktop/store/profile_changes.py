"""Own changes of members' profiles that no row of the server contains yet.

A pulled row is the server's word as of some own entry; changes written after it are put on top, as
own postings are on balances, until a row comes that has them merged.
"""

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from desktop.store.member_keys import put_keys
from desktop.store.schema import member_search, members, profile_changes
from shared.ids import EntryId, MemberId
from shared.protocol.message import ConsentRow, MemberRow
from shared.trade.profile_change import ConsentDecided


class PendingChange(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a change makes of a member's row; only as much as a row has of a person."""

    entry_id: EntryId
    hlc: str
    name: str | None = None
    phone_tail: str | None = None
    card_tail: str | None = None
    keys: tuple[str, ...] = ()
    """Of a new phone or card; the old one finds the member too until the server has told."""
    birthday: str | None = None
    language: str | None = None
    consents: tuple[ConsentDecided, ...] = ()


def _note(
    connection: Connection, member_id: MemberId, *, epoch: int, seq: int, change: PendingChange
) -> None:
    encoded = msgspec.json.encode(change).decode()
    connection.execute(
        insert(profile_changes).values(epoch=epoch, seq=seq, member_id=member_id, change=encoded)
    )


def with_own_changes(
    connection: Connection, row: MemberRow, *, epoch: int, applied_through: int
) -> MemberRow:
    """A row with the own changes on top that it does not contain; those it contains are let go."""
    columns = profile_changes.c
    of_member = columns.member_id == row.member_id
    is_in_row = (columns.epoch < epoch) | (
        (columns.epoch == epoch) & (columns.seq < applied_through)
    )
    if row.gone:
        connection.execute(delete(profile_changes).where(of_member))
        return row
    connection.execute(delete(profile_changes).where(of_member, is_in_row))
    left = select(columns.change).where(of_member).order_by(columns.epoch, columns.seq)
    for encoded in connection.execute(left).scalars():
        row = changed(row, msgspec.json.decode(encoded, type=PendingChange))
    return row


def changed(row: MemberRow, change: PendingChange) -> MemberRow:
    """A row as a change leaves it."""
    told = {
        name: text
        for name in ("name", "phone_tail", "card_tail", "birthday", "language")
        if (text := getattr(change, name)) is not None
    }
    return msgspec.structs.replace(
        row,
        **told,
        keys=tuple(dict.fromkeys((*row.keys, *change.keys))),
        changed_hlc=max(row.changed_hlc, change.hlc),
        consents=_decided(row.consents, change),
    )


def _decided(standing: tuple[ConsentRow, ...], change: PendingChange) -> tuple[ConsentRow, ...]:
    seen = {(one.consent, entry) for one in change.consents for entry in one.seen}
    left = [one for one in standing if (one.consent, one.decision) not in seen]
    new = [
        ConsentRow(consent=one.consent, decision=change.entry_id, is_granted=one.is_granted)
        for one in change.consents
    ]
    return (*left, *new)


def change_member(
    connection: Connection, member_id: MemberId, *, epoch: int, seq: int, change: PendingChange
) -> bool:
    """Show an own change at once, and keep it for rows to come; False where nobody is there."""
    found = connection.execute(select(members).where(members.c.member_id == member_id)).first()
    if found is None:
        return False
    before = MemberRow(
        member_id=member_id,
        name=found.name,
        phone_tail=found.phone_tail,
        card_tail=found.card_tail,
        birthday=found.birthday,
        language=found.language,
        changed_hlc=found.changed_hlc,
        consents=msgspec.json.decode(found.consents, type=tuple[ConsentRow, ...]),
    )
    after = changed(before, change)
    connection.execute(
        update(members)
        .where(members.c.member_id == member_id)
        .values(
            name=after.name,
            phone_tail=after.phone_tail,
            card_tail=after.card_tail,
            birthday=after.birthday,
            language=after.language,
            changed_hlc=after.changed_hlc,
            consents=msgspec.json.encode(after.consents).decode(),
        )
    )
    connection.execute(delete(member_search).where(member_search.c.member_id == member_id))
    put_keys(connection, after)
    _note(connection, member_id, epoch=epoch, seq=seq, change=change)
    return True
