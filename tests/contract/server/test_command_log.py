"""The list of what tills were told: how far a command is, whatever the clocks said."""

from pathlib import Path

import pytest

from shared.journal.keys import new_signing_key, sign_statement
from shared.protocol.command import CommandState
from sync_server.orders.log_file import LOG_FILE, CommandLog, Told, newest


def told(command: str, state: CommandState, at: str) -> Told:
    statement = sign_statement(new_signing_key(), purpose="command", audience="x", payload=b"{}")
    return Told(command_id=command, statement=statement, state=state, at=at)


@pytest.mark.parametrize("end", [CommandState.CANCELLED, CommandState.DONE])
def test_what_is_over_stays_over_though_the_clock_was_years_ahead_before(
    tmp_path: Path, end: CommandState
) -> None:
    here, beside_copies = (CommandLog(tmp_path / name) for name in (LOG_FILE, "usb.jsonl"))
    begun = told("wipe", CommandState.ISSUED, "2036-01-01")
    here.add(begun)
    here.copy_to(beside_copies.file)
    over = told("wipe", end, "2026-01-01")
    here.add(over)
    for logs in ((here, beside_copies), (beside_copies, here)):
        assert newest(logs) == {"wipe": over}
    # A list that is behind does not bring one back that is further.
    behind = CommandLog(tmp_path / "behind.jsonl")
    behind.add(begun)
    behind.copy_to(here.file)
    assert here.read() == {"wipe": over}
