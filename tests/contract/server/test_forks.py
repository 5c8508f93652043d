"""A journal that went on twice: told apart, asked to enrol again, and never in a sale's way."""

import pytest

from shared.ids import TillId
from shared.journal.entry import decode_entry
from shared.protocol.message import (
    JournalHead,
    LookupReply,
    LookupRequest,
    PullReply,
    PullRequest,
    Stream,
)
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted
from shared.trade.till import EpochClosedWithLoss
from sync_server.journal.forks import ForkKind
from sync_server.ledger.finding import Rule
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


def test_two_receipts_with_one_number_are_told_and_found_apart(
    server: Server, forked: tuple[TillWriter, TillWriter]
) -> None:
    till, twin = forked
    first, second = till.entries[2], twin.entries[2]
    sold = read_fact(decode_entry(first.entry.encoded).envelope)
    assert isinstance(sold, SaleCompleted)
    number = sold.receipt_no

    page = OfficeReader(server.services.database).exceptions(1)
    told = [one for one in page.items if one.rule == Rule.RECEIPT_NUMBER_TWICE]
    assert [{fact.envelope.id for fact in one.facts} for one in told] == [{first.id, second.id}]
    for named, sale in (
        (number, first),
        (f"{number}-{first.hash.hex()[:4]}", first),
        (f"{number}-{second.hash.hex()[:4].upper()}", second),
    ):
        found = server.line.look_up(till, receipt_no=named).receipt
        assert found is not None
        assert found.entry == sale.entry.encoded
    nobody = f"{number}-{'0000' if first.hash[:2] != bytes(2) else '1111'}"
    assert server.line.look_up(till, receipt_no=nobody).receipt is None


def test_who_still_writes_an_epoch_that_its_till_gave_up_is_a_clone(server: Server) -> None:
    till = server.enrol_till()
    till.sell(1)
    original = till.copy(1)
    till.sell(2)
    server.line.push(till)
    lost = EpochClosedWithLoss(
        lost_epoch=0, last_seq=0, hash=original.heads[-1].hash.hex(), approvals=()
    )
    again = server.line.enrol(server.services.enrolment.issue_code(_till_id(till)))
    again.write(lost)
    server.line.push(again)
    # What was there before the loss is no news, and neither is a repeat.
    assert server.line.push(till).exceptions == ()

    till.sell(3)
    (notice,) = server.line.push(till, 2).exceptions
    till.sell(4)
    assert server.line.push(till, 3).exceptions == ()

    assert notice.rule == Rule.CLOSED_EPOCH_WRITTEN
    assert set(notice.facts) == {again.entries[0].id, till.entries[2].id}


def _till_id(till: TillWriter) -> TillId:
    assert till.certificate.till_id is not None
    return till.certificate.till_id
