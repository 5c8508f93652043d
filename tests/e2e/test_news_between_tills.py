"""A balance earned at one till shows at another without its looking for it."""

import time

import pytest

from desktop.sync import runner
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]
LOOKS = 1_000


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Two tills that do not look for news by themselves in this test's time."""
    for name in ("PULL_EVERY_S", "PULL_IN_ANY_CASE_S"):
        monkeypatch.setattr(runner, name, 3_600.0)
    with LittleChain(tmp_path) as made:
        yield made


def comes_true(what):
    """Whether something becomes true while other threads work."""
    for _ in range(LOOKS):
        if what():
            return True
        time.sleep(0.02)
    return False


def test_a_sale_at_one_till_shows_at_another_that_was_idle(chain):
    here, there = chain.tills
    member = here.enrol("李雷", phone="13800138000")
    assert here.sync()
    there.till.sync.start()
    news = chain.server.services.news
    assert comes_true(lambda: there.member(member.member_id) and news.waiting)
    here.sell(BISCUIT, member=member)
    assert here.sync()
    points = here.member(member.member_id).points
    assert points > 0
    assert comes_true(lambda: there.member(member.member_id).points == points)
    # And it goes on listening.
    here.sell(BISCUIT, member=member)
    assert here.sync()
    assert comes_true(lambda: there.member(member.member_id).points > points)


def test_a_till_whose_line_was_cut_hears_of_news_again(chain):
    here, there = chain.tills
    member = here.enrol("李雷", phone="13800138000")
    assert here.sync()
    there.till.sync.start()
    news = chain.server.services.news
    assert comes_true(lambda: there.member(member.member_id) and news.waiting)
    chain.plugs[1].pull()
    here.sell(BISCUIT, member=member)
    assert here.sync()
    chain.plugs[1].plug_in()
    there.till.sync.wake()
    points = here.member(member.member_id).points
    assert comes_true(lambda: there.member(member.member_id).points == points and news.waiting)
    here.sell(BISCUIT, member=member)
    assert here.sync()
    assert comes_true(lambda: there.member(member.member_id).points > points)
