"""A fixed part of a bad line: every trouble amid a push, a pull and a file of members."""

from collections.abc import Iterator

import pytest

from tests.torture.line.parts import SMALL_PART
from tests.torture.line.proxy import Trouble, Way
from tests.torture.line.shop import KIB, LineShop, line_shop

MEMBERS = 500
AMID = 60 * KIB


@pytest.fixture(scope="module")
def shop() -> Iterator[LineShop]:
    with line_shop(MEMBERS, has_snapshot=True) as made:
        yield made


@pytest.mark.xdist_group("line")
@pytest.mark.parametrize("trouble", Trouble)
def test_a_push_that_goes_wrong_is_kept_once_while_the_till_sells(shop, trouble):
    shop.push(trouble, Way.UP, 20 * KIB)
    shop.push(trouble, Way.DOWN, 500)


@pytest.mark.xdist_group("line")
def test_a_till_that_pulls_over_a_bad_line_holds_what_others_hold(shop):
    whole = shop.pull(Trouble.DELAY, 0, None)
    assert len(whole["members"]) == MEMBERS
    for trouble in Trouble:
        shop.pull(trouble, AMID, whole)


@pytest.mark.xdist_group("line")
def test_a_file_that_is_fetched_goes_on_where_the_line_broke_while_the_till_sells(
    shop, monkeypatch
):
    for name in ("PART_BYTES_MIN", "PART_BYTES_MAX"):
        monkeypatch.setattr(f"desktop.sync.snapshot_fetch.{name}", SMALL_PART)
    whole = shop.fetch(Trouble.DELAY, 0)
    for trouble in Trouble:
        assert shop.fetch(trouble, AMID) < whole + SMALL_PART + 4 * KIB  # heads of answers
