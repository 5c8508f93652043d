"""Random effects on random goods."""

from collections.abc import Callable
from random import Random

from shared.loyalty import effects as does
from shared.loyalty.document import EVERYTHING, GoodsSet

SKUS = ("A", "B", "C", "D", "E")
CATEGORIES = ("food", "food/tea", "food/cake", "home")
BRANDS = ("own", "other")
MARKS = ("organic", "clearance")
Makers = tuple[Callable[[], does.Effect], ...]


class EffectDrawer:
    """Draws what offers do. Each case leans to some phases, groups and effects, so they meet."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.phases = random.choice(((0,), (0,), (0, 0, 1, 3), (2,), (4,), (1, 2, 3, 4, 5, 6)))
        """One phase for all offers makes their order free; several make it firm."""
        self.groups = random.choice((("",), ("", "", "one"), ("one", "two"), ("", "add"), ("add",)))
        self.effects = self.random.choice((self.any_effect, self.any_effect, self.adding_effect))

    def one_in(self, count: int) -> bool:
        return self.random.randrange(count) == 0

    def some(self, names_of: tuple[str, ...], most: int = 3) -> tuple[str, ...]:
        count = self.random.randint(1, min(most, len(names_of)))
        return tuple(sorted(self.random.sample(names_of, count)))

    def amount(self, low: int, high: int) -> int:
        """Round figures as often as others: they meet thresholds and halves exactly."""
        drawn = self.random.randint(low, high)
        return max(low, drawn // 100 * 100) if self.one_in(2) else drawn

    def goods_set(self) -> GoodsSet:
        kind = self.random.randrange(10)
        if kind < 5:
            return EVERYTHING
        if kind < 7:
            return GoodsSet(skus=self.some(SKUS, 4))
        if kind == 7:
            return GoodsSet(categories=(self.random.choice(CATEGORIES),))
        if kind == 8:
            return GoodsSet(brands=(self.random.choice(BRANDS),), marks=self.some(MARKS, 1))
        return GoodsSet(except_skus=self.some(SKUS, 2))

    def effect(self) -> does.Effect:
        return self.random.choice(self.effects())()

    def any_effect(self) -> Makers:
        return (
            self.percent_off,
            self.percent_off,
            self.amount_off,
            self.amount_off,
            self.ladder,
            self.ladder,
            self.percent_ladder,
            self.fixed_price,
            self.nth_item,
            self.nth_item,
            self.set_price,
            self.bundle,
            self.bundle,
            self.free_units,
            self.round_down,
            self.addition,
        )

    def adding_effect(self) -> Makers:
        return (
            self.percent_off,
            self.percent_off,
            self.percent_off,
            self.nth_item,
            self.set_price,
            self.ladder,
        )

    def fixed_price(self) -> does.Effect:
        return does.FixedPrice(price_minor=self.amount(0, 3_000))

    def free_units(self) -> does.Effect:
        return does.FreeUnits(units=self.random.randint(1, 3), basis_points_off=self.basis_points())

    def round_down(self) -> does.Effect:
        return does.RoundDown(step_minor=self.random.choice((10, 100, 500)))

    def basis_points(self) -> int:
        return self.random.choice((1_000, 2_000, 5_000, 10_000, self.random.randint(1, 10_000)))

    def percent_off(self) -> does.Effect:
        return does.PercentOff(
            basis_points_off=self.basis_points(), spares_multi_buy=self.one_in(4)
        )

    def amount_off(self) -> does.Effect:
        return does.AmountOff(off_minor=self.amount(1, 1_500), each_unit=self.one_in(3))

    def ladder(self) -> does.Effect:
        first = self.amount(100, 5_000)
        off = self.random.randint(1, min(first, 1_500))
        steps = [does.Step(threshold_minor=first, off_minor=off)]
        if self.one_in(2):
            more = self.amount(100, 5_000)
            steps.append(
                does.Step(
                    threshold_minor=first + more, off_minor=off + self.random.randint(1, more)
                )
            )
        return does.Ladder(
            steps=tuple(steps),
            repeats=self.one_in(2),
            repeat_limit=self.random.choice((0, 0, 1, 2)),
        )

    def percent_ladder(self) -> does.Effect:
        first, percent = self.amount(100, 5_000), self.random.randint(1, 6_000)
        steps = [does.PercentStep(threshold_minor=first, basis_points_off=percent)]
        if self.one_in(2):
            steps.append(
                does.PercentStep(
                    threshold_minor=first + self.amount(100, 5_000),
                    basis_points_off=percent + 1_500,
                )
            )
        return does.PercentLadder(steps=tuple(steps))

    def nth_item(self) -> does.Effect:
        nth = self.random.randint(2, 4)
        return does.NthItem(
            nth=nth,
            basis_points_off=self.basis_points(),
            same_goods=self.one_in(3),
            sets_limit=self.random.choice((0, 0, 1, 2)),
            cheaper=self.random.randint(1, nth - 1) if self.one_in(3) else 1,
        )

    def set_price(self) -> does.Effect:
        return does.SetPrice(
            units=self.random.randint(2, 4),
            price_minor=self.amount(0, 8_000),
            same_goods=self.one_in(3),
            sets_limit=self.random.choice((0, 0, 1, 2)),
        )

    def bundle(self) -> does.Effect:
        parts = tuple(
            does.BundlePart(
                goods=GoodsSet(skus=self.some(SKUS)), units=self.random.choice((1, 1, 2))
            )
            for _ in range(self.random.randint(1, 3))
        )
        reward = self.random.choice(
            (
                {"price_minor": self.amount(1, 6_000)},
                {"off_minor": self.amount(1, 2_000)},
                {"basis_points_off": self.basis_points()},
            )
        )
        limit = self.random.choice((0, 0, 1))
        return does.Bundle(parts=parts, sets_limit=limit, **reward)

    def addition(self) -> does.Effect:
        if self.one_in(2):
            return does.Gift(choices=self.some(SKUS, 2), units=self.random.randint(1, 2))
        return does.FurtherUnits(
            per_units=self.random.randint(1, 3),
            units=self.random.randint(1, 2),
            together=self.one_in(3),
        )
