"""Putting a basket aside and taking it up again; giving it up."""

from collections.abc import Iterable

import msgspec

from desktop.services import kept_basket
from desktop.services.basket import OpenBasket
from desktop.services.books import Books
from desktop.services.kept_basket import TakenUp
from desktop.services.members import Members
from desktop.store import holds
from desktop.store.catalogue import find_by_id
from desktop.store.holds import Hold
from desktop.store.tickets import OpenShift
from desktop.store.writer import Transaction
from shared.catalogue.goods import SoldBy
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.journal.entry import format_occurred_at
from shared.pricing.basket import BasketLine
from shared.trade.fact import Approval, Measure
from shared.trade.till import (
    BasketAbandoned,
    BasketHeld,
    BasketLineNote,
    LineVoided,
    PriceOverridden,
)
from shared.trade.writing import Writing


def note(line: BasketLine) -> BasketLineNote:
    """Enough of a line to see later what it was; what comes in counts below zero."""
    return BasketLineNote(
        goods_id=line.goods.sku,
        quantity=line.quantity,
        measure=Measure.GRAM if line.goods.sold_by is SoldBy.WEIGHT else Measure.PIECE,
        amount=-line.shelf_minor if line.comes_in else line.shelf_minor,
    )


class Holding:
    """Hold, recall, abandon, and the facts about lines that were changed by hand."""

    def __init__(self, books: Books, basket: OpenBasket, members: Members) -> None:
        self._books = books
        self._basket = basket
        self._members = members

    def held(self) -> list[Hold]:
        """Held baskets, oldest first, without the one on the screen.

        A recalled basket stays held until it is sold, abandoned or held again: a till that dies
        meanwhile has it still.
        """
        with self._books.reading() as connection:
            every = holds.all_held(connection)
        return [hold for hold in every if hold.hold_id != self._basket.state.hold_id]

    def hold(self, shift: OpenShift, operator_id: OperatorId) -> Hold:
        """Put the basket aside and print a slip; DomainError ``basket-empty``."""
        state = self._basket.state
        if not state.lines:
            raise DomainError("basket-empty")
        total = self._basket.quote.total_minor
        hold = Hold(
            hold_id=state.hold_id or self._books.new_id(),
            held_at=format_occurred_at(self._books.clock.now()),
            operator_id=operator_id,
            total=total,
            document=kept_basket.keep(state),
        )
        fact = BasketHeld(
            hold_id=hold.hold_id,
            shift_id=shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._basket.quote.currency,
            lines=tuple(note(line) for line in state.lines),
            total=total,
            member_id=state.member.member_id if state.member else None,
        )

        def work(transaction: Transaction) -> None:
            self._books.append_printed(
                transaction, Writing(fact, business_date=shift.business_date)
            )
            holds.put(transaction.connection, hold)

        self._books.writer.run(work)
        self._basket.clear()
        return hold

    def recall(self, hold_id: str) -> TakenUp:
        """Go on with a held basket, at today's prices.

        Raises DomainError ``basket-not-empty``, ``no-such-hold``, and what the engine raises where
        today's programme cannot price it any more: it can then only be given up.
        """
        if self._basket.state.lines:
            raise DomainError("basket-not-empty")
        hold = self._held(hold_id)
        kept = kept_basket.read(hold.document)
        with self._books.reading() as connection:
            found = kept_basket.take_up(
                msgspec.structs.replace(kept, hold_id=hold.hold_id),
                self._members.by_now,
                lambda goods_id: find_by_id(connection, goods_id),
            )
        self._basket.load(found.state)
        return found

    def _held(self, hold_id: str) -> Hold:
        hold = next((held for held in self.held() if held.hold_id == hold_id), None)
        if hold is None:
            raise DomainError("no-such-hold")
        return hold

    def give_up(self, hold_id: str, shift: OpenShift, operator_id: OperatorId) -> int:
        """Abandon a held basket without taking it up; what was taken for it is to be given back.

        Raises DomainError ``no-such-hold``.
        """
        hold = self._held(hold_id)
        kept = kept_basket.read(hold.document)
        self._abandon(hold.hold_id, kept.lines, hold.total, shift, operator_id)
        return sum(tender.amount for tender in kept.tenders if not tender.attempt_id)

    def abandon(self, shift: OpenShift, operator_id: OperatorId) -> None:
        """Give the basket up; what was in it stays in the journal."""
        state = self._basket.state
        if state.lines:
            total = self._basket.quote.total_minor
            self._abandon(state.hold_id, state.lines, total, shift, operator_id)
        self._basket.clear()

    def _abandon(
        self,
        hold_id: str | None,
        lines: Iterable[BasketLine],
        total: int,
        shift: OpenShift,
        operator_id: OperatorId,
    ) -> None:
        fact = BasketAbandoned(
            hold_id=hold_id,
            shift_id=shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._basket.pricing.programme.currency,
            lines=tuple(note(line) for line in lines),
            total=total,
        )
        self._books.record(Writing(fact, business_date=shift.business_date))

    def void_line(self, line_id: str, shift: OpenShift, operator_id: OperatorId) -> None:
        """Take a line off, on the record."""
        gone = note(self._basket.state.line(line_id))
        self._basket.void(line_id)
        self._note_void(gone, shift, operator_id)

    def change_quantity(
        self, line_id: str, quantity: int, shift: OpenShift, operator_id: OperatorId
    ) -> None:
        """Change a line's units or grams; what is taken off is on the record, like a void."""
        before = note(self._basket.state.line(line_id))
        self._basket.set_quantity(line_id, quantity)
        after = note(self._basket.state.line(line_id))
        if after.quantity < before.quantity:
            taken = msgspec.structs.replace(
                before,
                quantity=before.quantity - after.quantity,
                amount=before.amount - after.amount,
            )
            self._note_void(taken, shift, operator_id)

    def _note_void(self, line: BasketLineNote, shift: OpenShift, operator_id: OperatorId) -> None:
        fact = LineVoided(
            shift_id=shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._basket.quote.currency,
            line=line,
        )
        self._books.record(Writing(fact, business_date=shift.business_date))

    def override_price(
        self,
        line_id: str,
        price_minor: int,
        approval: Approval,
        shift: OpenShift,
        operator_id: OperatorId,
    ) -> None:
        """A price typed by hand, on the record with its approval."""
        before = self._basket.state.line(line_id)
        self._basket.override_price(line_id, price_minor, approval)
        fact = PriceOverridden(
            shift_id=shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._basket.quote.currency,
            goods_id=before.goods.sku,
            list_price=before.goods.list_price_minor,
            unit_price=price_minor,
            reason=approval.action,
            approvals=(approval,),
        )
        self._books.record(Writing(fact, business_date=shift.business_date))
