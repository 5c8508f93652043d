"""The basket on the screen, kept after each step, so that a till that dies has it still."""

from concurrent.futures import Future
from dataclasses import dataclass

import msgspec
import structlog

from desktop.services import kept_basket
from desktop.services.basket import BasketState
from desktop.services.books import Books
from desktop.services.checkout import Checkout
from desktop.services.holding import note
from desktop.services.members import Members
from desktop.store import holds, open_basket
from desktop.store.catalogue import find_by_id
from desktop.store.holds import Hold
from desktop.store.payments import open_payments
from desktop.store.writer import Transaction, Urgency
from shared.errors import DomainError, EnvironmentFault
from shared.ids import OperatorId
from shared.journal.entry import format_occurred_at
from shared.trade.fact import Tender, TenderKind
from shared.trade.till import PaymentState

log = structlog.get_logger("draft")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found of a basket whose till died."""

    repriced: int
    """Lines that cost something else by now."""
    is_held: bool = False
    """It could not be priced any more, and waits among the held ones."""
    paid: int = 0
    """What was taken for it outside the till, where it is held."""


class Draft:
    """Keeps the basket and what was taken for it; nobody waits for that."""

    def __init__(self, books: Books, checkout: Checkout, members: Members) -> None:
        self._books = books
        self._checkout = checkout
        self._members = members
        self._kept: tuple[BasketState, tuple[Tender, ...]] = (checkout.basket.state, ())

    def keep(self) -> None:
        """Keep what changed since the last call; in the writer's order, before a sale that follows.

        A disk that takes it no more is told by the sale itself; the next step tries again.
        """
        state, tenders = self._checkout.basket.state, self._checkout.tenders
        if state is self._kept[0] and tenders is self._kept[1]:
            return
        self._kept = (state, tenders)
        # Points follow the basket by themselves, and of an exchange nothing has happened yet: both
        # are asked for again.
        taken = tuple(
            one for one in tenders if one.tender is not TenderKind.POINTS and not one.is_set_off
        )
        document = kept_basket.keep(state, taken) if state.lines else None

        def work(transaction: Transaction) -> None:
            open_basket.keep(transaction.connection, document)

        try:
            self._books.writer.submit(work, Urgency.SALE).add_done_callback(self._look_at)
        except EnvironmentFault as fault:
            log.warning("draft-not-kept", code=fault.code)

    def _look_at(self, done: Future[None]) -> None:
        """On the writer's thread: what could not be kept is tried again after the next step."""
        error = done.exception()
        if error is not None:
            self._kept = (BasketState(), ())
            log.warning("draft-not-kept", reason=str(error))

    def restore(self, operator_id: OperatorId) -> Restored | None:
        """Put the basket of a till that died back on an empty screen; None where there is none."""
        with self._books.reading() as connection:
            document = open_basket.kept(connection)
            if document is None or not self._checkout.basket.state.is_empty:
                return None
            try:
                kept = kept_basket.read(document)
            except msgspec.MsgspecError as error:
                # Of another release, or damaged: nothing a cashier could do about it.
                log.warning("draft-unreadable", reason=str(error))
                return None
            found = kept_basket.take_up(
                kept, self._members.by_now, lambda goods_id: find_by_id(connection, goods_id)
            )
            still_ours = {
                one.attempt_id
                for one in open_payments(connection)
                if one.state is PaymentState.APPROVED and not one.is_refund
            }
        tenders = tuple(t for t in kept.tenders if not t.attempt_id or t.attempt_id in still_ours)
        try:
            self._checkout.restore(found.state, tenders)
        except DomainError:
            self._put_aside(document, operator_id)
            paid = sum(tender.amount for tender in tenders)
            return Restored(repriced=0, is_held=True, paid=paid)
        return Restored(found.repriced)

    def _put_aside(self, document: bytes, operator_id: OperatorId) -> None:
        """Among the held baskets, from where it can be given up."""
        kept = kept_basket.read(document)
        hold = Hold(
            hold_id=kept.hold_id or self._books.new_id(),
            held_at=format_occurred_at(self._books.clock.now()),
            operator_id=operator_id,
            total=sum(note(line).amount for line in kept.lines),
            document=document,
        )

        def work(transaction: Transaction) -> None:
            holds.put(transaction.connection, hold)
            open_basket.keep(transaction.connection, None)

        self._books.change(work, Urgency.SALE)
