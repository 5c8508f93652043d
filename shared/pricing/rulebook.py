"""A programme's offers by what they look for: a basket meets only those that may concern it.

With a thousand live offers a basket of a hundred lines would ask a hundred thousand times whether
an article is meant; the index answers from the article's own marks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from shared.catalogue.goods import Goods
from shared.loyalty.conditions import Paying, every
from shared.loyalty.document import EVERYTHING, GoodsSet
from shared.loyalty.effects import Bundle, FreeUnits, Gift, PercentOff
from shared.loyalty.offers import GroupMode, Limits, Offer, Phase
from shared.loyalty.programme import Programme

ARTICLES_KEPT: Final = 20_000
"""For so many articles it is remembered which offers are for them."""

ALL_OFF: Final = 10_000
"""Basis points."""

BASKET_PERCENTAGES: Final = "\x00basket-percentages"
"""The group of whole-basket percentages that name none; no document can spell it."""

Mark = tuple[str, str]
"""What an article is found by: ``sku``, ``category``, ``brand``, ``mark`` or ``supplier``."""


class Rule(NamedTuple):
    """An offer with what follows from it and its programme, whatever is in the basket."""

    offer: Offer
    place: tuple[int, int]
    group: str
    mode: GroupMode
    is_limited: bool


class Rulebook:
    """The offers of one programme in order of id, with an index."""

    def __init__(self, programme: Programme) -> None:
        modes = {group.id: group.mode for group in programme.groups}
        self.offers = sorted(programme.offers, key=lambda offer: offer.id)
        self.rules = [_rule(offer, modes) for offer in self.offers]
        self.coupons = {coupon.id: coupon for coupon in programme.coupons}
        self.freeing = frozenset(
            [
                offer.id
                for offer in programme.offers
                if isinstance(offer.effect, FreeUnits) and offer.effect.basis_points_off == ALL_OFF
            ]
        )
        """Offers that make units free, and not all a little cheaper."""
        self.personal = frozenset([one.id for one in programme.coupons if one.personal])
        """Coupons for the member alone to whom they are issued."""
        self.rewards = {offer.id: offer for offer in programme.offers if offer.is_reward}
        """In the order of the programme."""
        self.always: list[int] = []
        """Offers that may be for any goods, and those that need none."""
        self.for_all: list[int] = []
        """Offers for all goods there are."""
        self.claimed: dict[str, int] = {}
        """Offers that somebody has to claim, by id."""
        self._by_mark: defaultdict[Mark, list[int]] = defaultdict(list)
        self._met: dict[str, tuple[Goods, frozenset[int]]] = {}
        """By SKU the article that was asked about last, and its offers."""
        self.asks_for_tender = any(
            isinstance(condition, Paying)
            for offer in self.offers
            for condition in every(offer.conditions)
        )
        """Whether prices may depend on how the customer pays."""
        for index, offer in enumerate(self.offers):
            if offer.claimed or offer.is_reward:
                self.claimed[offer.id] = index
            else:
                self._put(index, offer)

    def _put(self, index: int, offer: Offer) -> None:
        sets = list(goods_of(offer))
        if sets == [EVERYTHING] and not isinstance(offer.effect, Gift):
            self.for_all.append(index)
            return
        if isinstance(offer.effect, Gift) or any(not one.is_selective for one in sets):
            self.always.append(index)
            return
        for mark in {mark for one in sets for mark in _wanted(one)}:
            self._by_mark[mark].append(index)

    def concerned_by(self, goods: Goods) -> frozenset[int]:
        """Offers for some goods, these among them, that nobody has to claim, by number."""
        known = self._met.get(goods.sku)
        if known is None or known[0] is not goods:
            if len(self._met) >= ARTICLES_KEPT:
                self._met.clear()
            marks = tuple(_marks(goods))
            known = self._met[goods.sku] = goods, frozenset(self._meant(goods, marks))
        return known[1]

    def met_by(self, basket: Iterable[Goods]) -> set[int]:
        """Offers that nobody has to claim and that may be for some of these goods, by number."""
        return {*self.always, *self.for_all}.union(*map(self.concerned_by, basket))

    def _meant(self, goods: Goods, marks: Iterable[Mark]) -> Iterator[int]:
        maybe = {index for mark in marks for index in self._by_mark.get(mark, ())}
        for index in maybe.union(self.always):
            if any(one.contains(goods) for one in goods_of(self.offers[index])):
                yield index


def _rule(offer: Offer, modes: Mapping[str, GroupMode]) -> Rule:
    group = offer.group
    if not group and _is_basket_percentage(offer):
        group = BASKET_PERCENTAGES
    mode = modes.get(group, GroupMode.ONE if group else GroupMode.CHAIN)
    return Rule(offer, offer.place, group, mode, offer.limits != Limits())


def _is_basket_percentage(offer: Offer) -> bool:
    is_basket = offer.works_in is Phase.BASKET and offer.goods.is_everything
    return is_basket and isinstance(offer.effect, PercentOff)


def goods_of(offer: Offer) -> Iterator[GoodsSet]:
    """The goods an offer works on: its own, or those of a bundle's parts."""
    if isinstance(offer.effect, Bundle):
        yield from (part.goods for part in offer.effect.parts)
    else:
        yield offer.goods


def _wanted(goods: GoodsSet) -> Iterator[Mark]:
    lists = {
        "sku": goods.skus,
        "category": goods.categories,
        "brand": goods.brands,
        "mark": goods.marks,
        "supplier": goods.suppliers,
    }
    for kind, names in lists.items():
        yield from ((kind, name) for name in names)


def _marks(goods: Goods) -> Iterator[Mark]:
    yield "sku", goods.sku
    yield "brand", goods.brand
    yield "supplier", goods.supplier
    yield from (("mark", mark) for mark in goods.marks)
    path = goods.category
    while path:
        yield "category", path
        path = path.rpartition("/")[0]


class SameProgramme:
    """A programme as a key: the same object, not an equal one, which would be slow to find out."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme

    def __hash__(self) -> int:
        return id(self.programme)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameProgramme) and other.programme is self.programme


@lru_cache(maxsize=8)
def _made(same: SameProgramme) -> Rulebook:
    return Rulebook(same.programme)


def rulebook(programme: Programme) -> Rulebook:
    """The rulebook of a programme; made once for the programmes that are in use."""
    return _made(SameProgramme(programme))
