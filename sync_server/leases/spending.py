"""What a fact spends of accounts that may need a lease."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.clock import hybrid_milliseconds
from shared.journal.entry import Envelope
from shared.ledger.account import AccountKind, money_unit, points_unit
from shared.trade.fact import BundleRef, TenderKind
from shared.trade.ticket import SaleCompleted
from shared.trade.value import GiftCardClosed, ValueClosed
from sync_server.ledger.kept import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """One amount that was spent, in the unit of its account."""

    position: int
    """Among the tenders of the fact."""
    account: AccountKind
    owner: str
    unit: str
    amount: int
    member_id: str
    """Empty for whoever bears a card."""
    lease_id: str | None
    programme: BundleRef | None = None
    """Of points, which need a lease only where the programme of the sale says so."""


def spends_of(reading: Reading) -> Iterator[Spend]:
    """Everything a fact spends."""
    fact = reading.fact
    if isinstance(fact, SaleCompleted) and not fact.training:
        yield from _sale(fact)
    elif isinstance(fact, ValueClosed):
        yield Spend(
            position=0,
            account=AccountKind.STORED_VALUE,
            owner=fact.member_id,
            unit=money_unit(fact.currency),
            amount=fact.principal + fact.forfeited,
            member_id=fact.member_id,
            lease_id=fact.lease_id,
        )
    elif isinstance(fact, GiftCardClosed):
        yield Spend(
            position=0,
            account=AccountKind.GIFT_CARD,
            owner=fact.card_id,
            unit=money_unit(fact.currency),
            amount=fact.amount,
            member_id="",
            lease_id=fact.lease_id,
        )


def _sale(fact: SaleCompleted) -> Iterator[Spend]:
    member = fact.member.member_id if fact.member else ""
    for position, tender in enumerate(fact.tenders):
        match tender.tender:
            case TenderKind.POINTS:
                decimals = fact.member.points.decimals if fact.member else 0
                yield Spend(
                    position=position,
                    account=AccountKind.POINTS,
                    owner=member,
                    unit=points_unit(decimals),
                    amount=sum(draw.points for draw in tender.lots),
                    member_id=member,
                    lease_id=tender.lease_id,
                    programme=fact.programme,
                )
            case TenderKind.STORED_VALUE:
                yield Spend(
                    position=position,
                    account=AccountKind.STORED_VALUE,
                    owner=member,
                    unit=money_unit(fact.currency),
                    amount=tender.amount,
                    member_id=member,
                    lease_id=tender.lease_id,
                )
            case TenderKind.GIFT_CARD:
                yield Spend(
                    position=position,
                    account=AccountKind.GIFT_CARD,
                    owner=tender.reference,
                    unit=money_unit(fact.currency),
                    amount=tender.amount,
                    member_id="",
                    lease_id=tender.lease_id,
                )
            case _:
                pass


def written_at_ms(envelope: Envelope) -> int:
    """When it was written by the till's hybrid clock, which no setting of its clock turns back."""
    return hybrid_milliseconds(envelope.hlc)
