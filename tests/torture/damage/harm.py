"""What disks, cables and people do to files: one harm, drawn from a seed."""

import random
from collections.abc import Callable
from typing import Final

PAGE: Final = 4096
Harm = Callable[[bytearray, random.Random], None]


def flip_bits(content: bytearray, chance: random.Random) -> None:
    """One to twenty bits, anywhere."""
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def zero_page(content: bytearray, chance: random.Random) -> None:
    """A page that reads as nothing."""
    at = _page(content, chance)
    content[at : at + PAGE] = bytes(len(content[at : at + PAGE]))


def cut_short(content: bytearray, chance: random.Random) -> None:
    """The end is not there."""
    del content[chance.randrange(len(content)) :]


def swap_pages(content: bytearray, chance: random.Random) -> None:
    """Two pages lie in each other's place."""
    one, other = _page(content, chance), _page(content, chance)
    first, second = content[one : one + PAGE], content[other : other + PAGE]
    if len(first) == len(second):
        content[one : one + PAGE], content[other : other + PAGE] = second, first


def scribble(content: bytearray, chance: random.Random) -> None:
    """Something else was written over some of it."""
    at = chance.randrange(len(content))
    size = chance.randint(1, 3 * PAGE)
    content[at : at + size] = chance.randbytes(len(content[at : at + size]))


HARMS: Final[tuple[Harm, ...]] = (flip_bits, zero_page, cut_short, swap_pages, scribble)


def harmed(content: bytes, seed: object) -> bytes:
    """The content after one harm; sometimes nothing of it is left, or nothing has changed."""
    chance = random.Random(str(seed))
    changed = bytearray(content)
    chance.choice(HARMS)(changed, chance)
    return bytes(changed)


def _page(content: bytearray, chance: random.Random) -> int:
    return chance.randrange(max(1, len(content) // PAGE)) * PAGE
