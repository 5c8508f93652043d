"""Charts as SVG inside the page; colours come from its style sheet, positions are whole pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from shared.backtest.winning import round_width

WIDTH: Final = 920
HEIGHT: Final = 260
LEFT: Final = 92
"""Room for the figures at the axis."""
RIGHT: Final = 44
"""Room for half of the last label."""
ROOM: Final = WIDTH - LEFT - RIGHT
TOP: Final = 12
BOTTOM: Final = 34
TICKS: Final = 4
LABELS_MAX: Final = 12

Say = Callable[[int], str]
"""A figure in words: at the axis, or in a tip."""


class Point(NamedTuple):
    """A place on the horizontal axis with a figure per programme."""

    label: str
    old: int
    new: int


class Bar(NamedTuple):
    """A bar of a histogram; ``kind`` is its class in the style sheet."""

    label: str
    figure: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """The vertical axis: whole steps that hold all figures and 0."""

    low: int
    high: int
    step: int

    @classmethod
    def of(cls, figures: Sequence[int]) -> "_Scale":
        lowest, highest = min(0, *figures), max(0, *figures)
        step = round_width(max(1, highest - lowest), TICKS)
        high = -(-highest // step) * step or step
        return cls(low=lowest // step * step, high=high, step=step)

    def y(self, figure: int) -> int:
        room = HEIGHT - TOP - BOTTOM
        return TOP + (self.high - figure) * room // (self.high - self.low)

    def axis(self, say: Say) -> str:
        parts = []
        for figure in range(self.low, self.high + 1, self.step):
            y = self.y(figure)
            kind = "zero" if figure == 0 else "grid"
            parts.append(
                f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
                f'<text class="tick" x="{LEFT - 8}" y="{y + 4}">{escape(say(figure))}</text>'
            )
        return "".join(parts)


def lines_chart(title: str, points: Sequence[Point], axis: Say, tip: Say) -> Markup:
    """A line per programme."""
    scale = _Scale.of([figure for point in points for figure in (point.old, point.new)])
    places = [_middle(number, len(points)) for number in range(len(points))]
    drawn = [scale.axis(axis), _labels([point.label for point in points])]
    for side in ("old", "new"):
        heights = [scale.y(getattr(point, side)) for point in points]
        path = " ".join(f"{x},{y}" for x, y in zip(places, heights, strict=True))
        drawn.append(f'<polyline class="line {side}" points="{path}"/>')
        for point, x, y in zip(points, places, heights, strict=True):
            told = f"{point.label}: {tip(getattr(point, side))}"
            drawn.append(
                f'<circle class="dot {side}" cx="{x}" cy="{y}" r="4">'
                f"<title>{escape(told)}</title></circle>"
            )
    return _svg(title, drawn)


def pairs_chart(title: str, points: Sequence[Point], axis: Say, tip: Say) -> Markup:
    """Two bars side by side, one per programme."""
    scale = _Scale.of([figure for point in points for figure in (point.old, point.new)])
    slot = ROOM // max(1, len(points))
    width = max(2, min(26, slot * 2 // 5))
    drawn = [scale.axis(axis), _labels([point.label for point in points])]
    for number, point in enumerate(points):
        middle = _middle(number, len(points))
        for side, x in (("old", middle - width), ("new", middle)):
            figure = getattr(point, side)
            told = f"{point.label}: {tip(figure)}"
            drawn.append(_bar(scale, x, width, figure, side, told))
    return _svg(title, drawn)


def bars_chart(title: str, bars: Sequence[Bar], axis: Say) -> Markup:
    """A histogram; its labels are told in tips, only every other one is written."""
    scale = _Scale.of([bar.figure for bar in bars])
    slot = ROOM // max(1, len(bars))
    drawn = [scale.axis(axis), _labels([bar.label for bar in bars], most=5)]
    for number, bar in enumerate(bars):
        x = LEFT + number * slot + 2
        told = f"{bar.label}: {axis(bar.figure)}"
        drawn.append(_bar(scale, x, slot - 4, bar.figure, bar.kind, told))
    return _svg(title, drawn)


def _bar(scale: _Scale, x: int, width: int, figure: int, kind: str, told: str) -> str:
    top, foot = sorted((scale.y(figure), scale.y(0)))
    return (
        f'<rect class="bar {kind}" x="{x}" y="{top}" width="{width}" height="{foot - top}" rx="2">'
        f"<title>{escape(told)}</title></rect>"
    )


def _middle(number: int, count: int) -> int:
    return LEFT + (2 * number + 1) * ROOM // (2 * count)


def _labels(labels: Sequence[str], most: int = LABELS_MAX) -> str:
    every = -(-len(labels) // most) or 1
    return "".join(
        f'<text class="label" x="{_middle(number, len(labels))}" y="{HEIGHT - 10}">'
        f"{escape(label)}</text>"
        for number, label in enumerate(labels)
        if number % every == 0
    )


def _svg(title: str, drawn: Sequence[str]) -> Markup:
    # What is drawn is numbers and texts that were escaped where they were put in.
    return Markup(  # noqa: S704
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )
