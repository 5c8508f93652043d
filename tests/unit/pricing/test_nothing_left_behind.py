"""A till prices all day: what a price needed is freed by counting, without the collector."""

import gc
import random
import tracemalloc

from shared.pricing.engine import price
from shared.pricing.search import SearchMemory
from tests.bench.pricing import a_basket, a_programme

BASKETS, ROUNDS = 8, 4
GROWTH_MAX = 512 * 1024
"""Bytes: what lists of free objects and the last answer take differs that much from round to round;
where searches stay behind it is several megabytes."""


def test_a_price_leaves_nothing_behind():
    """Nodes are out of the collector's sight: one that referred to itself would stay for ever."""
    rules, draw = a_programme(60), random.Random(8)
    baskets = [a_basket(draw, 60) for _ in range(BASKETS)]
    held: list[int] = []
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        for _ in range(ROUNDS):
            for shopping in baskets:
                price(shopping, rules)
                price(shopping, rules, SearchMemory())
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
        gc.enable()
    assert held[-1] - held[0] < GROWTH_MAX, held
