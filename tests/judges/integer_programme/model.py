"""The lowest lawful price of a plain case as an integer programme.

The programme page lets a multi-buy offer make any number of sets of the dearest units. ``freely``
lets it take any units: never dearer, and what a customer could ask for at best.
"""

from dataclasses import replace
from itertools import pairwise

from tests.judges.integer_programme.plain_case import (
    AnyFor,
    Article,
    NthOff,
    Percent,
    PlainCase,
    Sets,
    Stepped,
    Together,
)
from tests.judges.integer_programme.solver import Model

Sum = dict[int, int]
"""A sum of variables with their factors."""


def lowest_total(case: PlainCase, *, freely: bool) -> int:
    """What the basket costs at least."""
    model = _Model(case, freely=freely)
    return case.listed - model.most_saved()


class _Model:
    def __init__(self, case: PlainCase, *, freely: bool) -> None:
        self.case, self.model = case, Model()
        self.saved: dict[str, Sum] = {}
        """What each offer on sets saves."""
        if freely:
            self._sets_freely()
        else:
            self._sets_by_number()

    def most_saved(self) -> int:
        """The largest sum of all savings."""
        saved: Sum = {}
        for one in self.saved.values():
            saved |= one
        saved |= self._basket()
        saved |= self._coupons(saved)
        return self.model.highest(saved)

    # Sets

    def _sets_freely(self) -> None:
        used: dict[str, Sum] = {}
        for offer in self.case.sets:
            self.saved[offer.id] = _add_sets(self.model, self.case, offer, used)
        for article in self.case.articles:
            self.model.at_most(used.get(article.name, {}), article.units)

    def _sets_by_number(self) -> None:
        """Each offer saves what it can by itself with some number of sets; they share no goods."""
        met: set[str] = set()
        for offer in self.case.sets:
            assert met.isdisjoint(offer.goods)
            met |= set(offer.goods)
            units = sum(one.units for one in self.case.units(offer.goods))
            saved: Sum = {}
            for sets in range(1, (offer.limit or units) + 1):
                switch = self.model.variable(1)
                saved[switch] = most_of_one(self.case, replace(offer, limit=sets))
            self.model.at_most(dict.fromkeys(saved, 1), 1)
            self.saved[offer.id] = saved

    # The basket

    def _left(self, goods: tuple[str, ...]) -> tuple[int, Sum]:
        """What sets leave to pay for some goods: a figure, and variables to take from it."""
        listed = sum(one.price * one.units for one in self.case.units(goods))
        saved: Sum = {}
        for offer in self.case.sets:
            shared = set(offer.goods) & set(goods)
            # A set's saving is spread over its goods: an offer sees all of them or none.
            assert shared in (set(), set(offer.goods))
            if shared:
                saved |= self.saved[offer.id]
        return listed, saved

    def _basket(self) -> Sum:
        """At most one offer of the group."""
        taken: Sum = {}
        chosen: Sum = {}
        for offer in self.case.basket:
            listed, saved = self._left(offer.goods)
            if isinstance(offer, Percent):
                switch = self.model.variable(1)
                taken[self._percentage(offer, listed, saved, switch)] = 1
                chosen[switch] = 1
            else:
                steps = self._steps(offer, listed, saved)
                taken |= steps
                chosen |= dict.fromkeys(steps, 1)
        self.model.at_most(chosen, 1)
        return taken

    def _percentage(self, offer: Percent, listed: int, saved: Sum, switch: int) -> int:
        """A variable: the percentage of what is left where the switch is on, else nothing."""
        off = self.model.variable(listed)
        part = {off: 100} | {key: offer.percent * factor for key, factor in saved.items()}
        most = offer.percent * listed
        self.model.at_most(part, most)
        self.model.at_least(part | {switch: -most}, 0)
        self.model.at_most({off: 1, switch: -listed}, 0)
        return off

    def _steps(self, offer: Stepped, listed: int, saved: Sum) -> Sum:
        """A switch for each step: on only where the goods reach it, and not the next one."""
        taken: Sum = {}
        beyond = (listed + 1, 0)
        for (threshold, off), (following, _) in pairwise((*offer.steps, beyond)):
            switch = self.model.variable(1)
            taken[switch] = off
            # listed - saved >= threshold, where on
            self.model.at_most(saved | {switch: threshold}, listed)
            # listed - saved <= following - 1, where on
            slack = max(0, listed - following + 1)
            self.model.at_least(saved | {switch: -slack}, listed - following + 1 - slack)
        return taken

    # Coupons

    def _coupons(self, saved: Sum) -> Sum:
        """Codes in some order, each where what is left reaches its minimum."""
        codes = [coupon for coupon in self.case.coupons for _ in range(coupon.codes)]
        taken: Sum = {}
        slots: list[Sum] = []
        uses: dict[str, Sum] = {}
        per_code: list[Sum] = [{} for _ in codes]
        for _ in codes:
            slot: Sum = {}
            for number, coupon in enumerate(codes):
                assert coupon.off <= coupon.minimum
                switch = self.model.variable(1)
                self.model.at_most(saved | taken | {switch: coupon.minimum}, self.case.listed)
                slot[switch] = coupon.off
                uses.setdefault(coupon.id, {})[switch] = 1
                per_code[number][switch] = 1
            self.model.at_most(dict.fromkeys(slot, 1), 1)
            slots.append(slot)
            taken |= slot
        for earlier, later in pairwise(slots):
            self.model.at_most(dict.fromkeys(later, 1) | dict.fromkeys(earlier, -1), 0)
        for one in per_code:
            self.model.at_most(one, 1)
        for coupon in self.case.coupons:
            self.model.at_most(uses.get(coupon.id, {}), coupon.per_sale)
        return taken


