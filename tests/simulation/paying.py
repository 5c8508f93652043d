"""Money that customers pay in first: stored value and gift cards, with and without a line."""

import random
from typing import Any

from desktop.services.stored_value import VALUE_OUT, By, Written, paying
from desktop.store.members import Member
from shared.errors import DomainError
from shared.loyalty.gift_card_code import new_gift_card_code
from shared.trade.fact import Approval, TenderKind
from shared.trade.value import GiftCardSold, ValueToppedUp
from tests.simulation.till import SimulatedTill

AMOUNTS = (20_00, 50_00, 100_00, 200_00)
ASKED_FIRST = 0.6
"""Share of payments before which the till is in sync; the others go by what it holds."""


class Purse:
    """What one customer does with value at one till; raises what the services raise."""

    def __init__(self, till: SimulatedTill, shift: Any, drawn: random.Random) -> None:
        self.till = till
        self.drawn = drawn
        self.by = By(shift, till.operator_id)

    def top_up(self, member: Member) -> str:
        """Cash becomes stored value."""
        amount = self.drawn.choice(AMOUNTS)
        written = self.till.counter.value.top_up(
            self.till.till.pricing(), member, amount, paying(TenderKind.CASH, amount), self.by
        )
        assert isinstance(written.fact, ValueToppedUp)
        before = member.wallet.total
        told = written.fact.after.principal + written.fact.after.bonus
        assert told == before + amount + written.fact.bonus, "the paper shows another value"
        return "done"

    def close(self, member: Member) -> str:
        """What is left is paid out, by the lease that the till holds of all of it."""
        desk, pricing = self.till.counter.value, self.till.till.pricing()
        self._ask(member)
        try:
            amount = desk.to_pay_out(pricing, self._known(member))
        except DomainError:
            # All of it was asked for just now.
            self.till.sync()
            amount = desk.to_pay_out(pricing, self._known(member))
        desk.close(pricing, self._known(member), self.by, self._approved(amount))
        return "done"

    def sell_card(self) -> str:
        """A gift card from stock; its code."""
        code = new_gift_card_code(self.drawn.randbytes)
        amount = self.drawn.choice(AMOUNTS)
        written: Written = self.till.counter.cards.sell(
            self.till.till.pricing(), amount, paying(TenderKind.CASH, amount), self.by, code=code
        )
        assert isinstance(written.fact, GiftCardSold)
        return code

    def pay_value(self, member: Member) -> str:
        """As much of the basket as the member's stored value and the lease allow."""
        self._ask(member)
        checkout = self.till.counter.checkout
        amount = checkout.value_offered()
        if not amount and self.drawn.random() < 0.5:
            return "no right"
        part = self.drawn.randint(1, amount) if amount else None
        checkout.tender_stored_value(part)
        return "by lease"

    def pay_card(self, code: str) -> str:
        """As much of the basket as is on a gift card."""
        checkout = self.till.counter.checkout
        if self.drawn.random() < ASKED_FIRST:
            # The first try asks the server; nobody has to wait for it.
            try:
                checkout.tender_gift_card(code)
            except DomainError:
                self.till.sync()
            else:
                return "by lease"
        checkout.tender_gift_card(code)
        return "by lease"

    def _ask(self, member: Member) -> None:
        """The member is at the counter: what may be spent is asked for with the next sync."""
        checkout = self.till.counter.checkout
        checkout.basket.attach(member)
        if self.drawn.random() < ASKED_FIRST:
            self.till.sync()
            checkout.basket.attach(self._known(member))

    def _known(self, member: Member) -> Member:
        return self.till.till.members.by_id(member.member_id) or member

    def _approved(self, amount: int) -> tuple[Approval, ...]:
        one = Approval(
            approval_id=f"{self.drawn.getrandbits(64):016x}",
            action=VALUE_OUT,
            approver_id=self.till.operator_id,
            amount=amount,
        )
        return (one,)
