"""Steps about stored value, gift cards, actions and draws."""

from dataclasses import replace
from functools import partial

from shared.errors import DomainError
from shared.loyalty.accounts import GiftCards, TopUpOffer
from shared.loyalty.engagement import PrizeDraw
from shared.loyalty.gift_card import check_lapsed, spent
from shared.loyalty.gift_card import sold as card_sold
from shared.loyalty.lots import draw
from shared.loyalty.prize_draw import outcome
from shared.loyalty.taking_part import check_action, check_closed, check_entries
from shared.loyalty.wallet import closing, top_up
from shared.pricing.basket import Basket
from shared.pricing.card_tax import taxes_of_card
from shared.pricing.conditions import hindrance
from shared.workbench import later_steps as told
from shared.workbench.account import Entry
from shared.workbench.result import WinState
from shared.workbench.shop import Shop


def pay_in(shop: Shop, step: told.TopUp) -> None:
    """Stored value comes in, with what the programme gives on top. It earns nothing."""
    account, rules = shop.member_account(step.member), shop.programme.stored_value
    if rules is None:
        raise DomainError("not-in-programme", what="stored_value")
    basket = replace(shop.basket(), member=account.context(shop.programme, shop.at))
    filled = top_up(account.wallet, step.amount_minor, rules, partial(_holds, basket))
    account.wallet = filled.wallet
    name = f"top-up-{shop.next_number()}"
    account.earn(name, filled.points, shop.programme, shop.at.date())
    if filled.coupons:
        shop.new_codes(filled.coupon, filled.coupons, name, step.member)
    shop.take_in(step.tender, step.amount_minor)


def _holds(basket: Basket, offer: TopUpOffer) -> bool:
    return hindrance(offer.conditions, basket) is None


def close_stored_value(shop: Shop, step: told.CloseStoredValue) -> None:
    """The principal is paid out, the bonus forfeited."""
    account = shop.member_account(step.member)
    principal, _ = closing(account.wallet)
    if not principal:
        raise DomainError("nothing-to-pay-out")
    account.wallet = replace(account.wallet, principal=0, bonus=0)
    shop.pay_out(principal)


def sell_gift_card(shop: Shop, step: told.SellGiftCard) -> None:
    """A new card. It earns nothing."""
    rules = shop.programme.gift_cards or GiftCards()
    if step.code in shop.gift_cards:
        raise DomainError("card-sold-already", code=step.code)
    amount, taxes = step.amount_minor, taxes_of_card(step.amount_minor, shop.programme)
    shop.gift_cards[step.code] = card_sold(step.code, amount, rules, shop.at.date(), taxes)
    shop.day.note_tax(taxes)
    shop.take_in(step.tender, amount)


def close_gift_card(shop: Shop, step: told.CloseGiftCard) -> None:
    """What is left is paid out."""
    card = shop.card(step.code)
    check_lapsed(card.last_day, shop.at.date())
    if not card.left:
        raise DomainError("nothing-to-pay-out")
    shop.day.note_tax(card.tax_used_by(card.left), sign=-1)
    shop.gift_cards[step.code] = spent(card, card.left, shop.at.date())
    shop.pay_out(card.left)


def act(shop: Shop, step: told.Act) -> None:
    """Points for something else than buying, as often as it counts."""
    rule = next((one for one in shop.programme.actions if one.id == step.action), None)
    if rule is None:
        raise DomainError("not-in-programme", what=step.action)
    account, today = shop.member_account(step.member), shop.at.date()
    done = {day: times for (action, day), times in account.acted_on.items() if action == rule.id}
    check_action(rule, done, today)
    account.acted_on[rule.id, today] += 1
    account.earn(f"{rule.id}-{shop.next_number()}", rule.points, shop.programme, today)


def enter_draw(shop: Shop, step: told.EnterDraw) -> None:
    """Entries for points, while the draw is open."""
    rule = _draw(shop, step.draw)
    account, today = shop.member_account(step.member), shop.at.date()
    if any(win.draw == rule.id for win in shop.wins):
        raise DomainError("draw-not-open", draw=rule.id)
    entries = shop.entries.setdefault(rule.id, [])
    own = sum(one.member == step.member for one in entries)
    cost = check_entries(rule, step.entries, own=own, at=shop.at)
    account.touch(shop.programme, today)
    account.take(draw(account.usable(shop.programme), cost, today), today)
    entries += [
        Entry(f"{step.member}/{number}", step.member)
        for number in range(own + 1, own + step.entries + 1)
    ]


def run_draw(shop: Shop, step: told.RunDraw) -> None:
    """The seed is revealed, which ends the draw, and anybody can check who won."""
    rule = _draw(shop, step.draw)
    check_closed(rule, shop.at)
    if any(win.draw == rule.id for win in shop.wins):
        raise DomainError("draw-was-run", draw=rule.id)
    members = {one.name: one.member for one in shop.entries.get(rule.id, [])}
    for win in outcome(rule, step.seed, list(members)):
        shop.wins.append(
            WinState(draw=rule.id, prize=win.prize, entry=win.entry, member=members[win.entry])
        )


def _draw(shop: Shop, draw_id: str) -> PrizeDraw:
    rule = next((one for one in shop.programme.draws if one.id == draw_id), None)
    if rule is None:
        raise DomainError("not-in-programme", what=draw_id)
    return rule
