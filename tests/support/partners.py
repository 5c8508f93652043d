"""A business that gives and takes our points."""

from shared.loyalty.document import Names
from shared.loyalty.engagement import Partner

CINEMA = Partner(
    id="cinema",
    names=Names(zh="影院", en="Cinema"),
    points=1,
    per_minor=2_00,
    price_per_block_minor=90,
    points_per_block=100,
    value_per_block_minor=80,
)
