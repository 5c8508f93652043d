"""Tills before anything happens to them."""

import pytest

from tests.support.scratch import scratch_folder
from tests.torture.damage.till_files import Sound, make_sound


@pytest.fixture(scope="session")
def sound() -> Sound:
    """Whose files are plain."""
    return make_sound(scratch_folder())


@pytest.fixture(scope="session")
def sealed_sound() -> Sound:
    """Whose files are encrypted."""
    return make_sound(scratch_folder(), seals=True)
