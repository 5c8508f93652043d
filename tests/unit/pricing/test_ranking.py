"""The numbers of ways order them as their ratings do, whatever the ratings are."""

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.pricing.nodes import Node, Rating, Solved
from shared.pricing.ranking import Picks, Ranking


def node(*, points: int, used: list[tuple[int, str]]) -> Node:
    rating: Rating = (
        points,
        len(used),
        tuple(sorted(priority for priority, _ in used)),
        tuple(sorted(key for _, key in used)),
    )
    return Node((0,), (0,), (0,), frozenset(), 0, _rating=rating)


USED = st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("abcdefgh")), max_size=4)
NODES = st.builds(lambda points, used: node(points=points, used=used), st.integers(0, 3), USED)
PARTS = st.lists(st.lists(NODES, min_size=1, max_size=3), min_size=1, max_size=4)


@given(PARTS)
def test_ways_are_ordered_as_their_ratings_are(parts: list[list[Node]]) -> None:
    ranking = Ranking([Solved(tuple(nodes), 0, is_proved=True) for nodes in parts])
    ways = list(product(*parts))
    by_number = sorted(range(len(ways)), key=lambda n: ranking.of(picks(ways[n])))
    by_rating = sorted(range(len(ways)), key=lambda n: rated(ways[n]))
    assert by_number == by_rating


def picks(way: tuple[Node, ...]) -> Picks:
    made = Picks(0)
    for one in way:
        made = Picks(0, made, one)
    assert made.nodes == way
    return made


def rated(way: tuple[Node, ...]) -> Any:
    """The rating of all of them together, put together by sorting."""
    ratings = [one.rating for one in way]
    return (
        sum(rating[0] for rating in ratings),
        sum(rating[1] for rating in ratings),
        sorted(priority for rating in ratings for priority in rating[2]),
        sorted(key for rating in ratings for key in rating[3]),
    )
