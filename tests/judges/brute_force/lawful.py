"""Every lawful combination of offers on a basket, one by one, and the best of them.

An offer may apply once by itself, or once for each claim; phases and ranks rise; of a group of mode
``one`` at most one applies; members of a group of mode ``add`` work together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

from shared.loyalty.conditions import Measured, Quantity, Spend
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import Addition, Bundle, FurtherUnits, Gift, PercentOff
from shared.loyalty.offers import GroupMode, Offer, Phase
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from tests.judges.brute_force.plain_conditions import holds
from tests.judges.brute_force.plain_effects import (
    WHOLE,
    Standing,
    Taken,
    begin,
    capped,
    leave,
    net_spread,
    percentage_base,
    spread,
    taking,
)
from tests.judges.brute_force.plain_lines import half_up, net_of, parted, plain_lines

Place = tuple[int, int]
Rating = tuple[int, int, tuple[int, ...], tuple[tuple[str, str, int], ...]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An offer that may apply: by itself, for a coupon, or as the nth of a reward."""

    offer: Offer
    goods: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]
    group: str
    mode: GroupMode
    coupon: str = ""
    time: int = 0

    @property
    def place(self) -> Place:
        """When it works."""
        return int(self.offer.works_in), self.offer.rank

    @property
    def name(self) -> tuple[str, str, int]:
        """What it is told apart by."""
        return self.offer.id, self.coupon, self.time


@dataclass(frozen=True, slots=True)
class Applied:
    """An attempt that took something."""

    attempt: Attempt
    taken: Taken


@dataclass(frozen=True, slots=True)
class Step:
    """What is done at once: one attempt, or several of an adding group."""

    attempts: tuple[Attempt, ...]
    closes: str
    place: Place


@dataclass(slots=True)
class Best:
    """The lowest amount left, how it is best reached, and all equally good ways there."""

    left: int
    rating: Rating = (0, 0, (), ())
    ways: list[tuple[Applied, ...]] = field(default_factory=lambda: [()])
    looked_at: int = 0


