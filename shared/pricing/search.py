"""The best-price search: which lawful combination of offers costs the customer least.

Offers that share no goods and no group are searched apart, and so are, below offers that join them,
the parts into which the phases before fall (``shared.pricing.components``). A part is solved once
for all sequels: it keeps every state that could still lead to the lowest price, which is the
cheapest one and those that are dearer by no more than what later offers can make of the difference
(``shared.pricing.sequel``). Where nothing matters about its lines but their sum, it is searched as
if they were one line, and shared out among them only on the way that is taken. Inside a part every
lawful subset is tried in every order and with
every number of sets; equal states are merged, and a state is dropped when all that is left to take
could not bring it down to the best one known. None of this loses the optimum.

Work is bounded: beyond ``ATTEMPTS_MAX`` attempts only the cheapest states are followed to their
end, and the answer says that it is not proved.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.pricing.components import Component, Components, Part
from shared.pricing.effects import Candidate, OfferLine, Standing, State, Taking, after
from shared.pricing.gates import Positions
from shared.pricing.moves import leaves_some_out, moves_of
from shared.pricing.nodes import Node, Solved, Way
from shared.pricing.sequel import Sequel
from shared.pricing.solving import Solving

ATTEMPTS_MAX: Final = 6_000
"""Six offers of one rank that all interact have 1,956 ordered non-empty subsets."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The takings in the order in which they work, and whether no better choice exists.

    ``attempts`` is the work that it took.
    """

    takings: tuple[Taking, ...]
    is_proved: bool
    attempts: int = 0


@dataclass(slots=True)
class SearchMemory:
    """Parts that were met and solved before: it saves time and changes nothing.

    It holds for one programme; the solutions of ``size`` parts are kept, the oldest make way.
    """

    size: int = 200
    components: Components = field(default_factory=Components)
    _programme: object = None
    _solved: dict[Hashable, Solved] = field(default_factory=dict)

    def open(self, programme: object) -> None:
        """Forget what was solved for another programme."""
        if self._programme is not programme:
            self._programme = programme
            self.components = Components()
            self._solved.clear()

    def recall(self, problem: Hashable, attempts_left: int) -> Solved | None:
        """A solution, if so many attempts would have been enough to find it."""
        known = self._solved.get(problem)
        return known if known and known.attempts <= attempts_left else None

    def keep(self, problem: Hashable, solved: Solved) -> None:
        """Remember a proved solution."""
        if solved.is_proved:
            if len(self._solved) >= self.size:
                del self._solved[next(iter(self._solved))]
            self._solved[problem] = solved


def best_choice(
    candidates: Sequence[Candidate],
    lines: Sequence[OfferLine],
    memory: SearchMemory | None = None,
) -> Choice:
    """The combination with the least to pay.

    Ties: fewer points of rewards, then fewer offers, higher priority, lower ids.
    """
    components = memory.components if memory else Components(is_kept=False)
    search = _Search(memory)
    takings: list[Taking] = []
    moves = moves_of(candidates)
    is_proved = not leaves_some_out(moves)
    for part in components.parts_of(moves, lines):
        nothing_follows = Sequel.nothing(len(part.positions))
        solved = search.solve(part.component, nothing_follows, may_be_one_sum=True)
        is_proved &= solved.is_proved
        takings += _takings(part, solved.nodes[0])
    takings.sort(key=lambda taking: taking.candidate.place)
    return Choice(tuple(takings), is_proved, ATTEMPTS_MAX - search.attempts_left)


def _takings(part: Part, node: Node) -> Iterator[Taking]:
    """What is taken on the way to a node, in the basket's numbering."""
    moves = part.moves
    for number, member, taking in _way(part.component, node).taken:
        yield _moved(taking, part.positions, moves[number].members[member])


def _way(component: Component, node: Node) -> Way:
    if node.way is None:
        node.way = _followed(component, node)
    return node.way


def _followed(component: Component, node: Node) -> Way:
    taken: list[tuple[int, int, Taking]] = []
    below: list[tuple[Positions, Standing]] = []
    for child, places, numbers, pick in zip(
        component.children, component.places, component.numbers, node.picks, strict=True
    ):
        way = _way(child, pick)
        below.append((places, way.end or pick))
        for number, member, taking in way.taken:
            taken.append((numbers[number], member, _moved(taking, places, taking.candidate)))
    if len(node.remaining) == len(component.lines):
        for bucket, number, made in node.steps:
            own = component.buckets[bucket][number].number
            taken += [(own, member, taking) for member, taking in enumerate(made)]
        return Way(tuple(taken))
    # The search knew no more than the sum of these lines.
    state = _together(component, below)
    for bucket, number, _ in node.steps:
        move = component.buckets[bucket][number]
        for member, taking in enumerate(move.attempt(component.lines, state)):
            taken.append((move.number, member, taking))
            state = after(state, taking)
    return Way(tuple(taken), state)


def _together(part: Component, below: Iterable[tuple[Sequence[int], Standing]]) -> State:
    """The states of the parts below as one of this part's lines."""
    remaining = [line.gross for line in part.lines]
    used, multi = [0] * len(remaining), [0] * len(remaining)
    for places, one in below:
        for place, left, units, off in zip(places, one.remaining, one.used, one.multi, strict=True):
            remaining[place], used[place], multi[place] = left, units, off
    return State(tuple(remaining), tuple(used), tuple(multi))


def _moved(taking: Taking, places: Positions, candidate: Candidate) -> Taking:
    """A candidate's taking where a part's lines are at these places."""
    amounts, units = taking.amounts, taking.units
    if places[-1] >= len(places):
        amounts = {places[i]: amount for i, amount in amounts.items()}
        units = {places[i]: count for i, count in units.items()} if units else units
    elif candidate is taking.candidate:
        return taking
    return Taking(candidate=candidate, amounts=amounts, units=units, sets=taking.sets)


@dataclass(slots=True)
class _Search:
    """The search of one basket, and the work that is left."""

    memory: SearchMemory | None
    attempts_left: int = ATTEMPTS_MAX

    def solve(self, part: Component, sequel: Sequel, *, may_be_one_sum: bool) -> Solved:
        """The states of a part that matter to what follows it.

        Its lines may be seen as one where all that follows looks at nothing but their sum.
        """
        if self.memory is None:
            return self._solve(part, sequel, may_be_one_sum=may_be_one_sum)
        problem = part, sequel, may_be_one_sum
        solved = self.memory.recall(problem, self.attempts_left)
        if solved is None:
            solved = self._solve(part, sequel, may_be_one_sum=may_be_one_sum)
            self.memory.keep(problem, solved)
        else:
            self.attempts_left -= solved.attempts
        return solved

    def _solve(self, part: Component, sequel: Sequel, *, may_be_one_sum: bool) -> Solved:
        before = self.attempts_left
        if may_be_one_sum and part.one_sum is not None:
            part, sequel = part.one_sum, sequel.of_lines((0,))
        solving = Solving(part, sequel)
        below: dict[int, Solved] = {}
        # Small parts first: a tangle must not use up what they need.
        for number in sorted(range(len(part.children)), key=lambda n: part.children[n].size):
            child, after_child = part.children[number], solving.after_child[number]
            below[number] = self.solve(child, after_child, may_be_one_sum=part.is_one_sum)
        solving.attempts_left = self.attempts_left
        nodes = solving.run([below[number] for number in range(len(part.children))])
        self.attempts_left = solving.attempts_left
        is_proved = solving.is_proved and all(one.is_proved for one in below.values())
        return Solved(nodes, before - self.attempts_left, is_proved)
