"""Random plain cases, in families that can be written as an integer programme exactly."""

import itertools
from collections.abc import Callable, Sequence
from random import Random

from tests.judges.integer_programme.plain_case import (
    STEP,
    AnyFor,
    Article,
    CouponOff,
    NthOff,
    Percent,
    PlainCase,
    Sets,
    Stepped,
    Together,
)


def one_offer(random: Random) -> PlainCase:
    """One offer on sets of many goods: which units, and how many sets."""
    articles = _articles(random, random.randint(2, 6), most=7)
    return PlainCase(articles, (_sets(random, "set", articles),))


def islands(random: Random) -> PlainCase:
    """Offers on sets that share no goods, then at most one on what is left, then coupons."""
    articles = _articles(random, random.randint(3, 7), most=5)
    cuts = sorted(random.sample(range(1, len(articles)), random.randint(1, 2)))
    ends = [0, *cuts, len(articles)]
    parts = [articles[a:b] for a, b in itertools.pairwise(ends)]
    sets = tuple(_sets(random, f"set{n}", part) for n, part in enumerate(parts))
    listed = sum(one.price * one.units for one in articles)
    basket = tuple(_basket_offer(random, f"basket{n}", parts) for n in range(random.randint(0, 3)))
    coupons = tuple(_coupon(random, f"coupon{n}", listed) for n in range(random.randint(0, 2)))
    return PlainCase(articles, sets, basket, coupons)


def codes(random: Random) -> PlainCase:
    """Several coupons, more codes than a sale may use, minimums that shut each other out."""
    articles = _articles(random, 2, most=3)
    listed = sum(one.price * one.units for one in articles)
    coupons = tuple(_coupon(random, f"coupon{n}", listed) for n in range(random.randint(2, 3)))
    return PlainCase(articles, coupons=coupons)


def overlapping(random: Random) -> PlainCase:
    """Offers on sets that compete for units."""
    articles = _articles(random, random.randint(2, 4), most=5)
    count = random.randint(2, 3)
    return PlainCase(articles, tuple(_sets(random, f"set{n}", articles) for n in range(count)))


Family = Callable[[Random], PlainCase]
FAMILIES: dict[str, Family] = {"one-offer": one_offer, "islands": islands, "codes": codes}
"""Where no offer competes with another for units: the engine has to be exact."""
COMPETING: dict[str, Family] = {"overlapping": overlapping, "islands": islands}
"""Where other sets, or fewer, may be cheaper than all sets of an offer."""


def _articles(random: Random, count: int, *, most: int) -> tuple[Article, ...]:
    return tuple(
        Article(name, random.randint(1, 40) * STEP, random.randint(1, most))
        for name in "ABCDEFG"[:count]
    )


def _sets(random: Random, key: str, articles: Sequence[Article]) -> Sets:
    names = tuple(one.name for one in articles)
    goods = tuple(sorted(random.sample(names, random.randint(1, len(names)))))
    limit = random.choice((0, 0, 1, 2))
    dear = sum(one.price for one in articles) // len(articles) // STEP
    kind = random.randrange(4)
    if kind == 0 or (kind > 1 and len(goods) < 2):
        size = random.randint(2, 3)
        price = random.randint(dear, dear * size + 1) * STEP
        return AnyFor(key, goods, size, price, limit, same=random.random() < 0.3)
    if kind == 1:
        percent = random.choice((20, 50, 100))
        return NthOff(key, goods, random.randint(2, 4), percent, limit)
    cut = random.randint(1, len(goods) - 1)
    parts = (goods[:cut], goods[cut:])
    if kind == 2:
        return Together(key, parts, price=random.randint(dear, dear * 2) * STEP, limit=limit)
    # No more than the cheapest set costs: then each set saves the same.
    cheapest = sum(min(one.price for one in articles if one.name in part) for part in parts)
    return Together(key, parts, off=random.randint(1, cheapest // STEP) * STEP, limit=limit)


def _basket_offer(
    random: Random, key: str, parts: Sequence[Sequence[Article]]
) -> Stepped | Percent:
    """On the goods of whole parts, so that it never sees a share of a set."""
    chosen = random.sample(parts, random.randint(1, len(parts)))
    goods = tuple(sorted(one.name for part in chosen for one in part))
    if random.random() < 0.3:
        return Percent(key, goods, random.randint(1, 30))
    listed = sum(one.price * one.units for part in chosen for one in part) // STEP
    first = random.randint(max(1, listed // 2), listed)
    off = random.randint(1, max(1, first // 4))
    steps = [(first * STEP, off * STEP)]
    if random.random() < 0.5:
        more = random.randint(1, max(1, listed // 4))
        steps.append(((first + more) * STEP, (off + random.randint(1, more)) * STEP))
    return Stepped(key, goods, tuple(steps))


def _coupon(random: Random, key: str, listed: int) -> CouponOff:
    minimum = random.randint(max(1, listed // STEP // 3), listed // STEP)
    off = random.randint(1, max(1, minimum // 4))
    many = random.randint(1, 2)
    return CouponOff(key, minimum * STEP, off * STEP, many, random.randint(1, many))
