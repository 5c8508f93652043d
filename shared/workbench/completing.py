"""The end of a sale: everything that moves, moves here."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from shared.errors import DomainError
from shared.loyalty.gift_card import spent
from shared.loyalty.lots import draw, less
from shared.loyalty.prepaid_tax import TaxTable
from shared.loyalty.tiers import Spending
from shared.loyalty.wallet import minus
from shared.pricing.cash import cash_rounding
from shared.pricing.quote import Quote
from shared.pricing.sale_fact import own_lot_named
from shared.pricing.sale_lines import offers_used
from shared.pricing.tender_rules import demands
from shared.returning.rewards import drawn
from shared.trade.fact import LotDraw, Tender
from shared.workbench import scenario as told
from shared.workbench.account import Account
from shared.workbench.coupons import Code
from shared.workbench.engaging import engage
from shared.workbench.facts import (
    coupon_issued,
    sale_fact,
    with_benefits,
)
from shared.workbench.returning import settle_exchanges
from shared.workbench.shop import Shop
from shared.workbench.sold import Sold
from shared.workbench.tenders import points_fact, tender_fact


def complete(shop: Shop, step: told.Complete) -> None:
    """Finish the sale; one that is complete already stays as it is."""
    is_repeat = not step.sale and shop.sold and not shop.lines and not shop.exchanges
    if is_repeat or step.sale in shop.sold:
        if shop.lines or shop.exchanges:
            raise DomainError("sale-named-twice", sale=step.sale)
        shop.repeats += 1
        return
    quote = shop.quote()
    if not shop.lines and not shop.exchanges:
        raise DomainError("basket-empty")
    _check_choices(shop, quote)
    due, in_cash = shop.due(quote)
    if due and not (shop.handed.moves_cash and in_cash == 0):
        raise DomainError("not-settled", due=due)
    shop.check_paying(quote)
    account = shop.account
    demands(shop.basket(), shop.programme, shop.bought_today())
    rewards = _reward_draws(shop, quote)
    shop.sales += 1
    sale = step.sale or f"sale-{shop.sales}"
    priced = shop.basket(), quote, shop.earning(quote)
    tenders = own_lot_named(tuple(_tenders(shop, rewards)), sale)
    fact = sale_fact(shop, sale, priced, shop.payment, tenders)
    sold = Sold(name=sale, at=shop.at, programme=shop.programme, basket=priced[0], fact=fact)
    shop.sold[sale] = sold
    settle_exchanges(shop, max(0, quote.total_minor))
    _hand_out(shop, -quote.total_minor)
    _use_up(shop, quote)
    codes = [
        code
        for one in quote.issued
        for code in shop.new_codes(one.coupon, one.units, sale, shop.member or "")
    ]
    given = engage(shop, priced[0], quote, sale)
    codes += [code for card in given.cards for code in card.coupons]
    issued = [coupon_issued(shop, code) for code in codes]
    sold.fact = with_benefits(fact, issued, given.cards, given.referral)
    uses = offers_used(quote)
    if account is not None:
        _move_member(shop, account, sold, uses)
    shop.uses.update(uses)
    shop.day.count(sold)
    shop.clear()


def _check_choices(shop: Shop, quote: Quote) -> None:
    """DomainError ``gift-open`` while the customer has neither chosen nor declined a gift."""
    for one in quote.added:
        if not one.goods and one.offer not in shop.gifts:
            raise DomainError("gift-open", offer=one.offer, choices=", ".join(one.choices))


def _use_up(shop: Shop, quote: Quote) -> None:
    """A code that nobody issued before is known from now on."""
    bought = {str(claim.instance): claim.coupon for claim in shop.claims}
    uses = {coupon.id: coupon.uses for coupon in shop.programme.coupons}
    for code in quote.coupons_used:
        if code not in shop.coupons:
            coupon = bought[code]
            shop.coupons[code] = Code(code=code, coupon=coupon, uses_left=uses[coupon])
        shop.coupons[code].uses_left -= 1


def _reward_draws(shop: Shop, quote: Quote) -> tuple[LotDraw, ...]:
    """Lots that rewards take; refused before anything moves."""
    if shop.account is None or not quote.reward_points:
        return ()
    paid = shop.payment.draws if shop.payment else ()
    left = less(shop.account.usable(shop.programme), paid)
    return draw(left, quote.reward_points, shop.at.date())


def _tenders(shop: Shop, rewards: tuple[LotDraw, ...]) -> Iterator[Tender]:
    """What paid, moved into the drawer or out of the accounts, and the points that went."""
    for one in shop.tenders:
        bonus = 0
        prepaid: TaxTable = ()
        if one.tender == "cash":
            shop.drawer += one.amount_minor
        elif one.tender == "gift-card":
            card = shop.card(one.code)
            prepaid = card.tax_used_by(one.amount_minor)
            shop.gift_cards[one.code] = spent(card, one.amount_minor, shop.at.date())
        elif one.tender == "stored-value" and shop.account is not None:
            parts = shop.wallet_share(one.amount_minor)
            shop.account.wallet, bonus = minus(shop.account.wallet, parts), parts.bonus
        if not one.tender.startswith("points"):
            paid = tender_fact(
                one.tender, one.amount_minor, code=one.code, bonus=bonus, prepaid=prepaid
            )
            # Change is cash, whatever it was given for; of cash only what stays was counted.
            change = 0 if one.tender == "cash" else one.change_minor
            shop.drawer -= change
            yield replace(paid, given=one.given_minor, change=change)
        elif shop.payment is not None:
            yield points_fact(one.tender, shop.payment.value_minor, shop.payment.draws)
    if rewards:
        yield points_fact("points", 0, rewards)


def _hand_out(shop: Shop, money: int) -> None:
    """What the customer handed in is worth more than the goods: the rest is paid out in cash."""
    if money > 0:
        cash = cash_rounding(money, shop.programme).due_minor
        shop.drawer -= cash
        shop.day.tenders["cash"] -= cash


def _move_member(shop: Shop, account: Account, sold: Sold, uses: Counter[str]) -> None:
    today, programme = shop.at.date(), shop.programme
    outcome = sold.fact.member
    assert outcome is not None
    draws = drawn(sold.fact)
    own = [one for one in draws if one.lot == sold.name]
    account.take([one for one in draws if one.lot != sold.name], today)
    account.earn(sold.name, outcome.points.earned, programme, today)
    account.take(own, today)
    account.spending.append(
        Spending(sale=sold.name, day=today, spend_minor=outcome.spend, growth=outcome.growth)
    )
    account.uses.update(uses)
    account.uses_on.update({(today, offer): times for offer, times in uses.items()})
