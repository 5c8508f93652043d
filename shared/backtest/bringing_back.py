"""Goods that come back under the programme they were bought under: each line's exact shares."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from shared.backtest.account import Account
from shared.backtest.events import Back
from shared.backtest.figures import Played
from shared.loyalty.programme import Programme
from shared.loyalty.returns import ReturnShare, points_to_lots, return_share
from shared.money import divide_rounded
from shared.pricing.quote import Quote
from shared.pricing.sale_lines import HAND_DISCOUNTS
from shared.shares import cumulative_share, largest_remainder
from shared.trade.fact import LotDraw
from shared.trade.ticket import SaleLine


@dataclass(slots=True)
class KeptSale:
    """A sale of which something will come back."""

    sale: str
    account: Account | None
    lines: tuple[SaleLine, ...]
    costs: tuple[int | None, ...]
    """What each line's goods cost the shop, where known."""
    draws: tuple[LotDraw, ...]
    """Lots that paid for it."""
    returned: Counter[int] = field(default_factory=Counter)
    points_given: int = 0


def bring_back(
    played: Played, kept: KeptSale, backs: Iterable[Back], programme: Programme, today: date
) -> None:
    """Take goods of one sale back: tallies and balances move by each line's shares.

    Raises DomainError ``return-exceeds-sale`` when more comes back than was sold.
    """
    points = spend = growth = spent = 0
    for back in backs:
        before = kept.returned[back.line]
        share = return_share(kept.lines[back.line], back.quantity, returned_before=before)
        kept.returned[back.line] += back.quantity
        _uncount(played, kept, back, share, before=before, today=today)
        points, spend = points + share.points, spend + share.spend
        growth, spent = growth + share.growth, spent + share.points_spent
    if kept.account is None:
        return
    given = points_to_lots(spent, kept.draws, before=kept.points_given)
    kept.points_given += spent
    kept.account.give_back(given, programme, today)
    claw = kept.account.take_back(kept.sale, points, programme, today)
    kept.account.unspend(kept.sale, spend_minor=spend, growth=growth)
    kept.account.tally.points_kept -= claw.points
    played.figures.points_spent -= spent
    played.figures.points_taken_back += claw.points


def _uncount(
    played: Played, kept: KeptSale, back: Back, share: ReturnShare, *, before: int, today: date
) -> None:
    line = kept.lines[back.line]
    by_offer = discounts_back(line, back.quantity, before)
    by_hand = sum(by_offer.pop(name, 0) for name in HAND_DISCOUNTS)
    by_offers = sum(by_offer.values())
    revenue, tax = share.amount - share.levy, sum(one.tax for one in share.taxes)
    figures, day = played.figures, played.day(today)
    figures.gross_minor -= revenue + by_hand + by_offers
    figures.hand_minor -= by_hand
    figures.discount_minor -= by_offers
    figures.revenue_minor -= revenue
    figures.net_minor -= revenue - tax
    figures.tax_minor -= tax
    figures.levy_minor -= share.levy
    figures.points_paid_minor -= share.points_paid
    cost = kept.costs[back.line]
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
