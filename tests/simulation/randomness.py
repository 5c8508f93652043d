"""One seeded source of randomness under everything that asks the operating system for it.

The patch is below ``secrets`` and ``os.urandom``, not beside each caller: keys, ids, nonces, salts
and codes all come from it, also those of code that was written after the simulation.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


class RandomSource:
    """Bytes that follow from a seed; set anew at each step, so that steps do not depend on others.

    A step that is taken out of a plan changes nothing about the keys and ids of the steps after it.
    """

    def __init__(self, seed: object) -> None:
        self._random = random.Random(str(seed))

    def begin(self, seed: object) -> None:
        """Go on from another seed."""
        self._random.seed(str(seed))

    def bytes(self, count: int) -> bytes:
        """What ``os.urandom`` would give."""
        return self._random.randbytes(count)


@contextmanager
def seeded(source: RandomSource) -> Iterator[None]:
    """Let the operating system's randomness come from a source."""
    with (
        mock.patch.object(os, "urandom", source.bytes),
        mock.patch("random._urandom", source.bytes),
    ):
        yield
