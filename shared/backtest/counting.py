"""Counts what a sale came to, for the programme, its offers, the day and the member."""

from collections import Counter
from collections.abc import Mapping

from shared.backtest.account import Account
from shared.backtest.figures import Played
from shared.catalogue.goods import Goods
from shared.money import divide_rounded
from shared.pricing.after_offers import BY_HAND
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.quote import AddedUnits, LineQuote, Quote

GRAMS_IN_KILOGRAM = 1000


def cost_of(line: BasketLine) -> int:
    """What the goods of a line cost the shop; 0 where nobody knows."""
    cost = line.goods.cost_minor or 0
    return divide_rounded(cost * line.grams, GRAMS_IN_KILOGRAM) if line.grams else cost * line.units


def count_sale(
    played: Played,
    basket: Basket,
    quote: Quote,
    account: Account | None,
    given: Mapping[str, Goods],
) -> None:
    """Add a sale to the tallies; ``given`` are articles that offers may give on top, by SKU."""
    revenue = sum(line.taxed_minor for line in quote.lines)
    discount = sum(offer.amount_minor for offer in quote.offers)
    _count_figures(played, basket, quote, revenue=revenue, discount=discount)
    played.figures.member_baskets += account is not None
    day = played.day(basket.at.date())
    day.baskets += 1
    day.revenue_minor += revenue
    day.discount_minor += discount
    _count_offers(played, quote)
    _count_added(played, basket, quote, account, given)
    if account is not None:
        account.tally.baskets += 1
        account.tally.revenue_minor += revenue
        account.tally.discount_minor += discount


def uses_of(quote: Quote) -> Counter[str]:
    """How often each offer applied: once per coupon, claim of a reward, or by itself."""
    given = {(added.offer, added.coupon) for added in quote.added}
    return Counter(offer.offer for offer in quote.offers) + Counter(offer for offer, _ in given)


def _count_figures(
    played: Played, basket: Basket, quote: Quote, *, revenue: int, discount: int
) -> None:
    figures = played.figures
    net = sum(line.net_minor for line in quote.lines)
    figures.baskets += 1
    figures.lines += len(quote.lines)
    figures.unproved += not quote.is_best_price
    figures.gross_minor += sum(line.gross_minor for line in quote.lines)
    figures.hand_minor += sum(map(_by_hand, quote.lines))
    figures.discount_minor += discount
    figures.revenue_minor += revenue
    figures.net_minor += net
    figures.tax_minor += revenue - net
    figures.levy_minor += sum(line.levy_minor for line in quote.lines)
    for sold, line in zip(basket.lines, quote.lines, strict=True):
        _count_cost(played, sold, line)


def _by_hand(line: LineQuote) -> int:
    """What was typed off a line, with its share of what was typed off the whole basket."""
    of_basket = (one.amount_minor for one in line.discounts if one.offer == BY_HAND)
    return line.hand_minor + sum(of_basket)


def _count_cost(played: Played, sold: BasketLine, line: LineQuote) -> None:
    if sold.goods.cost_minor is not None and not sold.comes_in:
        played.figures.cost_minor += cost_of(sold)
        played.figures.costed_net_minor += line.net_minor


def _count_offers(played: Played, quote: Quote) -> None:
    for offer, times in uses_of(quote).items():
        tally = played.offer(offer)
        tally.times += times
        tally.baskets += 1
    for total in quote.offers:
        tally = played.offer(total.offer)
        tally.discount_minor += total.amount_minor
        tally.points += total.points


def _count_added(
    played: Played,
    basket: Basket,
    quote: Quote,
    account: Account | None,
    given: Mapping[str, Goods],
) -> None:
    if not quote.added:
        return
    known = {**given, **{str(line.goods.sku): line.goods for line in basket.lines}}
    for added in quote.added:
        value, cost = _worth(added, known.get(added.goods))
        for tally in (played.figures, played.offer(added.offer)):
            tally.added_units += added.units
            tally.added_value_minor += value
            tally.added_cost_minor += cost
        if account is not None:
            account.tally.added_value_minor += value


def _worth(added: AddedUnits, goods: Goods | None) -> tuple[int, int]:
    """List price and cost of what was given on top, as far as they are known."""
    if goods is None:
        return 0, 0
    return added.units * goods.list_price_minor, added.units * (goods.cost_minor or 0)