class Offering:
    """One basket with the attempts that its offers may make."""

    def __init__(self, basket: Basket, programme: Programme) -> None:
        self.basket, self.programme = basket, programme
        self.lines = plain_lines(basket, programme)
        self.start = begin(self.lines)
        self.purse = basket.member.points if basket.member else 0
        modes = {group.id: group.mode for group in programme.groups}
        tries = self._tries()
        self.attempts = [
            self._attempt(offer, coupon, time, modes)
            for offer in sorted(programme.offers, key=lambda offer: offer.id)
            for coupon, time in tries.get(offer.id, [])[: self._uses_left(offer)]
        ]
        self.discounts = [
            one
            for one in self.attempts
            if one.goods and all(one.parts) and not isinstance(one.offer.effect, Addition)
        ]

    # What may be tried

    def _tries(self) -> dict[str, list[tuple[str, int]]]:
        tries: dict[str, list[tuple[str, int]]] = {}
        for offer in self.programme.offers:
            if not offer.claimed and not offer.costs_points:
                tries[offer.id] = [("", 0)]
        for coupon in self.programme.coupons:
            codes = sorted(c.instance for c in self.basket.claims if c.coupon == coupon.id)
            own = tries.setdefault(coupon.offer, [])
            own += [(code, 0) for code in codes[: coupon.per_sale]]
        wanted: Counter[str] = Counter()
        for reward in self.basket.rewards:
            wanted[reward.offer] += reward.times
        for offer in self.programme.offers:
            if offer.costs_points:
                times = min(wanted[offer.id], self.purse // offer.costs_points)
                tries[offer.id] = [("", time) for time in range(1, times + 1)]
        return tries

    def _uses_left(self, offer: Offer) -> int:
        limits = offer.limits
        use = {one.offer: one for one in self.basket.uses}.get(offer.id)
        pairs = (
            (limits.per_member, use.by_member if use else 0),
            (limits.per_member_and_day, use.by_member_today if use else 0),
            (limits.per_store, use.in_store if use else 0),
            (limits.in_total, use.in_total if use else 0),
        )
        return min([max(0, most - used) for most, used in pairs if most] or [10**6])

    def _attempt(
        self, offer: Offer, coupon: str, time: int, modes: dict[str, GroupMode]
    ) -> Attempt:
        parts: tuple[tuple[int, ...], ...] = ()
        goods = self._discountable(offer, offer.goods)
        if isinstance(offer.effect, Bundle):
            parts = tuple(self._discountable(offer, part.goods) for part in offer.effect.parts)
            goods = tuple(sorted({line for part in parts for line in part}))
        group, mode = offer.group, modes.get(offer.group, GroupMode.CHAIN)
        is_whole_basket = offer.works_in is Phase.BASKET and offer.goods == GoodsSet()
        if not group and is_whole_basket and isinstance(offer.effect, PercentOff):
            group, mode = "whole-basket percentages", GroupMode.ONE
        return Attempt(offer, goods, parts, group, mode, coupon, time)

    def _discountable(self, offer: Offer, goods: GoodsSet) -> tuple[int, ...]:
        return tuple(
            place
            for place in self._of(goods)
            if offer.on_manual_prices or not self.lines[place].sold.is_manual
        )

    def _of(self, goods: GoodsSet) -> list[int]:
        return [
            place
            for place, line in enumerate(self.lines)
            if goods.contains(line.goods) and not line.goods.no_discount
        ]

    # What an attempt does

    def allows(self, attempt: Attempt, now: Standing) -> bool:
        """Whether all conditions of an offer hold on what is left."""

        def measure(threshold: Spend | Quantity) -> int:
            if isinstance(threshold, Quantity):
                goods = threshold.goods or attempt.offer.goods
                return sum(self.lines[place].units or 1 for place in self._of(goods))
            own = attempt.goods if threshold.goods is None else self._of(threshold.goods)
            amounts = now.left if threshold.measured is Measured.LEFT else self.start.left
            if threshold.net:
                return net_of(self.lines, amounts, own.__contains__)
            return sum(amounts[place] for place in own)

        conditions = attempt.offer.conditions
        return all(holds(condition, self.basket, measure) for condition in conditions)

    def outcomes(self, step: Step, now: Standing) -> Iterator[list[Applied]]:
        """What a step can take, all sets first, then fewer; nothing where it may not apply."""
        if not all(self.allows(attempt, now) for attempt in step.attempts):
            return
        if len(step.attempts) > 1:
            if added := self._added(step.attempts, now):
                yield added
            return
        (attempt,) = step.attempts
        args = attempt.offer, attempt.goods, attempt.parts, self.lines, now
        most = taking(*args)
        if most.total:
            yield [Applied(attempt, most)]
            for sets in range(1, most.sets):
                fewer = taking(*args, sets)
                if fewer.total:
                    yield [Applied(attempt, fewer)]

    def _added(self, attempts: Sequence[Attempt], now: Standing) -> list[Applied]:
        """Percentages summed, at most the whole, on the same amounts."""
        parts: dict[int, list[int]] = {}
        percent: dict[int, int] = {}
        for number, attempt in enumerate(attempts):
            effect = attempt.offer.effect
            assert isinstance(effect, PercentOff)
            base = percentage_base(effect, attempt.goods, self.lines, now)
            for line in attempt.goods:
                given = min(effect.basis_points_off, WHOLE - percent.get(line, 0))
                percent[line] = percent.get(line, 0) + given
                parts.setdefault(line, [0] * len(attempts))[number] = given * base[line]
        weights = {line: sum(parts[line]) for line in sorted(parts)}
        shares = spread(half_up(sum(weights.values()), WHOLE), weights)
        applied = []
        for number, attempt in enumerate(attempts):
            amounts = {
                line: parted(min(share, now.left[line]), parts[line])[number]
                for line, share in shares.items()
            }
            amounts = {line: amount for line, amount in amounts.items() if amount}
            applied.append(Applied(attempt, Taken(self._capped(attempt.offer, amounts), {})))
        return applied if all(one.taken.total for one in applied) else []

    def _capped(self, offer: Offer, amounts: dict[int, int]) -> dict[int, int]:
        if not offer.net:
            return spread(capped(offer, sum(amounts.values())), amounts)
        every = [amounts.get(place, 0) for place in range(len(self.lines))]
        whole = net_of(self.lines, every, amounts.__contains__)
        return net_spread(capped(offer, whole), amounts, self.lines)

    # All of them

    def steps(self) -> list[Step]:
        """Everything that can be done once."""
        found = [
            Step((one,), one.group if one.mode is GroupMode.ONE else "", one.place)
            for one in self.discounts
            if one.mode is not GroupMode.ADD
        ]
        for group in {one.group for one in self.discounts if one.mode is GroupMode.ADD}:
            members = [one for one in self.discounts if one.group == group]
            found += [
                Step(some, group, min(one.place for one in some)) for some in _some_of(members)
            ]
        return sorted(found, key=lambda step: (step.place, [one.name for one in step.attempts]))

    def best(self) -> Best:
        """Looks at every lawful order of every lawful subset."""
        steps = self.steps()
        best = Best(sum(self.start.left))

        def look(
            now: Standing,
            done: tuple[Applied, ...],
            taken: int,
            closed: frozenset[str],
            place: Place,
        ) -> None:
            best.looked_at += 1
            _compare(best, sum(now.left), done)
            for number, step in enumerate(steps):
                if step.place < place or taken >> number & 1 or step.closes in closed:
                    continue
                for applied in self.outcomes(step, now):
                    if _points((*done, *applied)) > self.purse:
                        continue
                    after = now
                    for one in applied:
                        after = leave(after, one.taken)
                    closes = closed | {step.closes} if step.closes else closed
                    look(after, (*done, *applied), taken | 1 << number, closes, step.place)

        look(self.start, (), 0, frozenset(), (0, -(10**9)))
        return best

    def in_turn(self) -> int:
        """What is left when every offer that can applies in order of rank, none held back."""
        now, closed, points = self.start, set[str](), 0
        for step in self.steps():
            applied = next(self.outcomes(step, now), [])
            cost = points + _points(applied)
            if step.closes not in closed and applied and cost <= self.purse:
                points = cost
                for one in applied:
                    now = leave(now, one.taken)
                closed |= {step.closes} - {""}
        return sum(now.left)

    # What is given on top

    def given(self, way: Sequence[Applied]) -> dict[tuple[str, str, str], int]:
        """Units at 0 by offer, coupon and article; an open choice has no article."""
        chosen = dict(self.basket.gifts)
        closed = {one.attempt.group for one in way if one.attempt.mode is GroupMode.ONE}
        given: dict[tuple[str, str, str], int] = {}
        points = _points(way)
        by_priority = sorted(self.attempts, key=lambda one: (-one.offer.priority, one.name))
        for attempt in by_priority:
            if not isinstance(attempt.offer.effect, Addition) or attempt.group in closed:
                continue
            now = self._before(attempt, way)
            if not self.allows(attempt, now):
                continue
            units = self._on_top(attempt, now, chosen.get(attempt.offer.id, ""))
            if any(units.values()):
                if points + attempt.offer.costs_points > self.purse:
                    continue
                points += attempt.offer.costs_points
                if attempt.mode is GroupMode.ONE:
                    closed.add(attempt.group)
            for article, count in units.items():
                key = (attempt.offer.id, attempt.coupon, article)
                given[key] = given.get(key, 0) + count
        return {key: count for key, count in given.items() if count}

    def _before(self, attempt: Attempt, way: Sequence[Applied]) -> Standing:
        now = self.start
        for one in sorted(way, key=lambda one: one.attempt.place):
            if one.attempt.place <= attempt.place:
                now = leave(now, one.taken)
        return now

    def _on_top(self, attempt: Attempt, now: Standing, chosen: str) -> dict[str, int]:
        effect = attempt.offer.effect
        if isinstance(effect, Gift):
            if not attempt.goods:
                return {}
            only = effect.choices[0] if len(effect.choices) == 1 else ""
            return {chosen if chosen in effect.choices else only: effect.units}
        assert isinstance(effect, FurtherUnits)
        paid: Counter[str] = Counter()
        for line in attempt.goods:
            used = 0 if attempt.offer.reuses_units else now.used[line]
            paid[self.lines[line].goods.sku] += self.lines[line].units - used
        paid = +paid
        if effect.together and paid:
            only = next(iter(paid)) if len(paid) == 1 else ""
            paid = Counter({chosen if chosen in paid else only: sum(paid.values())})
        return {sku: units * effect.units // effect.per_units for sku, units in paid.items()}


def _points(way: Sequence[Applied]) -> int:
    """What the rewards of a way cost."""
    return sum(one.attempt.offer.costs_points for one in way)


def _some_of(members: Sequence[Attempt]) -> Iterator[tuple[Attempt, ...]]:
    sizes = range(1, len(members) + 1)
    return chain.from_iterable(combinations(members, size) for size in sizes)


def _compare(best: Best, left: int, done: tuple[Applied, ...]) -> None:
    if left > best.left:
        return
    rating = (
        _points(done),
        len(done),
        tuple(sorted(-one.attempt.offer.priority for one in done)),
        tuple(sorted(one.attempt.name for one in done)),
    )
    if (left, rating) < (best.left, best.rating):
        best.left, best.rating, best.ways = left, rating, [done]
    elif done and rating == best.rating and left == best.left:
        best.ways.append(done)
