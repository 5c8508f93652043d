"""Which claimed rewards get the member's points, where these do not pay for all of them.

Branch and bound on how often each reward is used: where the best way with all claims asks for more
points than there are, every way that can be paid uses one of its rewards less often than it does.
So the ways are parted by the first such reward, the part that promises the lowest price is searched
first, and the search ends when no part promises less than the best way that can be paid. Ties are
those of the best-price search.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from shared.pricing.effects import Candidate
from shared.pricing.nodes import Rating, rating_of
from shared.pricing.search import ATTEMPTS_MAX, Choice

DIVISIONS_MAX: Final = 200
"""So many divisions of the points are priced at most; beyond, the price is not proved."""

Solve = Callable[[Sequence[Candidate]], Choice]
Times = Mapping[str, int]
"""How often, by id of the offer."""


@dataclass(frozen=True, slots=True)
class Division:
    """The best choice that the points pay for, and the rewards that they are too few for."""

    choice: Choice
    short: frozenset[str] = frozenset()


def best_division(candidates: Sequence[Candidate], points: int, solve: Solve) -> Division:
    """The choice with the least to pay among those whose rewards cost no more than ``points``.

    ``solve`` finds the best choice among candidates, whatever they cost.
    """
    wanted = _times(candidates)
    costs = {one.offer.id: one.offer.costs_points for one in candidates if one.offer.costs_points}
    if not wanted or _sum(wanted, costs) <= points:
        return Division(solve(candidates))
    return _Dividing(candidates, costs, points, solve).run(wanted)


@dataclass(slots=True)
class _Dividing:
    candidates: Sequence[Candidate]
    costs: Times
    """Points of one use."""
    points: int
    solve: Solve
    best: Choice | None = None
    rank: tuple[int, Rating] | None = None
    is_proved: bool = True
    solved: int = 0
    attempts: int = 0
    _open: list[tuple[int, int, Choice, Times, Times]] = field(default_factory=list)
    """Parts of the ways by what they promise: the least that each use is, and the most."""

    def run(self, wanted: Times) -> Division:
        whole = self._look_at(dict.fromkeys(wanted, 0), wanted)
        while self._open:
            promised, _, choice, least, most = heappop(self._open)
            if self.rank is not None and promised > self.rank[0]:
                break
            if self.solved >= DIVISIONS_MAX or self.attempts > 2 * ATTEMPTS_MAX:
                self.is_proved = False
                break
            for part in self._parts(choice, least, most):
                self._look_at(*part)
        if not self.is_proved or self.best is None:
            self._consider(self._solved(self._in_turn(wanted)))
        assert self.best is not None
        used, asked = _used(self.best), _used(whole)
        short = frozenset(offer for offer, times in asked.items() if times > used[offer])
        return Division(Choice(self.best.takings, self.is_proved, self.attempts), short)

    def _look_at(self, least: Times, most: Times) -> Choice:
        choice = self._solved(most)
        if not self._consider(choice):
            heappush(self._open, (-_taken(choice), self.solved, choice, least, most))
        return choice

    def _consider(self, choice: Choice) -> bool:
        """Whether it can be paid."""
        if _sum(_used(choice), self.costs) > self.points:
            return False
        rank = -_taken(choice), rating_of([one.candidate for one in choice.takings])
        if self.rank is None or rank < self.rank:
            self.best, self.rank = choice, rank
        return True

    def _solved(self, most: Times) -> Choice:
        choice = self.solve(
            [one for one in self.candidates if one.time <= most.get(one.offer.id, one.time)]
        )
        self.solved += 1
        self.attempts += choice.attempts
        self.is_proved &= choice.is_proved
        return choice

    def _parts(self, choice: Choice, least: Times, most: Times) -> Iterator[tuple[Times, Times]]:
        """The ways that use one of a choice's rewards less often, by the first such reward."""
        floor = dict(least)
        for offer, times in sorted(_used(choice).items()):
            if part := self._payable(floor, {**most, offer: times - 1}):
                yield floor.copy(), part
            floor[offer] = max(floor[offer], times)

    def _payable(self, least: Times, most: Times) -> Times | None:
        """``most`` as far as the points reach beside ``least``; None where they do not."""
        left = self.points - _sum(least, self.costs)
        reach = {
            offer: min(times, least[offer] + max(left, 0) // self.costs[offer])
            for offer, times in most.items()
        }
        return reach if left >= 0 and all(reach[offer] >= least[offer] for offer in least) else None

    def _in_turn(self, wanted: Times) -> Times:
        """The points to one reward after the other, in order of id."""
        left, given = self.points, {}
        for offer, times in sorted(wanted.items()):
            given[offer] = min(times, left // self.costs[offer])
            left -= given[offer] * self.costs[offer]
        return given


def _times(candidates: Sequence[Candidate]) -> Counter[str]:
    return Counter(one.offer.id for one in candidates if one.offer.costs_points)


def _used(choice: Choice) -> Counter[str]:
    return _times([taking.candidate for taking in choice.takings])


def _sum(times: Times, costs: Times) -> int:
    return sum(count * costs[offer] for offer, count in times.items())


def _taken(choice: Choice) -> int:
    """Minor units that a choice takes off."""
    return sum(taking.total for taking in choice.takings)
