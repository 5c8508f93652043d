"""A cashier's desk: an enrolled till on a clock that stands still, with a shift open."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.bootstrap import Counter, Surroundings, Till
from desktop.services.checkout import CompletedSale
from desktop.services.returns import CompletedReturn, ReturnedBy
from desktop.store.database import TillFolder
from desktop.store.journal import current_epoch
from desktop.store.members import Member, put_member
from desktop.store.tickets import OpenShift
from desktop.store.writer import Transaction
from shared.clock import ManualClock
from shared.loyalty.programme import Programme
from shared.protocol.message import MemberRow
from shared.returning.lines import Wanted
from shared.trade.fact import Approval, CashCount
from tests.support.enrolled_till import CASHIER, MANAGER, PINS, START, enrol_locally, open_till

FLOAT = (CashCount(denomination=100_00, pieces=5),)
"""500.00 in the drawer in the morning."""
WATER_CODE = "6901285991219"
BISCUIT_CODE = "6901668054715"


@dataclass
class Desk:
    """One till at work."""

    till: Till
    counter: Counter
    clock: ManualClock
    shift: OpenShift

    def scan(self, *codes: str) -> None:
        """Ring goods up."""
        for code in codes:
            self.counter.scanning.scan(code)

    def finish(self) -> CompletedSale:
        """Write the sale that is paid."""
        return self.counter.checkout.finish(self.shift, CASHIER)

    def sell(self, *codes: str, member: Member | None = None) -> CompletedSale:
        """Ring up, take exact cash, finish."""
        if member is not None:
            self.counter.checkout.basket.attach(self.member(member))
        self.scan(*codes)
        self.counter.checkout.tender_cash()
        return self.finish()

    def enrol(
        self, name: str = "李雷", phone: str = "13800138000", card: str = "", birthday: str = ""
    ) -> Member:
        """A new member."""
        return self.till.members.enrol(
            name=name,
            phone=phone,
            card=card,
            birthday=birthday,
            operator_id=CASHIER,
            tier="member",
        )

    def put_in_segments(self, member: Member, *segments: str) -> None:
        """As head office and a pull would."""

        def put(transaction: Transaction) -> None:
            epoch = current_epoch(transaction.connection)
            assert epoch is not None
            row = MemberRow(
                member_id=member.member_id,
                name=member.name,
                phone_tail=member.phone_tail,
                tier=member.tier,
                birthday=member.birthday,
                segments=segments,
            )
            put_member(
                transaction.connection,
                row,
                epoch=epoch.head.epoch,
                applied_through=0,
                as_of=member.balance_as_of,
            )

        self.till.store.writer.run(put)

    def member(self, member: Member) -> Member:
        """The member as known now."""
        found = self.till.members.by_id(member.member_id)
        assert found is not None
        return found

    def take_back(self, sale: CompletedSale, *wanted: tuple[int, int]) -> CompletedReturn:
        """Return ``(line, quantity)`` pairs of a sale."""
        return self.till.returns.take_back(
            self.till.pricing(),
            self.till.returns.by_receipt(sale.fact.receipt_no),
            [Wanted(line, quantity) for line, quantity in wanted],
            self.returned_by(),
        )

    def returned_by(self, *approvals: Approval) -> ReturnedBy:
        """The cashier, taking goods back."""
        return ReturnedBy(
            shift=self.shift, operator_id=CASHIER, reason="changed mind", approvals=approvals
        )

    def approval(self, action: str) -> Approval:
        """The manager's approval."""
        return self.till.operators.approve(MANAGER, PINS[MANAGER], action=action)


def open_desk(folder: TillFolder, clock: ManualClock | None = None, **around: Any) -> Desk:
    """Open an enrolled till and its shift (again)."""
    clock = clock or ManualClock(START)
    till = open_till(folder, Surroundings(clock=clock, **around))
    counter = till.counter()
    shift = counter.shifts.current() or counter.shifts.open(CASHIER, FLOAT)
    return Desk(till, counter, clock, shift)


def new_folder(path: Path, programme: Programme | None = None, **more: Any) -> TillFolder:
    """A freshly enrolled till's folder."""
    return enrol_locally(path, programme=programme, **more)
