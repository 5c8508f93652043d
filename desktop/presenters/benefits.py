"""Gifts to choose from, and rewards to claim for points or by hand."""

from collections import Counter
from collections.abc import Iterable

from desktop.presenters.session import Session
from desktop.presenters.text import Text, Tone, goods_name, name_of, say
from desktop.presenters.view import Choice, Choices, Note, Part
from desktop.services.basket import OpenBasket
from shared.loyalty.offers import Offer, mixed_gifts
from shared.points import format_points
from shared.pricing.conditions import hindrance
from shared.pricing.quote import AddedUnits

REWARDS_MAX = 12
_BETWEEN = "\n"
"""Parts an offer from one of its gifts in what a tap says; neither has a line break."""


def gift_parts(
    session: Session, gifts: Iterable[AddedUnits], *, is_numbered: bool = False
) -> tuple[Part, ...]:
    """For each offer its name, and a tile for each gift and for none; numbered for the keys.

    Where units may be mixed a tile says how many of its article were chosen, and the name how many
    are left to choose.
    """
    checkout = session.counter.checkout
    programme = checkout.basket.pricing.programme
    offers: dict[str, Text] = {one.id: name_of(one.names) for one in programme.offers}
    mixed = mixed_gifts(programme.offers)
    chosen = Counter(checkout.basket.state.gifts)
    left: Counter[str] = Counter()
    for one in checkout.basket.quote.added:
        left[one.offer] += 0 if one.goods else one.units
    parts: list[Part] = []
    for one in {one.offer: one for one in gifts}.values():
        articles = checkout.articles.find(one.choices)
        is_mixed = one.offer in mixed
        tiles = [
            Choice(
                f"{one.offer}{_BETWEEN}{sku}",
                goods_name(articles[sku]),
                detail=say(
                    "till.gift.units", count=chosen[one.offer, sku] if is_mixed else one.units
                ),
                trailing=str(number) if is_numbered else "",
                is_selected=bool(chosen[one.offer, sku]),
            )
            for number, sku in enumerate(one.choices, start=1)
        ]
        is_declined = bool(chosen[one.offer, ""])
        none = Choice(
            f"{one.offer}{_BETWEEN}",
            say("till.gift.no-more" if is_mixed else "till.gift.none"),
            trailing="0" if is_numbered else "",
            is_selected=is_declined,
        )
        name = offers.get(one.offer, one.offer)
        if is_mixed:
            name = say("till.gift.left", offer=name, count=0 if is_declined else left[one.offer])
        parts.append(Note(name))
        parts.append(Choices("gift", (*tiles, none), columns=2))
    return tuple(parts)


def take_gift(session: Session, value: str) -> None:
    """What was tapped."""
    offer, _, goods = value.partition(_BETWEEN)
    session.check_quiet()
    session.counter.checkout.basket.choose_gift(offer, goods)


def reward_part(basket: OpenBasket) -> Choices | None:
    """Rewards that can be claimed here and now; None where there are none."""
    rows = tuple(_row(basket, offer) for offer in claimable(basket)[:REWARDS_MAX])
    return Choices("reward", rows) if rows else None


def claimable(basket: OpenBasket) -> list[Offer]:
    """Offers that are claimed without a code, for which all holds but what they cost."""
    priced, _ = basket.priced()
    return [
        offer
        for offer in basket.pricing.programme.offers
        if offer.is_reward
        and (basket.state.member is not None or not offer.costs_points)
        and hindrance(offer.conditions, priced, offer.goods) is None
    ]


def _row(basket: OpenBasket, offer: Offer) -> Choice:
    times = {one.offer: one.times for one in basket.state.rewards}.get(offer.id, 0)
    decimals = basket.pricing.programme.points.decimals
    cost: Text = say("till.reward.by-hand")
    if offer.costs_points:
        cost = say("till.reward.points", points=format_points(offer.costs_points, decimals))
    is_idle = bool(times) and not _has_worked(basket, offer.id)
    return Choice(
        offer.id,
        name_of(offer.names),
        detail=say("till.reward.idle") if is_idle else cost,
        trailing=say("till.reward.give-back") if times else "",
        is_selected=bool(times),
        tone=Tone.ATTENTION if is_idle else Tone.INFO,
    )


def _has_worked(basket: OpenBasket, offer: str) -> bool:
    quote = basket.quote
    worked = {one.offer for one in quote.offers} | {one.offer for one in quote.added}
    return offer in worked or any(one.offer == offer for one in quote.issued)


def claim_or_give_back(basket: OpenBasket, offer: str) -> None:
    """A tap on a reward claims it; one more gives it back."""
    is_claimed = any(one.offer == offer for one in basket.state.rewards)
    basket.reward(offer, 0 if is_claimed else 1)
