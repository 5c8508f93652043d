"""From the commit to the paper: the spooler gives the fiscal device a moment, and no more."""

from typing import Any

import pytest

from desktop.services.exchanging import Exchange, in_cash
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.fiscal.line_device import LineFiscalDevice
from hardware.paper.interpreter import Interpreter
from hardware.paper.text import sheet_text
from hardware.ports import PrintOutcome, PrintState
from hardware.simulators.fiscal import FiscalSimulator
from shared.ids import EntryId
from shared.returning.lines import Wanted
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk

PATIENT_S = 60.0
"""The paper would wait so long: a test that ends early did not wait."""
UNSIGNED = "this receipt is not signed"


class Paper:
    """A printer that keeps what it was sent."""

    name = "paper"

    def __init__(self) -> None:
        self.jobs: list[bytes] = []

    def print_job(self, data: bytes, *, deadline_s: float, before_first_byte: Any) -> PrintOutcome:
        """All of it, at once."""
        before_first_byte()
        self.jobs.append(data)
        return PrintOutcome(PrintState.CONFIRMED_UNVERIFIED, len(data))

    def newest(self) -> str:
        return sheet_text(Interpreter(dots=576).print_all(self.jobs[-1]))


@pytest.fixture
def simulator():
    with FiscalSimulator() as running:
        yield running


@pytest.fixture
def paper():
    return Paper()


@pytest.fixture
def desk(folder, simulator, paper, monkeypatch):
    monkeypatch.setattr("desktop.services.fiscal.DEADLINE_S", 0.3)
    book = built_in_profiles()
    made = open_desk(
        folder,
        fiscal=LineFiscalDevice("fiscal", simulator.host, simulator.port),
        fiscal_paper_waits_s=PATIENT_S,
        printer=paper,
        encoder=Encoder(book.profile("gb"), book.paper("80mm")),
        language="en",
    )
    assert made.till.spooler is not None
    made.till.fiscal.start()
    made.till.spooler.start()
    yield made
    made.till.close()


def printed(desk: Desk, paper: Paper, code: str) -> tuple[EntryId, str]:
    """Sell, and read what came out."""
    count, sale = len(paper.jobs), desk.sell(code)
    assert desk.till.spooler is not None
    desk.till.wake_printer()
    while len(paper.jobs) == count:
        desk.till.spooler.wait_idle(1)
    return sale.entry_id, paper.newest()


def test_a_device_in_time_signs_the_original(desk, paper, simulator):
    entry_id, shown = printed(desk, paper, BISCUIT_CODE)
    signature = simulator.inside.signed[entry_id].signature
    assert UNSIGNED not in shown
    assert signature.signature in shown.replace("\n", "").replace(" ", "")
    assert signature.serial in shown.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("fault", ["silent", "hang_up", "garble"])
def test_a_device_that_fails_is_on_the_original_and_its_signature_on_the_copy(
    desk, paper, simulator, fault
):
    setattr(simulator.faults, fault, True)
    first, shown = printed(desk, paper, BISCUIT_CODE)
    assert UNSIGNED in shown
    # From now on it is known to fail: the next paper does not wait for it at all.
    second, shown = printed(desk, paper, WATER_CODE)
    assert UNSIGNED in shown
    setattr(simulator.faults, fault, False)
    while desk.till.fiscal.unsigned():
        desk.till.fiscal._wake.set()
    assert set(simulator.inside.signed) >= {first, second}
    count = len(paper.jobs)
    desk.till.copies.print_copy(first, "1", desk.shift.operator_id)
    while len(paper.jobs) == count:
        desk.till.spooler.wait_idle(1)
    assert UNSIGNED not in paper.newest()
    assert "COPY" in paper.newest()


def test_the_paper_of_an_exchange_bears_both_signatures(desk, paper, simulator):
    first = desk.sell(WATER_CODE)
    sold, wanted = desk.till.returns.by_receipt(first.fact.receipt_no), [Wanted(1, 1)]
    refunds = desk.till.returns.would_give(desk.till.pricing(), sold, wanted)
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.exchange(
        Exchange(sold=sold, wanted=wanted, reason="faulty", cash=in_cash(refunds))
    )
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    desk.till.wake_printer()
    assert desk.till.spooler.wait_idle(PATIENT_S)
    text = paper.newest()
    assert UNSIGNED not in text
    made = simulator.inside.signed
    flat = "".join(text.split())
    for entry_id in (sale.entry_id, sale.fact.exchange):
        assert made[entry_id].signature.signature in flat