def most_of_one(case: PlainCase, offer: Sets) -> int:
    """The most that one offer on sets can save where no other works."""
    model = Model()
    used: dict[str, Sum] = {}
    saved = _add_sets(model, case, offer, used)
    for article in case.articles:
        model.at_most(used.get(article.name, {}), article.units)
    return model.highest(saved)


def _add_sets(model: Model, case: PlainCase, offer: Sets, used: dict[str, Sum]) -> Sum:
    """Variables for the sets of an offer: what they save; the units are noted in ``used``."""

    def unit(article: Article) -> int:
        variable = model.variable(article.units)
        used.setdefault(article.name, {})[variable] = 1
        return variable

    articles = case.units(offer.goods)
    most = offer.limit or sum(one.units for one in articles)
    match offer:
        case AnyFor():
            return _any_for(model, offer, articles, unit, most)
        case NthOff():
            return _nth_off(model, offer, articles, unit, most)
        case Together():
            return _together(model, offer, case, unit, most)


def _any_for(model, offer: AnyFor, articles, unit, most: int) -> Sum:
    saved: Sum = {}
    made: Sum = {}
    heaps = [[one] for one in articles] if offer.same else [list(articles)]
    for heap in heaps:
        sets = model.variable(most)
        units = {unit(one): one.price for one in heap}
        _equal(model, dict.fromkeys(units, 1) | {sets: -offer.size}, 0)
        saved |= units | {sets: -offer.price}
        made[sets] = 1
    model.at_most(made, most)
    return saved


def _nth_off(model, offer: NthOff, articles, unit, most: int) -> Sum:
    """A reduced unit stands beside ``size - 1`` others that cost no less."""
    others = {one: unit(one) for one in articles}
    reduced = {one: unit(one) for one in articles}
    for one in articles:
        dear = [other for other in articles if other.price >= one.price]
        row = {others[other]: 1 for other in dear}
        row |= {reduced[other]: 1 - offer.size for other in dear}
        model.at_least(row, 0)
    model.at_most(dict.fromkeys(reduced.values(), 1), most)
    return {key: one.price * offer.percent // 100 for one, key in reduced.items()}


def _together(model, offer: Together, case: PlainCase, unit, most: int) -> Sum:
    sets = model.variable(most)
    saved: Sum = {sets: offer.off or -offer.price}
    for part in offer.parts:
        units = {unit(one): 0 if offer.off else one.price for one in case.units(part)}
        _equal(model, dict.fromkeys(units, 1) | {sets: -1}, 0)
        saved |= units
    return saved


def _equal(model: Model, terms: Sum, bound: int) -> None:
    model.at_most(terms, bound)
    model.at_least(terms, bound)
