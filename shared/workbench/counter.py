"""Steps about the counter: baskets put aside, the programme as it changes, drawer and day."""

from msgspec.structs import replace as replace_in

from shared.errors import DomainError
from shared.loyalty.liability import best_value, liability
from shared.loyalty.validation import check
from shared.workbench import later_steps as told
from shared.workbench import scenario
from shared.workbench.day import Day
from shared.workbench.result import DayState, DrawerState, LiabilityState, LotOwed
from shared.workbench.shop import Held, Shop
from shared.workbench.wall import instant, on_the_wall


def cancel(shop: Shop, _step: scenario.Cancel) -> None:
    """The basket is given up with everything that was taken for it."""
    shop.clear()


def move_clock(shop: Shop, step: scenario.MoveClock) -> None:
    """It is a later time."""
    at = on_the_wall(step.at, shop.zone)
    if instant(at, shop.zone) < instant(shop.at, shop.zone):
        raise DomainError("clock-back", now=shop.at.isoformat(sep=" "))
    shop.at = at


def hold(shop: Shop, step: told.Hold) -> None:
    """Put the basket aside; nothing may be paid of it, and nothing come back with it."""
    shop.untendered()
    if shop.exchanges:
        raise DomainError("exchange-first", sale=shop.exchanges[0].sold.name)
    if not shop.lines:
        raise DomainError("basket-empty")
    if step.name in shop.held:
        raise DomainError("held-already", name=step.name)
    shop.held[step.name] = Held(
        lines=tuple(shop.lines),
        added_lines=shop.added_lines,
        claims=tuple(shop.claims),
        rewards=dict(shop.rewards),
        gifts=dict(shop.gifts),
        discount=shop.discount,
        paying=shop.paying,
        paying_share=shop.paying_share,
        lowering=shop.lowering,
        member=shop.member,
    )
    shop.clear()


def recall(shop: Shop, step: told.Recall) -> None:
    """Take a basket up again; the running one has to be empty."""
    if shop.lines:
        raise DomainError("basket-not-empty")
    if step.name not in shop.held:
        raise DomainError("nothing-held", name=step.name)
    held = shop.held.pop(step.name)
    shop.lines, shop.claims = list(held.lines), list(held.claims)
    shop.added_lines = held.added_lines
    shop.rewards, shop.gifts, shop.member = dict(held.rewards), dict(held.gifts), held.member
    shop.discount, shop.lowering = held.discount, held.lowering
    shop.paying, shop.paying_share = held.paying, held.paying_share


def change_offer(shop: Shop, step: told.ChangeOffer) -> None:
    """The programme is another from now on; sales of before keep theirs."""
    offers = list(shop.programme.offers)
    known = [offer for offer in offers if offer.id == step.offer]
    if not known and step.replacement is None:
        raise DomainError("not-in-programme", what=step.offer)
    offers = [offer for offer in offers if offer.id != step.offer]
    coupons = shop.programme.coupons
    if step.replacement is None:
        coupons = tuple(one for one in coupons if one.offer != step.offer)
    else:
        offers.append(step.replacement)
    changed = replace_in(shop.programme, offers=tuple(offers), coupons=coupons)
    check(changed)
    shop.programme = changed


def change_price_list(shop: Shop, step: told.ChangePriceList) -> None:
    """Other prices from now on."""
    lists = shop.programme.price_lists
    if all(one.id != step.price_list for one in lists):
        raise DomainError("not-in-programme", what=step.price_list)
    changed = tuple(
        replace_in(one, prices=step.prices) if one.id == step.price_list else one
        for one in lists
        if step.prices or one.id != step.price_list
    )
    programme = replace_in(shop.programme, price_lists=changed)
    check(programme)
    shop.programme = programme


def tell_liability(shop: Shop, step: told.TellLiability) -> None:
    """Lot by lot, as at the end of a day; lots end by what is known of them now."""
    on = step.on or shop.at.date()
    worth = best_value(shop.programme)
    owed: list[LotOwed] = []
    value = 0
    for member, account in shop.accounts.items():
        ends = {str(lot.lot): lot.last_day for lot in account.usable(shop.programme)}
        found = liability(
            account.moves,
            ends,
            on,
            value_per_block_minor=worth.value_minor,
            points_per_block=worth.points,
        )
        value += found.value_minor
        owed += [
            LotOwed(member=member, lot=one.lot, outstanding=one.outstanding, lapsed=one.lapsed)
            for one in found.lots
            if one.outstanding or one.lapsed
        ]
    shop.liability = LiabilityState(
        on=on.isoformat(),
        outstanding=sum(one.outstanding for one in owed),
        breakage=sum(one.lapsed for one in owed),
        value_minor=value,
        lots=tuple(owed),
    )


def move_cash(shop: Shop, step: told.MoveCash) -> None:
    """Cash that no sale moves."""
    if step.amount_minor <= 0:
        raise DomainError("amount-not-positive", amount=step.amount_minor)
    shop.drawer += step.amount_minor if step.kind == "paid-in" else -step.amount_minor


def count_drawer(shop: Shop, step: told.CountDrawer) -> None:
    """What was expected, what is there, and the difference."""
    expected = shop.float_minor + shop.drawer
    shop.drawer_count = DrawerState(
        expected_minor=expected,
        counted_minor=step.amount_minor,
        difference_minor=step.amount_minor - expected,
    )


def close_day(shop: Shop, _step: told.CloseDay) -> None:
    """The day's totals; an open basket is for the next day."""
    if shop.lines or shop.tenders:
        raise DomainError("basket-not-empty")
    day = shop.day
    shop.days.append(
        DayState(
            sales=day.sales,
            turnover_minor=day.turnover_minor,
            tax_minor=dict(day.tax),
            refunded_tax_minor={name: tax for name, tax in day.refunded_tax.items() if tax},
            tenders_minor=dict(day.tenders),
            refunds=day.refunds,
            refunded_minor=day.refunded_minor,
            paid_in_minor=day.paid_in_minor,
            paid_out_minor=day.paid_out_minor,
            points_earned=day.points_earned,
            points_spent=day.points_spent,
            points_taken_back=day.points_taken_back,
            expected_minor=shop.float_minor + shop.drawer,
        )
    )
    shop.day = Day()
