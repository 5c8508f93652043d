"""What a till's fiscal device said is kept and counted; it books nothing, and blocks nothing."""

import pytest
from sqlalchemy import select

from shared.ids import EntryId, TillId
from shared.trade import kinds
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalRecorded, FiscalState
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import Server
from tests.support.till_writer import TillWriter


def told(till: TillWriter, about: EntryId, state: FiscalState, failure: str = "") -> None:
    assert till.certificate.till_id is not None
    till.write(
        FiscalRecorded(
            of_entry=about,
            receipt_no="1",
            till_id=TillId(till.certificate.till_id),
            state=state,
            failure=failure,
        ),
        depends_on=(about,),
    )


def unsigned(server: Server) -> list[int]:
    return [state.unsigned for state in server.services.stores.states()]


def states(server: Server) -> dict[str, tuple[str, str]]:
    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(select(schema.fiscal_tickets))
        found = {row.entry_id: (row.state, row.failure) for row in rows}
        assert audit(snapshot).flaws == []
    return found


@pytest.mark.parametrize("at_once", [1, 100])
def test_signed_failed_and_waiting_are_counted_whatever_a_push_holds(server, at_once):
    till, plain = server.enrol_till(), server.enrol_till("another")
    waiting = till.sell(100, fiscal=FiscalOutcome())
    failed = till.sell(200, fiscal=FiscalOutcome(failure="offline"))
    late = till.sell(300, fiscal=FiscalOutcome())
    told(till, late, FiscalState.FAILED, "timeout")
    signed = till.sell(400, fiscal=FiscalOutcome())
    told(till, signed, FiscalState.SIGNED)
    told(till, late, FiscalState.SIGNED)
    plain.sell(500)
    server.line.push(plain)
    for start in range(0, len(till.entries), at_once):
        server.line.push(till, start, start + at_once)
    server.line.push(till)  # again: nothing changes
    assert states(server) == {
        waiting: ("waiting", ""),
        failed: ("failed", "offline"),
        late: ("signed", "timeout"),
        signed: ("signed", ""),
    }
    assert unsigned(server) == [2, 0]


def test_an_older_server_keeps_them_in_quarantine_and_books_them_after_its_upgrade(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = server.enrol_till()
    sale = till.sell(100, fiscal=FiscalOutcome())
    told(till, sale, FiscalState.SIGNED)
    newer = dict(kinds._decoders)
    older = {key: one for key, one in newer.items() if key[0] != FiscalRecorded.kind}
    monkeypatch.setattr(kinds, "_decoders", older)
    assert server.line.push(till).next_seq == 2
    (waiting,) = server.services.quarantine.waiting()
    assert (waiting.reason, waiting.kind) == ("unknown-fact", "fiscal_recorded")
    assert unsigned(server) == [1]
    monkeypatch.setattr(kinds, "_decoders", newer)
    monkeypatch.setattr("sync_server.sync.quarantine.READER", "a later release")
    assert server.services.quarantine.retry() == 1
    assert unsigned(server) == [0]
