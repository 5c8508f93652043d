"""A completed sale as the workbench keeps it: its fact, and the facts of what came back of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from shared.ids import LotId
from shared.loyalty.partners import AtPartner
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.returning.history import money_back, worth
from shared.returning.lines import SoldBy, Wanted
from shared.trade.fact import LotDraw, Tender
from shared.trade.ticket import SaleCompleted, SaleLine, SaleReturned


@dataclass(slots=True, kw_only=True)
class Sold:
    """Everything that a return needs to know of a sale."""

    name: str
    at: datetime
    programme: Programme
    basket: Basket
    """With the scenario's names of its lines."""
    fact: SaleCompleted
    returns: list[SaleReturned] = field(default_factory=list)
    set_off: tuple[Tender, ...] = ()
    """Money that has paid for other goods, by exchanges."""

    @property
    def member(self) -> str | None:
        """Who bought."""
        return self.fact.member.member_id if self.fact.member else None

    @property
    def total_minor(self) -> int:
        """What the goods cost, before anything was set off that the customer handed in."""
        return worth(self.fact)

    @property
    def refunded_minor(self) -> int:
        """All that was given back of it, in money and as points, with and without goods."""
        return money_back(self.returns)

    @property
    def lines(self) -> dict[str, SaleLine]:
        """The lines that were rung up, by their names."""
        rung_up = (line for line in self.fact.lines if not line.given_by)
        return {named.id: line for named, line in zip(self.basket.lines, rung_up, strict=True)}

    @property
    def sold_by(self) -> SoldBy:
        """What it was priced with; the basket's lines are called as the fact numbers them."""
        lines = tuple(
            replace(line, id=str(number)) for number, line in enumerate(self.basket.lines, start=1)
        )
        return SoldBy(self.programme, self.at, {}, replace(self.basket, lines=lines))

    def rename_member(self, gone: str, stays: str, lots: Mapping[LotId, LotId]) -> None:
        """Whoever bought, or brought them, is called otherwise from now on, and so are lots."""
        fact = self.fact
        if fact.referral is not None and fact.referral.referrer_id == gone:
            referral = msgspec.structs.replace(fact.referral, referrer_id=stays)
            fact = msgspec.structs.replace(fact, referral=referral)
        if fact.member is not None and fact.member.member_id == gone:
            fact = msgspec.structs.replace(
                fact,
                member=msgspec.structs.replace(fact.member, member_id=stays),
                tenders=tuple(_renamed(one, lots) for one in fact.tenders),
            )
        self.fact = fact


@dataclass(slots=True)
class PartnerSale:
    """A sale at a partner, and what came back of it."""

    reference: str
    member: str
    lot: LotId
    whole: AtPartner
    draws: tuple[LotDraw, ...]
    returns: list[AtPartner] = field(default_factory=list)
    forgiven: int = 0
    """Earned points that could not be taken back."""

    def rename_member(self, gone: str, stays: str, lots: Mapping[LotId, LotId]) -> None:
        """Whoever bought is called otherwise from now on, and so are lots."""
        if self.member == gone:
            self.member = stays
            self.lot = lots.get(self.lot, self.lot)
            self.draws = _renamed_draws(self.draws, lots)


def _renamed(tender: Tender, lots: Mapping[LotId, LotId]) -> Tender:
    return msgspec.structs.replace(tender, lots=_renamed_draws(tender.lots, lots))


def _renamed_draws(draws: tuple[LotDraw, ...], lots: Mapping[LotId, LotId]) -> tuple[LotDraw, ...]:
    return tuple(msgspec.structs.replace(one, lot=lots.get(one.lot, one.lot)) for one in draws)


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes back of a sale with the running ticket: units or grams by line of its fact."""

    sold: Sold
    lines: Counter[int]

    @property
    def wanted(self) -> list[Wanted]:
        """The lines of which something comes back."""
        return [Wanted(line, self.lines[line]) for line in sorted(self.lines) if self.lines[line]]
