"""Winners and losers: how the benefit of members changes."""

from collections.abc import Sequence
from typing import Final

from shared.backtest.result import Bin, MemberRow, MembersOutcome, Percentile

LISTED: Final = 20
"""How many winners and losers are listed."""
PERCENTS: Final = (0, 5, 10, 25, 50, 75, 90, 95, 100)
BINS_EACH_WAY: Final = 8


def members_outcome(rows: Sequence[MemberRow]) -> MembersOutcome:
    """Sum members up; they are given with the biggest gain first."""
    changes = sorted(row.change_minor for row in rows)
    gains = [change for change in changes if change > 0]
    losses = [-change for change in changes if change < 0]
    losing = [row for row in rows if row.change_minor < 0]
    return MembersOutcome(
        members=len(rows),
        winners=len(gains),
        losers=len(losses),
        unchanged=len(rows) - len(gains) - len(losses),
        gain_minor=sum(gains),
        loss_minor=sum(losses),
        percentiles=tuple(
            Percentile(percent=percent, change_minor=changes[(len(changes) - 1) * percent // 100])
            for percent in PERCENTS
            if changes
        ),
        distribution=_distribution(gains, losses, len(rows)),
        most=tuple(row for row in rows[:LISTED] if row.change_minor > 0),
        least=tuple(sorted(losing, key=lambda row: (row.change_minor, row.member))[:LISTED]),
    )


def _distribution(gains: list[int], losses: list[int], members: int) -> tuple[Bin, ...]:
    """Bins of one round width each way, the last ones open, around those who keep what they had."""
    sizes = sorted([*gains, *losses])
    if not sizes:
        return (Bin(low_minor=0, high_minor=0, members=members),)
    width = round_width(sizes[(len(sizes) - 1) * 9 // 10], BINS_EACH_WAY)
    up, down = _counted(gains, width), _counted(losses, width)
    losing = [
        Bin(low_minor=None if far is None else -far, high_minor=-near, members=count)
        for near, far, count in reversed(down)
    ]
    kept = Bin(low_minor=0, high_minor=0, members=members - len(sizes))
    winning = [Bin(low_minor=near, high_minor=far, members=count) for near, far, count in up]
    return (*losing, kept, *winning)


def round_width(largest: int, bins: int) -> int:
    """1, 2 or 5 times a power of ten, so that so many bins reach up to the largest."""
    width = 1
    while True:
        for factor in (1, 2, 5):
            if width * factor * bins >= largest:
                return width * factor
        width *= 10


def _counted(sizes: list[int], width: int) -> list[tuple[int, int | None, int]]:
    """Near bound, far bound and count of each bin; the last one is open."""
    counts = [0] * BINS_EACH_WAY
    for size in sizes:
        counts[min((size - 1) // width, BINS_EACH_WAY - 1)] += 1
    last = BINS_EACH_WAY - 1
    return [
        (number * width, None if number == last else (number + 1) * width, count)
        for number, count in enumerate(counts)
    ]
