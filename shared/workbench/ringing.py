"""Steps that ring up: goods, prices, who buys, what is claimed."""

from dataclasses import replace
from datetime import date

from shared.catalogue.batches import check_batch
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import CouponId
from shared.loyalty.effects import FurtherUnits, Gift
from shared.loyalty.offers import Offer, mixed_gifts
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import ANY_MEMBER, WHOLE, BasketLine, CouponClaim, HandDiscount
from shared.workbench import scenario as told
from shared.workbench.coupons import check
from shared.workbench.shop import Shop

TIMES_MAX = 1_000
"""A reward is claimed so often in one sale at most."""


def add(shop: Shop, step: told.Add) -> None:
    """Ring goods up."""
    shop.untendered()
    goods = shop.goods.get(step.goods)
    if goods is None:
        raise DomainError("unknown-goods", goods=step.goods)
    _check_batch(goods, step, shop.at.date())
    shop.lines.append(
        BasketLine(
            id=_line_name(shop, step.line),
            goods=goods,
            units=_units(step),
            grams=step.grams,
            price_minor=step.price_minor,
            label_minor=step.label_minor,
            comes_in=step.comes_in,
            batch=step.batch,
        )
    )


def _units(step: told.Add) -> int:
    if step.units is not None:
        return step.units
    return 0 if step.grams else 1


def _line_name(shop: Shop, wanted: str) -> str:
    """The name of a new line: its own, else the next number that no line has."""
    taken = {line.id for line in shop.lines}
    if wanted in taken:
        raise DomainError("line-named-twice", line=wanted)
    while not wanted or wanted in taken:
        shop.added_lines += 1
        wanted = str(shop.added_lines)
    return wanted


def _check_batch(goods: Goods, step: told.Add, today: date) -> None:
    """DomainError ``unknown-batch``, ``batch-recalled`` or ``batch-lapsed``."""
    if step.comes_in:
        return
    if step.batch and all(one.batch != step.batch for one in goods.batches):
        raise DomainError("unknown-batch", goods=step.goods, batch=step.batch)
    check_batch(goods.sku, goods.batches, step.batch, today)


def remove(shop: Shop, step: told.Remove) -> None:
    """Take a line off."""
    shop.untendered()
    shop.lines.remove(shop.line(step.line))


def set_quantity(shop: Shop, step: told.SetQuantity) -> None:
    """Other units, or grams; none of either takes the line off."""
    if not step.units and not step.grams:
        remove(shop, told.Remove(line=step.line))
        return
    shop.change(step.line, units=step.units, grams=step.grams)


def set_price(shop: Shop, step: told.SetPrice) -> None:
    """A price typed by hand, or the catalogue's again."""
    shop.change(step.line, price_minor=step.price_minor)


def discount(shop: Shop, step: told.Discount) -> None:
    """A discount typed by hand, on a line or on the whole basket."""
    hand = HandDiscount(basis_points=step.basis_points, amount_minor=step.amount_minor)
    given = hand if step.basis_points or step.amount_minor else None
    if step.line:
        shop.change(step.line, discount=given)
        return
    if not 0 <= step.basis_points <= WHOLE or not 0 <= step.amount_minor <= AMOUNT_MINOR_MAX:
        raise DomainError("bad-discount")
    shop.untendered()
    shop.discount = given


def set_member(shop: Shop, step: told.SetMember) -> None:
    """Who buys."""
    shop.untendered()
    if step.member is not None and step.member not in shop.accounts:
        raise DomainError("no-such-member", member=step.member)
    if step.member != shop.member:
        shop.lowering = None
    shop.member = step.member


def claim(shop: Shop, step: told.Claim) -> None:
    """A coupon by its code."""
    shop.untendered()
    if any(claim.instance == step.code for claim in shop.claims):
        raise DomainError("coupon-claimed-already")
    held, coupon = shop.coupons.get(step.code), step.coupon
    if held is not None:
        check(held, shop.member, shop.at.date())
        coupon = coupon or held.coupon
    if coupon != (held.coupon if held else coupon) or not coupon:
        raise DomainError("code-of-another-coupon", code=step.code, coupon=step.coupon)
    claimed = CouponClaim(coupon, CouponId(step.code))
    if held is not None:
        claimed = replace(
            claimed, bearer=held.member, first_day=held.from_day, last_day=held.last_day
        )
    elif any(one.id == coupon and one.personal for one in shop.programme.coupons):
        claimed = replace(claimed, bearer=ANY_MEMBER)
    shop.claims.append(claimed)


def unclaim(shop: Shop, step: told.Unclaim) -> None:
    """A claimed code is given back."""
    shop.untendered()
    if all(claim.instance != step.code for claim in shop.claims):
        raise DomainError("not-claimed", code=step.code)
    shop.claims = [claim for claim in shop.claims if claim.instance != step.code]


def reward(shop: Shop, step: told.Reward) -> None:
    """A reward so many times."""
    shop.untendered()
    offer = _offer(shop, step.offer)
    if not offer.is_reward:
        raise DomainError("not-a-reward", offer=offer.id)
    if not 0 <= step.times <= TIMES_MAX:
        raise DomainError("reward-times", offer=offer.id, times=step.times, highest=TIMES_MAX)
    shop.rewards[step.offer] = step.times


def choose_gift(shop: Shop, step: told.ChooseGift) -> None:
    """One of the gifts of an offer, some of each, or none of them."""
    offer = _offer(shop, step.offer)
    is_mixed = step.offer in mixed_gifts([offer])
    if step.mix and (step.goods or not is_mixed):
        raise DomainError("gifts-not-mixed", offer=step.offer)
    wanted = [goods for goods, units in sorted(step.mix.items()) for _ in range(units)]
    if step.goods:
        wanted = [step.goods] * (_units_at_most(shop, offer) if is_mixed else 1)
    for goods in wanted:
        if not _may_be_given(shop, offer, goods):
            raise DomainError("not-among-gifts", offer=step.offer, goods=goods)
    shop.gifts[step.offer] = tuple(wanted)


def _units_at_most(shop: Shop, offer: Offer) -> int:
    """How many units all codes and claims of a gift could give together."""
    assert isinstance(offer.effect, Gift)
    return offer.effect.units * max(1, len(shop.claims) + shop.rewards.get(offer.id, 0))


def _may_be_given(shop: Shop, offer: Offer, goods: str) -> bool:
    match offer.effect:
        case Gift(choices=choices):
            return goods in choices
        case FurtherUnits(together=True):
            return offer.goods.contains(shop.article(goods))
        case _:
            return False


def _offer(shop: Shop, offer_id: str) -> Offer:
    """DomainError ``not-in-programme``."""
    for offer in shop.programme.offers:
        if offer.id == offer_id:
            return offer
    raise DomainError("not-in-programme", what=offer_id)
