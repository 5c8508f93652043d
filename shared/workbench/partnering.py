"""Steps about partners: what members buy there, and what comes back of it."""

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.engagement import Partner
from shared.loyalty.grace import filled, last_days_of, living_on
from shared.loyalty.lots import claw_back, draw
from shared.loyalty.partners import at_partner, returned_at_partner
from shared.loyalty.returns import points_to_lots
from shared.trade.fact import LotDraw
from shared.workbench import later_steps as told
from shared.workbench.shop import Shop
from shared.workbench.sold import PartnerSale


def buy_at_partner(shop: Shop, step: told.BuyAtPartner) -> None:
    """Points at the partner's rate, which the partner pays for."""
    partner = _partner(shop, step.partner)
    known = shop.partner_sales.setdefault(partner.id, [])
    if step.reference and any(one.reference == step.reference for one in known):
        raise DomainError("partner-reference", reference=step.reference)
    account, today = shop.member_account(step.member), shop.at.date()
    sale = at_partner(partner, step.spend_minor, step.points)
    draws: tuple[LotDraw, ...] = ()
    if step.points:
        account.touch(shop.programme, today)
        draws = draw(account.usable(shop.programme), step.points, today)
        account.take(draws, today)
    lot = LotId(f"{partner.id}-{shop.next_number()}")
    account.earn(lot, sale.points, shop.programme, today)
    known.append(PartnerSale(step.reference, step.member, lot, sale, draws))


def return_at_partner(shop: Shop, step: told.ReturnAtPartner) -> None:
    """What it earned goes back with it, and what points had paid comes back to their lots."""
    known = shop.partner_sales.get(_partner(shop, step.partner).id, [])
    sale = next((one for one in known if one.reference == step.reference), None)
    if sale is None or not step.reference:
        raise DomainError("partner-return", reference=step.reference)
    account, today = shop.member_account(sale.member), shop.at.date()
    before = sum(one.price_minor for one in sale.returns)
    amount = sale.whole.price_minor - before if step.amount_minor is None else step.amount_minor
    back = returned_at_partner(sale.whole, amount, before=before)
    given = living_on(
        points_to_lots(
            back.points_spent, sale.draws, before=sum(one.points_spent for one in sale.returns)
        ),
        last_days_of(sale.draws, account.lots),
        today,
        shop.programme.expiry,
    )
    taken = claw_back(
        filled(account.lots, given),
        back.points,
        of_sale=sale.lot,
        today=today,
        floor=shop.programme.returns.points_floor,
        forgiven_before=sale.forgiven,
    )
    account.give_back(given, taken.draws, shop.programme, today)
    sale.returns.append(back)
    sale.forgiven = taken.forgiven


def _partner(shop: Shop, partner: str) -> Partner:
    for one in shop.programme.partners:
        if one.id == partner:
            return one
    raise DomainError("not-in-programme", what=partner)
