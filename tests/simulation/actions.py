"""What cashiers and customers do at a simulated till, and what they may be told instead."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from desktop.services.returns import ReturnedBy
from desktop.store.members import Member
from shared.errors import DomainError, EvertillError
from shared.ids import MemberId
from shared.loyalty.member_now import points_now
from shared.returning.lines import Wanted
from shared.trade.profile import KeyKind
from tests.simulation.paying import Purse
from tests.simulation.plan import Action
from tests.simulation.till import FLOAT, LOST_ENTRIES, SimulatedTill
from tests.support.enrolled_till import BISCUITS, WATER

PHONES = tuple(f"138000000{number:02d}" for number in range(40))
"""So few that one phone is often enrolled at two tills which do not know of each other."""
SOLD_AMID = 0.4
"""Share of syncs during which a customer pays."""
FINE = frozenset(
    {
        "member-exists",
        "coupon-used",
        "coupon-lapsed",
        "points-not-accepted",
        "points-not-enough",
        "points-below-minimum",
        "points-too-late",
        "balance-changed",
        "return-too-late",
        "return-exceeds-sale",
        "unknown-receipt",
        "unknown-coupon",
        "nothing-to-close",
        "beyond-lease",
        "beyond-lease-offline",
        "leases-rest",
        "leases-rest-at-server",
        "lease-gone",
        "stored-value-short",
        "tender-exceeds-due",
        "nothing-to-pay-out",
        "card-asked",
        "card-asked-offline",
        "gift-card-empty",
    }
)
"""What a cashier may be told in the course of a day; anything else is a finding."""


@dataclass
class Shop:
    """What customers hold in their hands, and what was seen of them."""

    coupons: list[str]
    receipts: list[str] = field(default_factory=list)
    phones: dict[MemberId, str] = field(default_factory=dict)
    """Of members who were enrolled as far as the cashier was told."""
    names: dict[MemberId, str] = field(default_factory=dict)
    cards: list[str] = field(default_factory=list)
    """Codes of gift cards that customers hold."""


class Cashier:
    """Does one thing at one till; raises what the services raise, and AssertionError."""

    def __init__(self, till: SimulatedTill, shop: Shop, drawn: random.Random) -> None:
        self.till = till
        self.shop = shop
        self.drawn = drawn

    def do(self, action: Action) -> str:
        """Do it; how it ended, as a code."""
        ways: dict[Action, Callable[[], str]] = {
            Action.SELL: self.sell,
            Action.SPEND: self.spend,
            Action.COUPON: self.use_coupon,
            Action.RETURN: self.take_back,
            Action.RETURN_ELSEWHERE: self.take_back_elsewhere,
            Action.ENROL: self.enrol,
            Action.LOOK_UP: self.look_up,
            Action.SHIFT: self.change_shift,
            Action.SYNC: self.sync,
            Action.RESTART: self.restart,
            Action.TOP_UP: lambda: self._with_purse(self._member(), Purse.top_up),
            Action.CLOSE_VALUE: lambda: self._with_purse(self._saver(), Purse.close),
            Action.PAY_VALUE: self.pay_value,
            Action.CARD_SALE: self.sell_card,
            Action.PAY_CARD: self.pay_card,
        }
        try:
            return ways[action]()
        except EvertillError as error:
            return self._told(action, error)

    def _told(self, action: Action, error: EvertillError) -> str:
        """Only what asks the server may hear that it cannot be reached, or that it refuses."""
        if isinstance(error, DomainError):
            is_fine = error.code in FINE
        elif error.code == LOST_ENTRIES:
            # Whether entries are missing at this till is judged where its loss is mended.
            is_fine = self.till.loss() is not None
        else:
            is_fine = action in {Action.LOOK_UP, Action.RETURN_ELSEWHERE}
        assert is_fine, f"{action} is told {error}"
        return error.code

    def _open_shift(self) -> Any:
        if self.till.shift is None:
            self.till.shift = self.till.counter.shifts.open(self.till.operator_id, FLOAT)
        return self.till.shift

    def _member(self) -> Member | None:
        """Somebody whom this till knows."""
        rows = self.till.reading.execute("SELECT member_id FROM members ORDER BY member_id")
        ids = [row[0] for row in rows.fetchall()]
        return self.till.till.members.by_id(self.drawn.choice(ids)) if ids else None

    def _ring_up(self, member: Member | None, units: int) -> Any:
        shift = self._open_shift()
        checkout = self.till.counter.checkout
        checkout.clear(self.till.till.pricing())
        if member is not None:
            checkout.basket.attach(member)
        for _ in range(units):
            goods = self.drawn.choice((WATER, BISCUITS, BISCUITS))
            self.till.counter.scanning.scan(goods.barcodes[0])
        return shift

    def _finish(self, shift: Any, member: Member | None, points: int = 0) -> str:
        checkout = self.till.counter.checkout
        checkout.tender_cash()
        sale = checkout.finish(shift, self.till.operator_id)
        self.till.receipts.append(sale.fact.receipt_no)
        self.shop.receipts.append(sale.fact.receipt_no)
        told = sale.fact.member.points if sale.fact.member else None
        if member is not None:
            assert told is not None
            till = self.till.till
            held = points_now(member, till.pricing().programme, till.books.today())
            assert told.opening == held, "the paper begins with another balance"
            assert told.spent == points, "other points are spent than were asked for"
            assert told.closing == told.opening + told.earned - points
        return "done"

    def sell(self) -> str:
        """Goods, to a member as often as not, against cash."""
        member = self._member() if self.drawn.random() < 0.6 else None
        shift = self._ring_up(member, self.drawn.randint(1, 9))
        return self._finish(shift, member)

    def spend(self) -> str:
        """Some of what they cost is paid with points."""
        member = self._member()
        if member is None or member.points < 100:
            return "too few points"
        shift = self._ring_up(member, self.drawn.randint(2, 9))
        checkout = self.till.counter.checkout
        # Whole blocks; as much as there is, when the customer is out to spend a lot twice.
        points = min(checkout.points_offered().points, 100 * self.drawn.randint(1, 3)) // 100 * 100
        if not points:
            return "too little to pay"
        checkout.tender_points(points)
        return self._finish(shift, member, points)

    def _saver(self) -> Member | None:
        """Somebody of whom this till believes that they have stored value."""
        rows = self.till.reading.execute(
            "SELECT m.member_id FROM members m JOIN balances b ON b.owner = m.member_id"
            " WHERE b.account = 'stored-value' AND b.amount < 0 ORDER BY m.member_id"
        )
        ids = [row[0] for row in rows.fetchall()]
        return self.till.till.members.by_id(self.drawn.choice(ids)) if ids else None

    def _with_purse(self, member: Member | None, what: Callable[[Purse, Member], str]) -> str:
        if member is None:
            return "nobody"
        self.till.counter.checkout.clear(self.till.till.pricing())
        return what(Purse(self.till, self._open_shift(), self.drawn), member)

    def pay_value(self) -> str:
        """Goods against stored value, the rest in cash."""
        member = self._saver()
        if member is None:
            return "nobody"
        shift = self._ring_up(None, self.drawn.randint(2, 9))
        outcome = Purse(self.till, shift, self.drawn).pay_value(member)
        return self._finish_paid(shift, outcome)

    def sell_card(self) -> str:
        """A gift card, to be used wherever its bearer likes."""
        purse = Purse(self.till, self._open_shift(), self.drawn)
        self.shop.cards.append(purse.sell_card())
        return "done"

    def pay_card(self) -> str:
        """Goods against a gift card, the rest in cash."""
        if not self.shop.cards:
            return "no card"
        shift = self._ring_up(None, self.drawn.randint(2, 9))
        outcome = Purse(self.till, shift, self.drawn).pay_card(self.drawn.choice(self.shop.cards))
        return self._finish_paid(shift, outcome)

    def _finish_paid(self, shift: Any, outcome: str) -> str:
        checkout = self.till.counter.checkout
        is_known = not self.till.till.is_offline()
        if not checkout.can_finish:
            checkout.tender_cash()
        sale = checkout.finish(shift, self.till.operator_id)
        self.till.receipts.append(sale.fact.receipt_no)
        self.shop.receipts.append(sale.fact.receipt_no)
        return f"{outcome}, {'online' if is_known else 'offline'}"

    def use_coupon(self) -> str:
        """A code, which may have been used at another till."""
        shift = self._ring_up(None, 6)
        self.till.counter.scanning.scan(self.drawn.choice(self.shop.coupons))
        return self._finish(shift, None)

    def take_back(self) -> str:
        """Part of what was sold here."""
        if not self.till.receipts:
            return "no receipt"
        return self._return(
            self.till.till.returns.by_receipt(self.drawn.choice(self.till.receipts))
        )

    def take_back_elsewhere(self) -> str:
        """Part of what was sold anywhere."""
        if not self.shop.receipts:
            return "no receipt"
        number = self.drawn.choice(self.shop.receipts)
        return self._return(self.till.till.elsewhere.receipt(number))

    def _return(self, sold: Any) -> str:
        shift = self._open_shift()
        line = self.drawn.choice(sold.sale.lines)
        left = sold.left(line)
        if not left:
            return "all came back"
        by = ReturnedBy(shift=shift, operator_id=self.till.operator_id, reason="changed mind")
        wanted = [Wanted(line.line, self.drawn.randint(1, left))]
        self.till.till.returns.take_back(self.till.till.pricing(), sold, wanted, by)
        return "done"

    def enrol(self) -> str:
        """A new member, whose phone may be known elsewhere."""
        phone = self.drawn.choice(PHONES)
        name = f"客{self.drawn.randrange(10**9):09d}"
        member = self.till.till.members.enrol(
            name=name, phone=phone, operator_id=self.till.operator_id, tier="member"
        )
        self.shop.phones[member.member_id] = phone
        self.shop.names[member.member_id] = name
        return "done"

    def look_up(self) -> str:
        """A member by phone, at the server."""
        found = self.till.till.elsewhere.member(KeyKind.PHONE, self.drawn.choice(PHONES))
        return "found" if found else "nobody"

    def change_shift(self) -> str:
        """A Z, perhaps the end of the day, and the next shift."""
        self._open_shift()
        shifts = self.till.counter.shifts
        shifts.close(self.till.operator_id, FLOAT)
        self.till.shift = None
        if self.drawn.random() < 0.5:
            shifts.close_day(self.till.operator_id)
        self._open_shift()
        return "done"

    def sync(self) -> str:
        """What the sync thread does every few seconds."""
        line, sold = self.till.line, 0

        def sell() -> None:
            nonlocal sold
            before = self._written()
            self.sell()
            sold += self._written() - before

        if self.drawn.random() < SOLD_AMID:
            line.amid, line.amid_skip = sell, self.drawn.randrange(20)
        try:
            went_through = self.till.sync()
        finally:
            # A till that dies amid a sync must not sell in the next one.
            line.amid = None
        status = self.till.till._status
        assert status is not None
        assert status.error_code != "sync-bug", "a bug in the sync client"
        if not went_through:
            return status.error_code
        assert self.till.till.unsent() <= sold, "in sync, with entries that were not sent"
        return "done"

    def _written(self) -> int:
        return int(self.till.reading.execute("SELECT COUNT(*) FROM entries").fetchone()[0])

    def restart(self) -> str:
        """The program is closed in the evening and opened in the morning."""
        self.till.restart()
        return "done"
