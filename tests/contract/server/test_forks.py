"""A journal that went on twice: told apart, asked to enrol again, and never in a sale's way."""

import pytest

from shared.protocol.message import (
    JournalHead,
    LookupReply,
    LookupRequest,
    PullReply,
    PullRequest,
    Stream,
)
from sync_server.journal.forks import ForkKind
from sync_server.web.reading import OfficeReader
from tests.support.servers import Server
from tests.support.till_writer import TillWriter


@pytest.fixture
def forked(server: Server) -> tuple[TillWriter, TillWriter]:
    """A till, and what was restored from its image; the server has seen both go on."""
    till = server.enrol_till()
    for amount in (1, 2, 4):
        till.sell(amount)
    server.line.push(till)
    twin = till.copy(2)
    twin.sell(8)
    server.line.push(twin, 2)
    return till, twin


def test_a_till_is_told_how_far_each_branch_is(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    till, twin = forked
    twin.sell(16)
    server.line.push(twin, 3)
    both = [JournalHead(next_seq=len(one.entries), hash=one.heads[-1].hash) for one in (till, twin)]

    assert list(server.line.pull(twin, Stream.MEMBERS).heads) == both
    assert list(server.line.look_up(twin, receipt_no="0").heads) == both


def test_a_till_of_an_older_version_is_told_nothing_of_branches(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    _till, twin = forked
    asking = LookupRequest(protocol=3, receipt_no="0")
    assert server.line.post("/v1/lookup", asking, LookupReply, signer=twin.key) == LookupReply()
    pulling = PullRequest(protocol=3, stream=Stream.MEMBERS, cursor=None)
    page = server.line.post("/v1/sync/pull", pulling, PullReply, signer=twin.key)
    assert (page.applied_through, page.heads) == (3, ())


def kinds(server: Server) -> list[ForkKind]:
    page = OfficeReader(server.services.database).exceptions(1)
    return [one.fork for one in page.items if one.fork is not None]


def test_an_image_that_was_restored_leaves_the_old_branch_standing(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    _till, twin = forked
    twin.sell(16)
    server.line.push(twin, 3)

    assert kinds(server) == [ForkKind.IMAGE]


def test_a_clone_is_known_by_both_branches_growing(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    till, twin = forked
    twin.sell(16)
    server.line.push(twin, 3)
    till.sell(32)
    server.line.push(till, 3)

    assert kinds(server) == [ForkKind.CLONE]


def test_each_fork_of_several_is_judged_by_its_own_branches(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    till, twin = forked
    third = twin.copy(3)
    twin.sell(16)
    server.line.push(twin, 3)
    third.sell(64)
    server.line.push(third, 3)
    till.sell(32)
    server.line.push(till, 3)

    # The third left the twin, which then stopped; the first till went on beside the twin.
    assert sorted(kinds(server)) == [ForkKind.CLONE, ForkKind.IMAGE]


def test_both_are_asked_to_enrol_again_until_the_journal_has_a_new_epoch(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    till, twin = forked
    other = server.enrol_till("other")
    other.sell(1)
    assert not server.line.push(other).enrol_again
    assert server.line.push(till, 3).enrol_again
    twin.sell(16)
    assert server.line.push(twin, 3).enrol_again

    till_id = till.certificate.till_id
    assert till_id is not None
    again = server.line.enrol(server.services.enrolment.issue_code(till_id))
    again.sell(1)

    assert again.certificate.epoch > twin.certificate.epoch
    assert not server.line.push(again).enrol_again
    # What is left of the old epoch is taken without asking once more.
    assert not server.line.push(twin, 4).enrol_again
