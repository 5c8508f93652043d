"""What a till's fiscal device said is kept, counted and shown; it books nothing, and nothing waits."""

import msgspec
import pytest

from shared.trade import kinds
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalRecorded, FiscalState
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import Server
from tests.support.till_writer import TillWriter
from tests.support.web import office_of


def sold(till: TillWriter, outcome: FiscalOutcome | None) -> tuple[str, str]:
    """A sale at a till with a device; id and number of the receipt."""
    fact = till.sale(1250)
    fact = msgspec.structs.replace(fact, fiscal=outcome)
    return till.write(fact).envelope.id, fact.receipt_no


def told(till: TillWriter, about: tuple[str, str], state: FiscalState, failure: str = "") -> None:
    entry_id, receipt_no = about
    till.write(
        FiscalRecorded(
            of_entry=entry_id,
            receipt_no=receipt_no,
            till_id=till.certificate.till_id,
            state=state,
            failure=failure,
        )
    )
