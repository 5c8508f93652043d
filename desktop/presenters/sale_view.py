"""The basket, its member and what it lacks, as the sale page shows them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from desktop.presenters.text import Amount, Join, Moment, Text, goods_name, name_of, say
from desktop.presenters.view import CouponRow, DiscountRow, LineRow, MemberPanel
from desktop.services.basket import BasketState, OpenBasket
from desktop.services.checkout import Checkout
from desktop.store.members import Member
from shared.catalogue.goods import Goods, SoldBy
from shared.loyalty.lots import Lot, spendable
from shared.loyalty.member_now import lots_now, points_now, standing_now
from shared.loyalty.programme import InOneSale, InTotal, InWindow, Programme
from shared.loyalty.reminding import lapsing_soon
from shared.loyalty.stamps import NO_STAMPS
from shared.points import format_points
from shared.pricing.after_offers import BY_HAND
from shared.pricing.basket import BasketLine
from shared.pricing.engagement import stamp_cards
from shared.pricing.quote import AddedUnits, LineQuote, Quote, Reason
from shared.trade.fact import CardStamped

GIVEN = "given/"
"""Before the offer in the id of a row that no scan made."""


def line_rows(basket: OpenBasket, selected: str) -> tuple[LineRow, ...]:
    """The table."""
    programme = basket.pricing.programme
    names: dict[str, Text] = {offer.id: name_of(offer.names) for offer in programme.offers}
    names |= {BY_HAND: say("till.sale.basket-discount")}
    names |= {rule.id: name_of(programme.points.names) for rule in programme.redemptions}
    return tuple(
        _row(number, line, quote, names, is_selected=line.id == selected)
        for number, (line, quote) in enumerate(
            zip(basket.state.lines, basket.quote.lines, strict=True), start=1
        )
    )


def _row(
    number: int, line: BasketLine, quote: LineQuote, names: Mapping[str, Text], *, is_selected: bool
) -> LineRow:
    discounts = [
        DiscountRow(names.get(one.offer, one.offer), one.amount_minor) for one in quote.discounts
    ]
    if quote.hand_minor:
        discounts.insert(0, DiscountRow(say("till.sale.hand-discount"), quote.hand_minor))
    return LineRow(
        line_id=line.id,
        number=number,
        name=line_name(line),
        quantity=line.quantity,
        is_weighed=line.goods.sold_by is SoldBy.WEIGHT,
        unit_price=quote.unit_price_minor,
        amount=quote.pay_minor + sum(one.minor for one in discounts),
        discounts=tuple(discounts),
        is_selected=is_selected,
        is_manual=line.is_manual,
    )


def line_name(line: BasketLine) -> Text:
    """The article; what is handed in says so."""
    name = goods_name(line.goods)
    return say("till.sale.comes-in-line", name=name) if line.comes_in else name


def given_rows(
    basket: OpenBasket, articles: Mapping[str, Goods], first: int
) -> tuple[LineRow, ...]:
    """What offers give on top, below the lines; a gift that is to be chosen says so."""
    names = {offer.id: name_of(offer.names) for offer in basket.pricing.programme.offers}
    declined = {offer for offer, goods in basket.state.gifts if not goods}
    return tuple(
        _given_row(number, one, articles.get(one.goods), names.get(one.offer, one.offer))
        for number, one in enumerate(
            (one for one in basket.quote.added if one.goods or one.offer not in declined), first
        )
    )


def _given_row(number: int, given: AddedUnits, goods: Goods | None, offer: Text) -> LineRow:
    price = goods.list_price_minor if goods else 0
    worth = price * given.units
    return LineRow(
        line_id=f"{GIVEN}{given.offer}",
        number=number,
        name=goods_name(goods) if goods else say("till.gift.open"),
        quantity=given.units,
        is_weighed=False,
        unit_price=price,
        amount=worth,
        discounts=(DiscountRow(offer, worth),),
        is_selected=False,
        is_manual=False,
    )


def given_worth(basket: OpenBasket, articles: Mapping[str, Goods]) -> int:
    """What all that is given on top costs at list price."""
    given = (one for one in basket.quote.added if one.goods)
    return sum(articles[one.goods].list_price_minor * one.units for one in given)


def item_count(state: BasketState) -> int:
    """Pieces that are bought, each weighed line counting as one."""
    return sum(line.units or 1 for line in state.lines if not line.comes_in)


def coupon_rows(basket: OpenBasket) -> tuple[CouponRow, ...]:
    """Claimed coupons."""
    names = {coupon.id: name_of(coupon.names) for coupon in basket.pricing.programme.coupons}
    used = basket.quote.coupons_used
    return tuple(
        CouponRow(names.get(claim.coupon, claim.coupon), claim.instance in used)
        for claim in basket.state.claims
    )


def unlock_text(quote: Quote, programme: Programme) -> Text:
    """The offer for which least is missing, or one whose coupon needs to know whose it is."""
    near = quote.nearest_unlock
    names = {offer.id: name_of(offer.names) for offer in programme.offers}
    if near is None:
        nobodys = [one for one in quote.explanations if one.reason is Reason.MEMBER_NEEDED]
        offer = nobodys[0].offer if nobodys else ""
        return say("till.sale.unlock-member", offer=names[offer]) if offer else ""
    return say(
        "till.sale.unlock",
        missing=Amount(near.missing_minor),
        offer=names.get(near.offer, near.offer),
    )


def member_panel(member: Member, checkout: Checkout, now: datetime) -> MemberPanel:
    """The member at a glance: points and their worth, what lapses, the way to the next tier."""
    basket = checkout.basket
    programme = basket.pricing.programme
    decimals = programme.points.decimals
    free = spendable(lots_now(member, programme), now.date())
    worth = [
        free * one.value_per_block_minor // one.points_per_block for one in programme.redemptions
    ]
    next_tier, progress = _next_tier(member, programme, now)
    stamped = stamp_cards(*basket.priced(), programme, member.cards, now.date())
    referral = checkout.referral()
    earns = basket.quote.earning.points_total + sum(card.points_total for card in stamped)
    earns += referral.for_friend if referral else 0
    return MemberPanel(
        name=member.name,
        tail=member.card_tail or member.phone_tail,
        tier=tier_name(programme, standing_now(member, programme, now.date()).tier),
        points=format_points(points_now(member, programme, now.date()), decimals),
        worth=max(worth, default=0),
        earns=format_points(earns, decimals),
        lapsing=_lapsing(lots_now(member, programme), programme, now),
        next_tier=next_tier,
        progress_percent=progress,
        as_of=_as_of(member, now),
        cards=tuple(_cards(member, programme, stamped)),
    )


def _cards(member: Member, programme: Programme, stamped: Iterable[CardStamped]) -> Iterator[Text]:
    """Cards that were begun, or that this sale begins."""
    by_card = {one.card: one for one in stamped if one.added}
    for card in programme.visit_cards:
        before = member.cards.get(card.id, NO_STAMPS).stamps
        told = {"card": name_of(card.names), "stamps": before, "size": card.stamps}
        one = by_card.get(card.id)
        if one is None and before:
            yield say("till.member.card", **told)
        elif one is not None and one.filled:
            yield say("till.member.card-full", **told, added=one.added)
        elif one is not None:
            yield say("till.member.card-added", **told, added=one.added)


def tier_name(programme: Programme, tier: str) -> Text:
    """A tier's name; its id where the programme has it no more."""
    return next((name_of(one.names) for one in programme.tiers.ladder if one.id == tier), tier)


