"""Finds members who were paid for having brought themselves, under another enrolment."""

from collections.abc import Iterator, Sequence

from shared.ids import MemberId
from shared.ledger.account import AccountKind, points_unit
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted
from sync_server.database.transaction import Snapshot
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import aliases_among, stands_for


def find_self_referrals(snapshot: Snapshot, readings: Sequence[Reading]) -> Iterator[Finding]:
    """Sales that paid a referral within one person: the till had not heard of the merge."""
    for reading in readings:
        sale = reading.fact
        if not isinstance(sale, SaleCompleted) or sale.member is None or sale.referral is None:
            continue
        friend = MemberId(sale.member.member_id)
        referrer = MemberId(sale.referral.referrer_id)
        if not aliases_among(snapshot, (friend, referrer)):
            continue
        person = stands_for(snapshot, friend)
        if person == stands_for(snapshot, referrer):
            yield Finding(
                rule=Rule.REFERRAL_TO_SELF,
                natural_key=f"{Rule.REFERRAL_TO_SELF.value}:{reading.id}",
                facts=(reading.id,),
                member_id=person,
                effects=(
                    ExceptionEffect(
                        account=AccountKind.POINTS,
                        owner=person,
                        unit=points_unit(sale.member.points.decimals),
                        amount=sale.referral.for_friend + sale.referral.for_referrer,
                    ),
                ),
            )
