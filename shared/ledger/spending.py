"""What a fact spends of accounts that may need a lease."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.ledger.account import AccountKind, money_unit, points_unit
from shared.trade.benefit import DrawEntered
from shared.trade.fact import BundleRef, Fact, Tender, TenderKind
from shared.trade.ticket import SaleCompleted
from shared.trade.value import GiftCardClosed, ValueClosed


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


def spends_of(entry_id: str, fact: Fact) -> Iterator[Spend]:
    """Everything a fact spends; points that a sale itself earned were nobody's before."""
    if isinstance(fact, SaleCompleted) and not fact.training:
        yield from _sale(entry_id, fact)
    elif isinstance(fact, DrawEntered):
        yield from tender_spends(
            fact.tenders,
            fact.member.member_id,
            currency=fact.currency,
            decimals=fact.member.points.decimals,
            own_lot="",
            programme=fact.programme,
        )
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


def _sale(entry_id: str, fact: SaleCompleted) -> Iterator[Spend]:
    return tender_spends(
        fact.tenders,
        fact.member.member_id if fact.member else "",
        currency=fact.currency,
        decimals=fact.member.points.decimals if fact.member else 0,
        own_lot=entry_id,
        programme=fact.programme,
    )


def tender_spends(
    tenders: Iterable[Tender],
    member: str,
    *,
    currency: str,
    decimals: int,
    own_lot: str,
    programme: BundleRef | None = None,
) -> Iterator[Spend]:
    """What the tenders of a sale spend; ``decimals`` are those of points.

    ``own_lot`` is the lot that the sale itself makes.
    """
    for position, tender in enumerate(tenders):
        match tender.tender:
            case TenderKind.POINTS:
                yield Spend(
                    position=position,
                    account=AccountKind.POINTS,
                    owner=member,
                    unit=points_unit(decimals),
                    amount=sum(draw.points for draw in tender.lots if draw.lot != own_lot),
                    member_id=member,
                    lease_id=tender.lease_id,
                    programme=programme,
                )
            case TenderKind.STORED_VALUE:
                yield Spend(
                    position=position,
                    account=AccountKind.STORED_VALUE,
                    owner=member,
                    unit=money_unit(currency),
                    amount=tender.amount,
                    member_id=member,
                    lease_id=tender.lease_id,
                )
            case TenderKind.GIFT_CARD:
                yield Spend(
                    position=position,
                    account=AccountKind.GIFT_CARD,
                    owner=tender.reference,
                    unit=money_unit(currency),
                    amount=tender.amount,
                    member_id="",
                    lease_id=tender.lease_id,
                )
            case _:
                pass
