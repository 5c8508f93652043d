"""Goods that come back under the programme they were bought under, as tills take them back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from shared.backtest.account import Account
from shared.backtest.events import Back
from shared.backtest.figures import Played
from shared.ids import EntryId, OperatorId, ShiftId, TillId
from shared.loyalty.programme import Programme
from shared.loyalty.returns import points_to_lots
from shared.money import divide_rounded
from shared.pricing.basket import Basket
from shared.pricing.quote import Quote
from shared.pricing.sale_fact import SaleTicket
from shared.pricing.sale_lines import HAND_DISCOUNTS
from shared.returning.goods_back import GoodsBack, ReturnTicket
from shared.returning.history import units_back
from shared.returning.kept import gifts_unearned
from shared.returning.lines import SoldBy, Wanted, lines_back
from shared.returning.offers_kept import offers_kept
from shared.returning.sold import ReturnableSale
from shared.shares import cumulative_share, largest_remainder
from shared.trade.fact import BundleRef, LotDraw
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned

TILL: Final = TillId("backtest")
SHIFT: Final = ShiftId("backtest")
NOBODY: Final = OperatorId("backtest")
IN_FORCE: Final = BundleRef(version=0, sha256="")


def ticket_of(sale: str, basket: Basket) -> SaleTicket:
    """A ticket for a sale of the past."""
    return SaleTicket(
        receipt_no=sale,
        ticket_id=sale,
        store_id=basket.store,
        till_id=TILL,
        shift_id=SHIFT,
        operator_id=NOBODY,
        programme=IN_FORCE,
    )


@dataclass(slots=True)
class KeptSale:
    """A sale of which something will come back."""

    sale: str
    account: Account | None
    fact: SaleCompleted
    programme: Programme
    basket: Basket
    costs: tuple[int | None, ...]
    """What each line's goods cost the shop, where known."""
    gift_costs: dict[str, int]
    """Of a unit that was given on top, by SKU; 0 where nobody knows."""
    returns: list[SaleReturned] = field(default_factory=list)
    points_given: int = 0

    @property
    def draws(self) -> tuple[LotDraw, ...]:
        """Lots that paid for it."""
        return tuple(draw for tender in self.fact.tenders for draw in tender.lots)

    @property
    def sold_by(self) -> SoldBy:
        """What it was priced with; the basket's lines are called as the fact numbers them."""
        lines = tuple(replace(line, id=str(n)) for n, line in enumerate(self.basket.lines, start=1))
        return SoldBy(self.programme, self.basket.at, {}, replace(self.basket, lines=lines))


def bring_back(
    played: Played, kept: KeptSale, backs: Iterable[Back], programme: Programme, at: datetime
) -> Counter[str]:
    """Take goods of one sale back: tallies and balances move by what a till would give back.

    Gifts that what is kept does not give any more come back with the goods. Returns how often
    which offers may be used again. Raises DomainError ``return-exceeds-sale`` when more comes back
    than was sold.
    """
    today, sold_by = at.date(), kept.sold_by
    wanted = [Wanted(back.line + 1, back.quantity) for back in backs]
    wanted += _gifts(kept, sold_by, wanted)
    lines = lines_back(kept.fact, kept.returns, wanted, sold_by)
    before = units_back(kept.returns)
    for line in lines:
        if line.given_by:
            _take_gift_back(played, kept, line)
        else:
            _uncount(played, kept, line, before=before[line.of_line], today=today)
        before[line.of_line] += line.quantity
    uses = offers_kept(kept.fact, kept.returns)
    kept.returns.append(_fact(kept, lines, at))
    if kept.account is not None:
        _move_points(played, kept, kept.account, lines, programme, today)
    return uses - offers_kept(kept.fact, kept.returns)


def _gifts(kept: KeptSale, sold_by: SoldBy, wanted: Sequence[Wanted]) -> Iterator[Wanted]:
    """Units given on top that go with what comes back."""
    gifts = [line for line in kept.fact.lines if line.given_by]
    if not gifts or sold_by.basket is None:
        return
    back = units_back(kept.returns)
    for one in wanted:
        back[one.line] += one.quantity
    held: Counter[str] = Counter()
    for line in gifts:
        held[line.goods_id] += line.quantity - back[line.line]
    returned = {str(line): units for line, units in back.items()}
    unearned = gifts_unearned(sold_by.basket, kept.programme, returned, held)
    for line in gifts:
        units = min(unearned[line.goods_id], line.quantity - back[line.line])
        unearned[line.goods_id] -= units
        if units:
            yield Wanted(line.line, units)


def _fact(kept: KeptSale, lines: Sequence[ReturnLine], at: datetime) -> SaleReturned:
    """As much of the fact as later returns look at."""
    total = sum(line.amount for line in lines)
    back = GoodsBack(lines=tuple(lines), taxes=(), total=total, rounding=0, refunds=())
    original = ReturnableSale(EntryId(kept.sale), at, kept.fact, tuple(kept.returns))
    ticket = ReturnTicket(
        receipt_no=f"{kept.sale}/{len(kept.returns) + 1}",
        ticket_id=kept.sale,
        store_id=kept.fact.store_id,
        till_id=TILL,
        shift_id=SHIFT,
        operator_id=NOBODY,
        currency=kept.fact.currency,
        programme=IN_FORCE,
        original=original,
        reason="",
    )
    return back.fact(ticket)


