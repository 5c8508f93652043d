"""One shop for all of the torture that a worker plays."""

from collections.abc import Iterator

import pytest

from tests.torture.stage import Stage, staged


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The shop in the middle of its day."""
    with staged() as made:
        yield made
