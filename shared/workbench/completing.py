"""The end of a sale: everything that moves, moves here."""

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.gift_card import spent
from shared.loyalty.lots import draw, less
from shared.loyalty.tiers import Spending
from shared.loyalty.wallet import minus
from shared.pricing.cash import CashSettled, cash_rounding
from shared.pricing.quote import Quote
from shared.pricing.redemption import THIS_SALE
from shared.pricing.sale_lines import offers_used, sale_lines
from shared.pricing.tender_rules import demands
from shared.trade.fact import LotDraw
from shared.workbench import scenario as told
from shared.workbench.account import Account
from shared.workbench.coupons import Code
from shared.workbench.engaging import engage
from shared.workbench.returning import settle_exchanges
from shared.workbench.shop import Shop
from shared.workbench.sold import Sold, TookIn


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
    takes_cash = any(tender.tender == "cash" for tender in shop.tenders)
    if due and not (takes_cash and in_cash == 0):
        raise DomainError("not-settled", due=due)
    shop.check_paying(quote)
    account = shop.account
    demands(shop.basket(), shop.programme, shop.bought_today())
    rewards = _reward_draws(shop, quote)
    shop.sales += 1
    sale = step.sale or f"sale-{shop.sales}"
    sold = _sold(shop, quote, sale, rewards)
    shop.sold[sale] = sold
    _move_money(shop, sold)
    settle_exchanges(shop, max(0, quote.total_minor))
    _hand_out(shop, -quote.total_minor)
    _use_up(shop, quote)
    for one in quote.issued:
        codes = shop.new_codes(one.coupon, one.units, sale, shop.member or "")
        sold.issued = (*sold.issued, *codes)
    if account is not None:
        _move_member(shop, account, sold)
    shop.uses.update(sold.uses)
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


def _sold(shop: Shop, quote: Quote, sale: str, rewards: tuple[LotDraw, ...]) -> Sold:
    basket = shop.basket()
    payment = shop.payment
    paid = payment.draws if payment else ()
    own = [LotDraw(lot=LotId(sale), points=d.points) for d in paid if d.lot == THIS_SALE]
    return Sold(
        sale=sale,
        at=shop.at,
        programme=shop.programme,
        basket=basket,
        quote=quote,
        earning=shop.earning(quote),
        lines=sale_lines(basket, quote, payment=payment),
        member=shop.member,
        took=[
            TookIn(tender=one.tender, amount=one.amount_minor, code=one.code)
            for one in shop.tenders
            if not one.tender.startswith("points")
        ],
        draws=(*rewards, *(d for d in paid if d.lot != THIS_SALE), *own),
        reward_draws=sum(one.points for one in rewards),
        paid_with_points=payment.value_minor if payment else 0,
        points_tender=next(
            (one.tender for one in shop.tenders if one.tender.startswith("points")), "points"
        ),
        cash=_settled_in_cash(shop, quote),
        used=tuple(quote.coupons_used),
        issued=(),
        uses=offers_used(quote),
    )


def _settled_in_cash(shop: Shop, quote: Quote) -> CashSettled:
    paid = shop.tendered("cash")
    others = sum(one.amount_minor for one in shop.tenders) - paid
    return CashSettled(due=max(0, quote.total_minor - shop.credit) - others, paid=paid)


def _move_money(shop: Shop, sold: Sold) -> None:
    for took in sold.took:
        if took.tender == "cash":
            shop.drawer += took.amount
        elif took.tender == "gift-card":
            card = shop.card(took.code)
            shop.untax(card, took.amount)
            shop.gift_cards[took.code] = spent(card, took.amount, shop.at.date())
        elif took.tender == "stored-value" and shop.account is not None:
            took.parts = shop.wallet_share(took.amount)
            shop.account.wallet = minus(shop.account.wallet, took.parts)


def _hand_out(shop: Shop, money: int) -> None:
    """What the customer handed in is worth more than the goods: the rest is paid out in cash."""
    if money > 0:
        cash = cash_rounding(money, shop.programme).due_minor
        shop.drawer -= cash
        shop.day.tenders["cash"] -= cash


def _move_member(shop: Shop, account: Account, sold: Sold) -> None:
    today, programme = shop.at.date(), shop.programme
    account.touch(programme, today)
    engage(shop, account, sold)
    own = [one for one in sold.draws if one.lot == sold.sale]
    account.take([one for one in sold.draws if one.lot != sold.sale], today)
    account.earn(sold.sale, sold.points_earned, programme, today)
    account.take(own, today)
    account.spending.append(
        Spending(
            sale=sold.sale,
            day=today,
            spend_minor=sold.earning.spend_minor,
            growth=sold.earning.growth_total,
        )
    )
    account.uses.update(sold.uses)
    account.uses_on.update({(today, offer): times for offer, times in sold.uses.items()})
    for rule in programme.restrictions:
        bought = (line for line in sold.basket.lines if not line.comes_in)
        units = sum(line.units or 1 for line in bought if rule.goods.contains(line.goods))
        account.bought_on[today, rule.id] += units