def _move_points(
    played: Played,
    kept: KeptSale,
    account: Account,
    lines: Sequence[ReturnLine],
    programme: Programme,
    today: date,
) -> None:
    """Points that had paid go back to their lots, those that were earned are taken."""
    spent = sum(line.points_spent for line in lines)
    given = points_to_lots(spent, kept.draws, before=kept.points_given)
    kept.points_given += spent
    account.give_back(given, programme, today)
    points = sum(line.points for line in lines)
    claw = account.take_back(kept.sale, points, programme, today)
    account.unspend(
        kept.sale,
        spend_minor=sum(line.spend for line in lines),
        growth=sum(line.growth for line in lines),
    )
    account.tally.points_kept -= claw.points
    played.figures.points_spent -= spent
    played.figures.points_taken_back += claw.points


def _take_gift_back(played: Played, kept: KeptSale, line: ReturnLine) -> None:
    """Units that had been given on top are there again."""
    gift = kept.fact.lines[line.of_line - 1]
    value = gift.list_price * line.quantity
    cost = kept.gift_costs.get(line.goods_id, 0) * line.quantity
    for tally in (played.figures, played.offer(gift.given_by)):
        tally.added_units -= line.quantity
        tally.added_value_minor -= value
        tally.added_cost_minor -= cost
    if kept.account is not None:
        kept.account.tally.added_value_minor -= value


def _uncount(played: Played, kept: KeptSale, back: ReturnLine, *, before: int, today: date) -> None:
    """A line without units says what kept goods cost more now, or less: only its money moves."""
    line = kept.fact.lines[back.of_line - 1]
    revenue, tax = back.amount - back.levy, sum(one.tax for one in back.taxes)
    gross = cumulative_share(line.gross, before, back.quantity, line.quantity)
    by_offer = _taken_off(line, back.quantity, before, gross - revenue)
    by_hand = sum(by_offer.pop(name, 0) for name in HAND_DISCOUNTS)
    by_offers = sum(by_offer.values())
    figures, day = played.figures, played.day(today)
    figures.gross_minor -= revenue + by_hand + by_offers
    figures.hand_minor -= by_hand
    figures.discount_minor -= by_offers
    figures.revenue_minor -= revenue
    figures.net_minor -= revenue - tax
    figures.tax_minor -= tax
    figures.levy_minor -= back.levy
    figures.points_paid_minor -= back.points_paid
    cost = kept.costs[back.of_line - 1]
    if cost is not None:
        figures.cost_minor -= cumulative_share(cost, before, back.quantity, line.quantity)
        figures.costed_net_minor -= revenue - tax
    day.revenue_minor -= revenue
    day.discount_minor -= by_offers
    for offer, amount in by_offer.items():
        played.offer(offer).discount_minor -= amount
    if kept.account is not None:
        kept.account.tally.revenue_minor -= revenue
        kept.account.tally.discount_minor -= by_offers


def _taken_off(line: SaleLine, quantity: int, before: int, off: int) -> dict[str, int]:
    """What each offer (and the hand) gives back of ``off``: first its own shares of the units.

    The rest is what an offer gives less, or more, for what is kept.
    """
    if not line.discounts:
        return {}
    found = Counter(discounts_back(line, quantity, before) if quantity else {})
    rest = off - sum(found.values())
    shares = largest_remainder(abs(rest), [one.amount for one in line.discounts])
    for discount, share in zip(line.discounts, shares, strict=True):
        found[discount.offer_id] += share if rest > 0 else -share
    return dict(found)


def discounts_back(line: SaleLine, quantity: int, before: int) -> dict[str, int]:
    """What each offer (and the hand) had taken off units that come back.

    What came back at the list price, less what is given back for it, is what the offers took off,
    shared by what each took: so the gross of what stays is its price whatever the offers were.
    """
    found = _discounts_until(line, before + quantity)
    found.subtract(_discounts_until(line, before))
    return dict(found)


def _discounts_until(line: SaleLine, quantity: int) -> Counter[str]:
    """What had been taken off the first units that came back."""
    found: Counter[str] = Counter()
    if not line.discounts:
        return found
    gross = divide_rounded(line.gross * quantity, line.quantity)
    taxed = divide_rounded((line.amount - line.levy) * quantity, line.quantity)
    shares = largest_remainder(gross - taxed, [one.amount for one in line.discounts])
    for discount, share in zip(line.discounts, shares, strict=True):
        found[discount.offer_id] += share
    return found


def pay_out(played: Played, quote: Quote, today: date) -> None:
    """Take goods back whose sale is not known, at what they cost without offers."""
    figures, day = played.figures, played.day(today)
    revenue = sum(line.taxed_minor for line in quote.lines)
    net = sum(line.net_minor for line in quote.lines)
    figures.gross_minor -= revenue
    figures.revenue_minor -= revenue
    figures.net_minor -= net
    figures.tax_minor -= revenue - net
    figures.levy_minor -= sum(line.levy_minor for line in quote.lines)
    figures.loose_minor += revenue
    day.revenue_minor -= revenue
