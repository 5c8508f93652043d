"""What the moves of one bucket do to states, and what those not taken yet can still take off."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from shared.pricing.effects import OfferLine, Taking
from shared.pricing.moves import Move, Slot
from shared.pricing.nodes import Node


@dataclass(slots=True)
class Outcomes:
    """What each move of a bucket does to states, reckoned once for states alike to it.

    ``is_alone`` where nothing else works on these lines, so that fewer sets are of no use.
    """

    lines: Sequence[OfferLine]
    moves: Sequence[Move]
    is_alone: bool
    twins: list[int | None] = field(default_factory=list)
    """For each move the last one before it that does just the same, as another code for one offer
    does: it is taken first, since their order changes nothing."""
    _known: dict[Hashable, list[Sequence[Taking]]] = field(default_factory=dict)
    _looks: list[tuple[tuple[int, ...], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        last: dict[Hashable, int] = {}
        for number, move in enumerate(self.moves):
            self.twins.append(last.get(move.deed))
            last[move.deed] = number
        self._looks = [(tuple(sorted(m.touches)), m.looks_at_units) for m in self.moves]

    def of(self, number: int, node: Node) -> list[Sequence[Taking]]:
        """All sets first, then fewer."""
        touches, sees_units = self._looks[number]
        key: Hashable = number, tuple([node.remaining[index] for index in touches])
        if sees_units:
            units = tuple([(node.used[index], node.multi[index]) for index in touches])
            key = key, units
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = list(self._reckon(self.moves[number], node))
        return known

    def _reckon(self, move: Move, node: Node) -> Iterator[Sequence[Taking]]:
        takings = move.attempt(self.lines, node)
        if takings:
            yield takings
            if not self.is_alone:
                yield from move.fewer_sets(takings, self.lines, node)


@dataclass(slots=True)
class Promise:
    """What the moves of a bucket that are not taken yet can still take off."""

    hopes: Sequence[Slot]
    moves: Sequence[Move]
    _known: dict[int, int] = field(default_factory=dict)

    def beyond(self, taken: int) -> int:
        """By the mask of taken moves."""
        known = self._known.get(taken)
        if known is None:
            gone = {move for number, move in enumerate(self.moves) if taken >> number & 1}
            known = sum(slot.most for slot in self.hopes if gone.isdisjoint(slot.moves))
            self._known[taken] = known
        return known
