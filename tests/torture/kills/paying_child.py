"""A till that takes cards at a terminal until it is killed; the terminal lives in the parent."""

from pathlib import Path
from queue import Queue
from typing import Any

import structlog

from desktop.bootstrap import Counter, Surroundings
from desktop.services import payments
from desktop.services.payments import PaymentProgress, PaymentsBy
from desktop.store.database import TillFolder
from hardware.payment.line_terminal import LineTerminal
from shared.trade.fact import CashCount, TenderKind
from shared.trade.till import PaymentState
from tests.support.enrolled_till import open_till
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements

SALES_PER_LIFE = 3
payments.PAY_DEADLINES_S[TenderKind.CARD] = 0.1
payments.QUERY_DEADLINE_S = 0.04
payments.TRIES_MAX = 2


class Watched(LineTerminal):
    """Every question to the terminal, and every answer, is a point."""

    def __init__(self, host: str, port: int, killer: Killer) -> None:
        super().__init__("terminal", host, port)
        self._killer = killer

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("pay", "query", "reverse"):
            return found

        def asked(*arguments: Any, **named: Any) -> Any:
            self._killer.reach(f"before-{name}")
            answer = found(*arguments, **named)
            self._killer.reach(f"after-{name}")
            return answer

        return asked


def settle(counter: Counter, by: PaymentsBy) -> None:
    """What a cashier does in the morning: ask about all, give back what no sale took."""
    told: Queue[PaymentProgress] = Queue()
    waiting = {one.attempt_id for one in counter.payments.ask_again(by, told.put)}
    _await(told, waiting)
    for found in counter.payments.outstanding():
        if found.state is PaymentState.APPROVED:
            counter.payments.give_back(found, by, told.put)
            _await(told, {found.attempt_id})


def _await(told: Queue[PaymentProgress], waiting: set[str]) -> PaymentProgress | None:
    progress = None
    while waiting:
        progress = told.get()
        if progress.is_final:
            waiting.discard(progress.attempt_id)
    return progress


def take(counter: Counter, by: PaymentsBy) -> None:
    """Ask the terminal for what is due; cash where it did not pay."""
    told: Queue[PaymentProgress] = Queue()
    checkout = counter.checkout
    due = checkout.due().amount
    begun = counter.payments.begin(by, amount=due, tell=told.put, kind=TenderKind.CARD)
    last = _await(told, {begun.attempt_id})
    assert last is not None
    if last.state is PaymentState.APPROVED:
        checkout.tender(
            last.kind,
            last.amount,
            provider=last.provider,
            attempt_id=last.attempt_id,
            reference=last.reference,
        )
    else:
        checkout.tender_cash()


def pay(report: Report, path: str, point: str, skip: int, host: str, port: int) -> None:
    """One life: settle what an earlier one left, then sell by card, until the point is reached."""
    killer = Killer(point, skip, report)
    around = Surroundings(terminal=Watched(host, port, killer), language="en")
    till = open_till(TillFolder(Path(path)), around)
    watch_statements(till.store.writer._engine, killer)
    counter = till.counter()
    operator = till.operators.all()[0].operator_id
    shift = counter.shifts.current() or counter.shifts.open(
        operator, [CashCount(denomination=10_000, pieces=5)]
    )
    by = PaymentsBy(shift, operator)
    killer.arm()
    settle(counter, by)
    for _ in range(SALES_PER_LIFE):
        counter.scanning.scan("6901668054715")
        take(counter, by)
        report("done", counter.checkout.finish(shift, operator).entry_id)
    report("end", None)
    till.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    live_on_request(pay)
