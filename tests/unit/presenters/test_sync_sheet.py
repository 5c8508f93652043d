"""The sync page: when the server was last copied, and whether a forked till should enrol again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.presenters.sync_sheet import SyncSheet
from desktop.presenters.text import Moment, say
from desktop.presenters.view import Figures, Note
from desktop.sync.status import SyncStatus

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STATUS = SyncStatus(is_online=True, unsent=0, since=NOW, last_contact=NOW)


def backup(status: SyncStatus):
    (figures,) = [
        part for part in SyncSheet(UTC, status).sheet().parts if isinstance(part, Figures)
    ]
    (found,) = [row.value for row in figures.rows if row.label == say("till.sync.backup")]
    return found


def test_it_says_when_the_server_was_last_copied_to_another_device():
    at = NOW - timedelta(hours=5)
    assert backup(replace(STATUS, backup_at=at)) == Moment(at)
    assert backup(STATUS) == say("till.sync.no-backup")


@pytest.mark.parametrize("asked", [True, False])
def test_it_asks_for_a_new_enrolment_only_where_the_server_does(asked):
    notes = [
        part.text
        for part in SyncSheet(UTC, replace(STATUS, enrol_again=asked)).sheet().parts
        if isinstance(part, Note)
    ]
    assert (say("till.sync.enrol-again") in notes) is asked
