"""SIGKILL at every named point of a sale and at any time: what was reported is there, once."""

import signal

import pytest

from desktop.reckoning.agreement import reckon
from desktop.reckoning.file import read_server, read_till
from desktop.store.database import TillFolder
from tests.torture.kills.life import AT_A_TIME, EVERY, Lives, told
from tests.torture.kills.paying import pay_and_die
from tests.torture.kills.runs import (
    check_till,
    join_and_die,
    sell_and_die,
    serve_and_die,
    shop,
)


@pytest.mark.xdist_group("kills")
def test_nothing_reported_is_lost_and_nothing_is_doubled_wherever_the_till_is_killed(tmp_path):
    with Lives("selling_child.py") as lives:
        with shop(tmp_path) as (_server, folder):
            whole, another = lives.live(folder, EVERY), lives.live(folder, EVERY)
            # What happens in a till's first life alone cannot be killed again and again.
            points = sorted(set(told(whole, "point")) & set(told(another, "point")))
            assert len(points) >= 30
            done = set(told(whole, "done")) | set(told(another, "done"))
            for point in points:
                life = lives.live(folder, point)
                assert (life["killed_by"], told(life, "point")) == (signal.SIGKILL, [point])
                done |= set(told(life, "done"))
                check_till(folder, done)
            done |= set(told(lives.live(folder, "nowhere"), "done"))
            check_till(folder, done)
        agreement = reckon(
            [read_till(TillFolder(folder).database)], read_server(tmp_path / "server/evertill.db")
        )
        assert agreement.differences == []
        assert agreement.entries_acknowledged == agreement.entries_written
        tally = sell_and_die(lives, "test", 20)
    assert tally.by[AT_A_TIME] > 0


@pytest.mark.xdist_group("torture")
def test_tills_that_join_and_pull_go_on_wherever_they_are_killed(stage):
    with Lives("joining_child.py") as lives:
        assert join_and_die(lives, stage, "test", 20).kills == 20


@pytest.mark.xdist_group("kills")
def test_what_a_server_acknowledged_survives_wherever_it_is_killed():
    with Lives("serving_child.py") as lives:
        assert serve_and_die(lives, "test", 30).kills == 30


@pytest.mark.xdist_group("kills")
def test_a_terminals_books_and_the_journal_agree_wherever_the_till_is_killed():
    with Lives("paying_child.py") as lives:
        tally = pay_and_die(lives, "test", 12)
    assert tally.kills == 12
    assert tally.by[AT_A_TIME] > 0