def _as_of(member: Member, now: datetime) -> Text:
    if not member.balance_as_of:
        return ""
    at = datetime.fromisoformat(member.balance_as_of).astimezone(now.tzinfo)
    return say("till.member.as-of", at=Moment(at))


def _lapsing(lots: Sequence[Lot], programme: Programme, now: datetime) -> Text:
    soon = lapsing_soon(lots, programme.expiry, now.date())
    if not soon:
        return ""
    on = Moment(datetime.combine(soon[0].last_day, datetime.min.time(), now.tzinfo), is_date=True)
    points = format_points(soon[0].points, programme.points.decimals)
    return say("till.member.lapsing", points=points, on=on)


def _next_tier(member: Member, programme: Programme, now: datetime) -> tuple[Text, int]:
    stands = standing_now(member, programme, now.date())
    near = stands.nearest
    if near is None or not isinstance(near.condition, InTotal | InOneSale | InWindow):
        return "", 100
    target = max(1, near.condition.spend_minor)
    text: Text = say(
        "till.member.next-tier",
        missing=Amount(near.missing),
        tier=tier_name(programme, stands.next_tier),
    )
    if near.until is not None:
        until = Moment(datetime.combine(near.until, datetime.min.time(), now.tzinfo), is_date=True)
        text = Join((text, say("till.member.until", on=until)))
    return text, max(0, min(100, 100 * (target - near.missing) // target))
