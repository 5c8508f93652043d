"""A fixed part of the lost disks: one of each kind of copy on SQLite."""

import random

import pytest

from tests.support.little_chain import LittleChain
from tests.torture.lost_disk.shop import Kind, Losing


def no_postgresql() -> str:
    raise AssertionError


@pytest.mark.parametrize("kind", [Kind.OLDER, Kind.TWICE])
def test_a_server_without_its_disk_goes_on_from_a_copy_and_lacks_nothing_promised(tmp_path, kind):
    with LittleChain(tmp_path, tills=2) as chain:
        Losing(chain, random.Random(f"{kind}/0"), no_postgresql).play(kind)
