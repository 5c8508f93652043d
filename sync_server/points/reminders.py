"""Whom head office has to tell that points lapse, and how they can be reached."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from shared.ids import MemberId
from shared.loyalty.programme import Programme
from shared.loyalty.reminding import LapsingSoon, reminders
from shared.loyalty.usable import usable
from shared.trade.consent import granted
from sync_server.database.schema import members
from sync_server.database.transaction import Snapshot
from sync_server.members.consents import standing_consents
from sync_server.points.outstanding import held_by_members


class Reminder(NamedTuple):
    """What one member is to be told."""

    member: MemberId
    name: str
    phone: str
    email: str
    language: str
    consents: str
    """Those that stand; spaces between."""
    points: int
    """In the programme's smallest unit."""
    last_day: date
    days_left: int


def reminders_on(snapshot: Snapshot, programme: Programme, on: date) -> Iterator[Reminder]:
    """Every member of whose points some lapse in just so many days as the programme names."""
    for held in held_by_members(snapshot, programme, on):
        lots = usable(held.lots, programme, held.active)
        found = reminders(lots, programme.expiry, on)
        if found:
            yield from _to(snapshot, held.member_id, found)


def _to(snapshot: Snapshot, member: MemberId, found: list[LapsingSoon]) -> Iterator[Reminder]:
    row = snapshot.connection.execute(
        select(members).where(
            members.c.shard == snapshot.shard,
            members.c.member_id == member,
            members.c.gone.is_(False),
        )
    ).first()
    if row is None:
        return
    agreed = granted(standing_consents(snapshot, [member]).get(member, ()))
    for one in found:
        yield Reminder(
            member,
            row.name,
            row.phone,
            row.email,
            row.language,
            " ".join(sorted(agreed)),
            one.points,
            one.last_day,
            one.days_left,
        )
