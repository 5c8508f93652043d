"""Moves to which nothing matters about their lines but the sum of what is left."""

from collections.abc import Sequence

from shared.loyalty.effects import AmountOff, Ladder, PercentLadder, PercentOff, RoundDown
from shared.pricing.effects import OfferLine
from shared.pricing.gates import Fixed, Gate, Threshold
from shared.pricing.moves import Move


def in_one(lines: Sequence[OfferLine]) -> OfferLine:
    """One line that costs what they cost together."""
    return OfferLine("", 0, sum([line.gross for line in lines]))


def looks_at_one_sum(move: Move, lines: frozenset[int]) -> bool:
    """Whether what it does depends on the sum of exactly these lines alone."""
    (member, *others) = move.members
    if others or member.nets or frozenset(member.lines) != lines:
        return False
    match member.offer.effect:
        case Ladder() | PercentLadder() | RoundDown() | AmountOff(each_unit=False):
            return _asks_for(member.gate, lines)
        case PercentOff(spares_multi_buy=False):
            return _asks_for(member.gate, lines)
        case _:
            return False


def _asks_for(gate: Gate, lines: frozenset[int]) -> bool:
    match gate:
        case Threshold():
            return not gate.nets and frozenset(gate.positions) == lines
        case Fixed():
            return True
        case _:
            return all(_asks_for(one, lines) for one in gate.gates)
