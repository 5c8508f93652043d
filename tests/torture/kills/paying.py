"""Runs of kills amid card payments: the terminal's own books against the till's journal."""

import random
import shutil
from collections import Counter

from desktop.reckoning.file import read_till
from desktop.store.database import TillFolder
from desktop.store.verification import verify_till
from hardware.ports import AttemptState
from hardware.simulators.payment_books import Behaviour, PaymentBooks
from hardware.simulators.terminal import TerminalSimulator
from tests.support.enrolled_till import enrol_locally
from tests.support.scratch import scratch_folder
from tests.torture.kills.life import EVERY, Lives, told
from tests.torture.kills.runs import LIFE_US, Chooser, Tally

OPEN = {"requested", "approved", "unknown"}
"""States of an attempt that the cashier sees in the list of open payments."""
SCRIPTED = 4


def check_money(folder: TillFolder, terminal: PaymentBooks, done: set[str]) -> set[str]:
    """Whatever the terminal took is in one sale or on the list; the attempts that are listed."""
    kept = read_till(folder.database)
    assert kept.broken_chains() == []
    facts = [entry.told for entry in kept.entries()]
    assert done <= {fact["id"] for fact in facts}
    attempts = {
        fact["body"]["attempt_id"]: fact["body"]
        for fact in facts
        if fact["kind"] == "payment_attempted"
    }
    paid = Counter[str]()
    in_sales: dict[str, int] = {}
    for fact in facts:
        for tender in fact["body"].get("tenders", ()) if fact["kind"] == "sale_completed" else ():
            if attempt_id := tender.get("attempt_id"):
                paid[attempt_id] += 1
                in_sales[attempt_id] = tender["amount"]
    assert all(count == 1 for count in paid.values()), paid
    books = terminal.books
    assert set(books) <= set(attempts), "asked for before it was written"
    for attempt_id, amount in in_sales.items():
        assert books[attempt_id].state is AttemptState.APPROVED, attempt_id
        assert books[attempt_id].amount.minor == amount
    listed = {
        one for one, body in attempts.items() if body["state"] in OPEN and one not in in_sales
    }
    for attempt_id, booked in books.items():
        if booked.state in (AttemptState.APPROVED, AttemptState.UNKNOWN):
            assert attempt_id in in_sales or attempt_id in listed, attempt_id
    return listed


def pay_and_die(lives: Lives, seed_of: object, cycles: int) -> Tally:
    """A till that takes cards, killed so many times; in the end every cent is where it belongs."""
    chance, tally, root = random.Random(f"paying {seed_of}"), Tally(), scratch_folder()
    try:
        folder = enrol_locally(root / "till")
        with TerminalSimulator() as simulator:
            terminal, address = simulator.provider, (simulator.host, simulator.port)
            terminal.script(Behaviour.LATE_REVERSAL, Behaviour.DECLINE)
            whole = lives.live(folder.path, EVERY, 0, *address)
            tally.note(EVERY, whole)
            points = sorted(told(whole, "point"))
            assert {"before-pay", "after-pay", "before-query", "after-reverse"} <= set(points)
            chooser = Chooser(points, LIFE_US["paying"], chance)
            while tally.kills < cycles:
                terminal.script(*chance.choices(list(Behaviour), k=SCRIPTED))
                point, skip = chooser.next()
                tally.note(point, lives.live(folder.path, point, skip, *address))
                check_money(folder, terminal, tally.done)
                if chance.random() < 0.5:
                    _come_back(terminal)
            terminal.forget_script()
            _come_back(terminal)
            for _ in range(2):  # a late reversal is known one asking later
                tally.note("nowhere", lives.live(folder.path, "nowhere", 0, *address))
            assert check_money(folder, terminal, tally.done) == set()
            assert terminal.taken() == _in_sales(folder)
        assert verify_till(folder).flaws == []
    finally:
        shutil.rmtree(root)
    return tally


def _come_back(terminal: PaymentBooks) -> None:
    """The line is repaired, and slow customers have paid by now."""
    terminal.revive()
    for attempt_id in terminal.books:
        terminal.settle(attempt_id)


def _in_sales(folder: TillFolder) -> int:
    return sum(
        tender["amount"]
        for entry in read_till(folder.database).entries()
        if entry.told["kind"] == "sale_completed"
        for tender in entry.told["body"]["tenders"]
        if tender.get("attempt_id")
    )
