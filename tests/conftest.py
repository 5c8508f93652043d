"""What holds for all tests."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# No test puts a key into the key store of whoever runs it; those about it bring their own.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# A slow machine is not a fault of the product: no example has a time limit.
settings.register_profile("evertill", deadline=None)
settings.load_profile("evertill")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file run on one worker, so that what they share is made once, not by each."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    """The modules and the thousands of tests stay to the end: no need to look for garbage there."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Engines of all tests of this process share what they compile."""
    from tests.support.statements import compiled_once  # noqa: PLC0415 - not before it is needed

    with compiled_once():
        yield
