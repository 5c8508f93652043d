"""Steps that pay: any number of tenders, points among them."""

from dataclasses import replace

from shared.errors import DomainError
from shared.loyalty.gift_card import spent
from shared.loyalty.prepaid_tax import class_of
from shared.loyalty.programme import Treatment
from shared.money import Rounding, divide_rounded
from shared.pricing.card_tax import payable_by_card
from shared.pricing.quote import Quote
from shared.pricing.redemption import Lowering, offered, redeem, reduce
from shared.pricing.tender_rules import payable, rule_of, tender_name
from shared.trade.fact import TenderKind
from shared.workbench import scenario as told
from shared.workbench.result import TenderState
from shared.workbench.shop import Shop


def plan_tender(shop: Shop, step: told.PlanTender) -> None:
    """How the customer wants to pay."""
    shop.untendered()
    if step.tender:
        _check_tender(shop, step.tender)
    shop.paying, shop.paying_share = step.tender, step.share_basis_points


def spend_points(shop: Shop, step: told.SpendPoints) -> None:
    """Points pay, or lower the price."""
    basket, account = shop.basket(), shop.account
    if account is None:
        raise DomainError("points-need-member")
    if shop.payment is not None or shop.lowering is not None:
        raise DomainError("points-tendered-already")
    quote, lots = shop.quote(), shop.free_lots()
    most = offered(basket, quote, shop.programme, lots, step.rule)
    wanted = most.points if step.points is None else step.points
    rules = {rule.id: rule for rule in shop.programme.redemptions}
    named = rules.get(step.rule or most.rule)
    if named is not None and named.treatment is Treatment.PRICE_REDUCTION:
        shop.untendered()
        reduce(basket, quote, wanted, shop.programme, lots, named.id)
        shop.lowering = Lowering(step.points, named.id)
        return
    payment = redeem(basket, quote, wanted, shop.programme, lots, step.rule)
    tender = "points"
    if rules[payment.rule].treatment is Treatment.THIRD_PARTY:
        tender = "points-third-party"
    _take(shop, tender, payment.value_minor, points=payment.points)
    shop.payment = payment


def pay(shop: Shop, step: told.Pay) -> None:
    """A payment of any kind."""
    if step.amount_minor is not None and step.amount_minor < 0:
        raise DomainError("amount-not-positive", amount=step.amount_minor)
    if step.tender == "points":
        spend_points(shop, told.SpendPoints(points=_points_worth(shop, step.amount_minor)))
        return
    _check_tender(shop, step.tender)
    if not shop.lines and not shop.exchanges:
        raise DomainError("basket-empty")
    _plan_to_pay(shop, step)
    quote = shop.quote()
    due, in_cash = shop.due(quote)
    if step.tender == "cash":
        given = in_cash if step.amount_minor is None else step.amount_minor
        if in_cash and not given:
            raise DomainError("amount-not-positive", amount=0)
        # Rounding may ask for more than is due.
        _take(shop, "cash", min(given, in_cash), most=in_cash, change=max(0, given - in_cash))
        return
    most = _most(shop, step, quote)
    given = min(due, most) if step.amount_minor is None else step.amount_minor
    # What pays nothing is not changed into cash.
    is_changed = 0 < due < given and _gives_change(shop, step.tender)
    amount = due if is_changed else given
    if due and step.amount_minor == 0:
        raise DomainError("amount-not-positive", amount=0)
    if due and not amount:
        raise DomainError("tender-may-not-pay", tender=step.tender, amount=due, most=most)
    if most < amount <= due:
        raise DomainError("tender-may-not-pay", tender=step.tender, amount=amount, most=most)
    if is_changed:
        _take_and_change(shop, step.tender, given, quote)
    else:
        _take(shop, step.tender, amount, code=step.code)


def _take_and_change(shop: Shop, tender: str, given: int, quote: Quote) -> None:
    """More than is due: what coins give back of it too little, or too much, is rounding."""
    total = max(0, quote.total_minor - shop.credit)
    change = shop.handed.change_for(given, total, shop.programme)
    _take(shop, tender, given - change, most=given - change, change=change, given=given)


def _gives_change(shop: Shop, tender: str) -> bool:
    rule = rule_of(tender, shop.programme)
    return rule is not None and rule.gives_change


def _plan_to_pay(shop: Shop, step: told.Pay) -> None:
    """The first tender pays everything: offers that ask for it apply, else they do not."""
    if shop.tenders or shop.paying or not shop.has_paying_offers:
        return
    shop.paying = step.tender
    quote = shop.quote()
    due, in_cash = shop.due(quote)
    whole, most = (in_cash, in_cash) if step.tender == "cash" else (due, _most(shop, step, quote))
    if (most if step.amount_minor is None else step.amount_minor) < whole:
        shop.paying = ""


def _points_worth(shop: Shop, amount: int | None) -> int | None:
    """How many points pay an amount, by the rule that pays most."""
    if amount is None:
        return None
    most = offered(shop.basket(), shop.quote(), shop.programme, shop.free_lots())
    rules = {rule.id: rule for rule in shop.programme.redemptions}
    rule = rules.get(most.rule)
    if rule is None:
        raise DomainError("points-not-accepted")
    block, value = rule.points_per_block, rule.value_per_block_minor
    return divide_rounded(max(0, amount) * block, value, Rounding.UP)


def _check_tender(shop: Shop, tender: str) -> None:
    """DomainError ``unknown-tender``."""
    known = {tender_name(kind) for kind in TenderKind} - {"points"}
    if tender not in known and rule_of(tender, shop.programme) is None:
        raise DomainError("unknown-tender", tender=tender)


def _most(shop: Shop, step: told.Pay, quote: Quote) -> int:
    """The most that a tender may still pay. Raises what stands against it at all."""
    most = payable(step.tender, shop.basket(), quote, shop.programme)
    most -= sum(one.amount_minor for one in shop.tenders if one.tender == step.tender)
    if step.tender == "stored-value":
        if shop.account is None:
            raise DomainError("stored-value-needs-member")
        left = shop.account.wallet.total - shop.tendered("stored-value")
        if step.amount_minor is not None and step.amount_minor > left:
            raise DomainError("stored-value-not-enough", amount=step.amount_minor, balance=left)
        return min(most, left)
    if step.tender == "gift-card":
        card = shop.card(step.code)
        left = card.left - shop.tendered("gift-card", step.code)
        spent(replace(card, left=left), step.amount_minor or 0, shop.at.date())
        if card.as_sold:
            name = class_of(card.as_sold)
            most = min(most, payable_by_card(quote, name, shop.given()))
        return min(most, left)
    return most


def _take(
    shop: Shop,
    tender: str,
    amount: int,
    *,
    most: int | None = None,
    change: int = 0,
    given: int = 0,
    points: int = 0,
    code: str = "",
) -> None:
    due = shop.due(shop.quote())[0] if most is None else most
    if not 0 <= amount <= due:
        raise DomainError("tender-exceeds-due", amount=amount, due=due)
    shop.tenders.append(
        TenderState(
            tender=tender,
            amount_minor=amount,
            change_minor=change,
            given_minor=given,
            points=points,
            code=code,
        )
    )
