"""Ringing up and paying: from an open basket to a sale in the books."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import msgspec

from desktop.services import ticket
from desktop.services.basket import BasketState, OpenBasket, Pricing, usable_lots
from desktop.services.books import Books, EntryPlace
from desktop.services.earlier import Earlier
from desktop.services.ticket import Settled, TicketPlace
from desktop.store import members as member_store
from desktop.store.catalogue import find_by_id
from desktop.store.members import Member
from desktop.store.print_jobs import queue_original
from desktop.store.tickets import OpenShift
from desktop.store.writer import Transaction
from shared.catalogue.codes import receipt_code
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import EntryId, GoodsId, OperatorId, ShiftId, StoreId, TillId
from shared.journal.entry import ENTRY_BYTES_MAX
from shared.loyalty.lots import Lot, draw, less, spendable
from shared.loyalty.programme import Treatment
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.cash import cash_rounding
from shared.pricing.quote import Quote
from shared.pricing.redemption import Lowering, PointsPayment, PointsValue, offered, redeem, reduce
from shared.pricing.rulebook import rulebook
from shared.pricing.tender_rules import Demanded, payable, tender_name
from shared.trade.fact import Tender, TenderKind
from shared.trade.ticket import SaleCompleted
from shared.trade.writing import Writing

ENVELOPE_AND_TENDERS_BYTES = 8 * 1024
"""Kept free of 64 KiB for the envelope and for tenders that are not known yet."""


_DRAFT_PLACE = TicketPlace(
    receipt_no="0" * 20,
    ticket_id="0" * 36,
    entry_id="0" * 36,
    store_id=StoreId("0" * 36),
    till_id=TillId("0" * 36),
    shift_id=ShiftId("0" * 36),
    operator_id=OperatorId("0" * 36),
    today=date.min,
    as_of="0" * 32,
    offline=False,
)


class CompletedSale(NamedTuple):
    """A sale whose commit has returned."""

    entry_id: EntryId
    fact: SaleCompleted
    hash: bytes

    @property
    def change(self) -> int:
        """What the customer gets back in cash."""
        return sum(tender.change for tender in self.fact.tenders)


@dataclass(frozen=True, slots=True)
class Due:
    """What is still to be paid, and what that is in cash after rounding."""

    amount: int
    in_cash: int


class Checkout:
    """The till's one basket and its tenders."""

    def __init__(
        self,
        books: Books,
        pricing: Pricing,
        *,
        language: str,
        is_offline: Callable[[], bool] = lambda: False,
    ) -> None:
        self._books = books
        self.basket = OpenBasket(pricing, books.clock, books.identity.zone, Earlier(books))
        self.language = language
        self.basket.guard = self._check_change
        self._is_offline = is_offline
        self._tenders: tuple[Tender, ...] = ()
        self._points: PointsPayment | None = None
        self._points_for: Quote | None = None
        self._articles: dict[str, Goods] = {}

    @property
    def tenders(self) -> tuple[Tender, ...]:
        """What was paid so far."""
        return self._tenders

    @property
    def is_tendering(self) -> bool:
        """Whether money was taken for the basket on the screen."""
        return bool(self._tenders)

    def due(self) -> Due:
        """What is still to be paid."""
        self._renew_points()
        cash = sum(t.amount for t in self._tenders if t.tender is TenderKind.CASH)
        others = sum(t.amount for t in self._tenders if t.tender is not TenderKind.CASH)
        for_cash = self.basket.quote.total_minor - others
        # Rounded once, on all that cash settles, however many times cash was handed over.
        rounded = cash_rounding(for_cash, self.basket.pricing.programme).due_minor
        return Due(for_cash - cash, max(0, rounded - cash))

    def _check_change(self, quote: Quote) -> None:
        """A basket may not fall below what was paid for it; points follow it by themselves."""
        paid = sum(t.amount for t in self._tenders if t.tender is not TenderKind.POINTS)
        if paid > quote.total_minor:
            raise DomainError("tenders-first")

    def plan(self, kind: TenderKind | None) -> None:
        """A tender is about to pay all of the basket: offers that ask for it apply.

        Nothing changes once something was paid; without any offer that asks, neither.
        """
        if not self._tenders and rulebook(self.basket.pricing.programme).asks_for_tender:
            self.basket.plan(tender_name(kind) if kind else "")

    def saved_by_paying(self) -> list[tuple[TenderKind, int]]:
        """What paying everything with a tender would save, where it saves anything."""
        if self._tenders or not rulebook(self.basket.pricing.programme).asks_for_tender:
            return []
        found = []
        for kind in (TenderKind.WALLET, TenderKind.CARD, TenderKind.CASH):
            total = self.basket.total_if_paid_with(tender_name(kind))
            if (off := self.basket.total_if_paid_with("") - total) > 0:
                found.append((kind, off))
        return found

    def check_ready(self) -> None:
        """What must hold before any money is asked for.

        Raises DomainError ``basket-empty``, ``basket-too-large`` (the sale's entry would not fit
        64 KiB: finish it in two) or ``amount-too-large``.
        """
        quote = self.basket.quote
        if not quote.lines:
            raise DomainError("basket-empty")
        if quote.total_minor > AMOUNT_MINOR_MAX:
            raise DomainError("amount-too-large")
        if self._draft_bytes() > ENTRY_BYTES_MAX - ENVELOPE_AND_TENDERS_BYTES:
            raise DomainError("basket-too-large", lines=len(quote.lines))

    def _draft_bytes(self) -> int:
        """How large the sale would be, without envelope and tenders."""
        state = self.basket.state
        fact = ticket.sale_fact(
            _DRAFT_PLACE,
            self.basket.pricing,
            state,
            self.basket.priced(),
            Settled(tenders=(), rounding=0, articles=self.given_articles()),
            state.member,
        )
        return len(msgspec.json.encode(fact))

    def points_offered(self) -> PointsValue:
        """The most that the member's points can pay of what is due."""
        member = self.basket.state.member
        is_taken = self._points is not None or self.basket.state.lowering is not None
        if member is None or is_taken:
            return PointsValue(points=0, value_minor=0)
        basket, quote = self.basket.priced()
        return offered(basket, quote, self.basket.pricing.programme, self._free_lots(member, quote))

    def _free_lots(self, member: Member, quote: Quote) -> list[Lot]:
        """The member's lots without what the rewards of the basket cost."""
        lots, today = usable_lots(member, self.basket.pricing.programme), self._books.today()
        # What was enough when the basket was priced may have lapsed since.
        points = min(quote.reward_points, spendable(lots, today))
        return less(lots, draw(lots, points, today))

    def given_articles(self) -> dict[str, Goods]:
        """The articles that offers give on top, by SKU."""
        return self.articles(one.goods for one in self.basket.quote.added if one.goods)

    def unseen(self) -> list[Demanded]:
        """What the cashier has yet to look at before anything is paid."""
        return self.basket.unseen(self.given_articles().values())

    def articles(self, skus: Iterable[str]) -> dict[str, Goods]:
        """Articles as the catalogue had them when they were first asked for in this sale."""
        wanted = set(skus)
        if missing := sorted(wanted - self._articles.keys()):
            with self._books.reading() as connection:
                for sku in missing:
                    found = find_by_id(connection, GoodsId(sku))
                    self._articles[sku] = found or self._unknown(sku)
        return {sku: self._articles[sku] for sku in wanted}

    def _unknown(self, sku: str) -> Goods:
        """A gift that the catalogue does not have is still given: its offer names it."""
        tax_class = self.basket.pricing.programme.tax_classes[0].id
        return Goods(
            sku=GoodsId(sku), name_zh=sku, name_en=sku, tax_class=tax_class, list_price_minor=0
        )

    def lower_with_points(self, points: int) -> bool:
        """Lower the price with points, where the programme's best rule for them says so.

        Whether it did. Raises what ``tender_points`` raises, and DomainError ``tenders-first``.
        """
        member, programme = self.basket.state.member, self.basket.pricing.programme
        rules = {rule.id: rule for rule in programme.redemptions}
        best = rules.get(self.points_offered().rule)
        if member is None or best is None or best.treatment is not Treatment.PRICE_REDUCTION:
            return False
        if self._tenders:
            raise DomainError("tenders-first")
        basket, quote = self.basket.priced()
        lots = self._free_lots(member, quote)
        reduce(basket, quote, points, programme, lots, best.id)
        self.basket.lower(Lowering(points, best.id))
        return True

    def tender_points(self, points: int) -> Tender:
        """Pay with points; once per sale, before other tenders have paid too much for it.

        Raises DomainError ``points-need-member``, ``points-tendered-already``, ``points-too-late``
        and what ``redeem`` raises.
        """
        self.check_ready()
        member = self.basket.state.member
        if member is None:
            raise DomainError("points-need-member")
        if self._points is not None:
            raise DomainError("points-tendered-already")
        self.basket.plan("")
        basket, quote = self.basket.priced()
        lots = self._free_lots(member, quote)
        payment = redeem(basket, quote, points, self.basket.pricing.programme, lots)
        if payment.value_minor > self.due().amount:
            raise DomainError("points-too-late")
        self._points, self._points_for = payment, quote
        return self._take(_points_tender(payment))

    def _renew_points(self) -> None:
        """Spread a points payment anew over a basket that changed after it was taken.

        No more points than were asked for; given back where the basket takes none any more.
        """
        if self._points is None or self._points_for is self.basket.quote:
            return
        asked, member = self._points.points, self.basket.state.member
        others = tuple(t for t in self._tenders if t.tender is not TenderKind.POINTS)
        self._points, self._tenders = None, others
        basket, quote = self.basket.priced()
        if member is None or not quote.lines:
            return
        try:
            lots = self._free_lots(member, quote)
            payment = redeem(basket, quote, asked, self.basket.pricing.programme, lots)
        except DomainError:
            return
        if payment.value_minor > quote.total_minor - sum(tender.amount for tender in others):
            # What else was paid leaves too little for them now.
            return
        self._points, self._points_for = payment, quote
        self._tenders = (_points_tender(payment), *others)

    def tender(
        self,
        kind: TenderKind,
        amount: int,
        *,
        provider: str = "",
        attempt_id: str = "",
        reference: str = "",
    ) -> Tender:
        """Take a card, wallet or voucher payment.

        DomainError ``tender-exceeds-due``, and ``tender-may-not-pay`` where the programme does not
        let this tender pay for so much of the goods.
        """
        self.check_ready()
        self._forget_plan(kind)
        if attempt_id:
            # Somebody has paid it: what may be paid was looked at before.
            self._check_due(amount)
        else:
            self.check_tender(kind, amount)
        return self._take(
            Tender(
                tender=kind,
                amount=amount,
                provider=provider,
                attempt_id=attempt_id,
                reference=reference,
            )
        )

    def check_tender(self, kind: TenderKind, amount: int) -> None:
        """Raise what ``tender`` would raise for an amount."""
        self._check_due(amount)
        if amount > (most := self.payable(kind)):
            raise DomainError("tender-may-not-pay", tender=kind.value, amount=amount, most=most)

    def _check_due(self, amount: int) -> None:
        if not 0 < amount <= self.due().amount:
            raise DomainError("tender-exceeds-due", amount=amount, due=self.due().amount)

    def _forget_plan(self, kind: TenderKind) -> None:
        """Something else pays as well: offers that asked for one tender are withdrawn."""
        if self._tenders and self.basket.state.paying not in {"", tender_name(kind)}:
            self.basket.plan("")

    def payable(self, kind: TenderKind) -> int:
        """The most that a way of paying may still pay of what is due."""
        basket, quote = self.basket.priced()
        most = payable(tender_name(kind), basket, quote, self.basket.pricing.programme)
        taken = sum(tender.amount for tender in self._tenders if tender.tender is kind)
        return max(0, min(self.due().amount, most - taken))

    def tender_cash(self, given: int | None = None) -> Tender:
        """Take cash: exactly what is due (None), more (change is due), or a part of it."""
        self.check_ready()
        if self.due().amount < 0:
            # More was taken for a basket that costs less by now: a payment goes back first.
            raise DomainError("tenders-first")
        self._forget_plan(TenderKind.CASH)
        self.plan(TenderKind.CASH)
        if given is not None and given < self.due().in_cash:
            self.plan(None)
        in_cash = self.due().in_cash
        given = in_cash if given is None else given
        if not 0 <= given <= AMOUNT_MINOR_MAX:
            raise DomainError("bad-cash-amount", amount=given)
        amount = min(given, in_cash)
        return self._take(
            Tender(tender=TenderKind.CASH, amount=amount, given=given, change=given - amount)
        )

    def _take(self, tender: Tender) -> Tender:
        self._tenders = (*self._tenders, tender)
        return tender

    def withdraw(self, index: int) -> Tender:
        """Take a tender off; what was charged outside is then to be reversed by its provider."""
        gone = self._tenders[index]
        self._tenders = self._tenders[:index] + self._tenders[index + 1 :]
        if gone.tender is TenderKind.POINTS:
            self._points = None
        self.plan(None)
        return gone

    def rounding(self) -> int | None:
        """The cash rounding that settles the basket with these tenders; None while money is due."""
        self._renew_points()
        cash = sum(t.amount for t in self._tenders if t.tender is TenderKind.CASH)
        others = sum(t.amount for t in self._tenders if t.tender is not TenderKind.CASH)
        rest = self.basket.quote.total_minor - others
        if rest == cash:
            return 0
        rounded = cash_rounding(rest, self.basket.pricing.programme)
        takes_cash = any(tender.tender is TenderKind.CASH for tender in self._tenders)
        return rounded.rounding_minor if takes_cash and rounded.due_minor == cash else None

    @property
    def can_finish(self) -> bool:
        """Whether the tenders settle the basket."""
        return bool(self.basket.state.lines) and self.rounding() is not None

    def finish(self, shift: OpenShift, operator_id: OperatorId) -> CompletedSale:
        """Write the sale; returns after its commit. The basket is then empty for the next one.

        Raises DomainError ``not-settled``, ``balance-changed`` (points to be spent were spent
        elsewhere meanwhile: the points tender is given back) and ``entry-too-large``.
        """
        self.check_ready()
        rounding = self.rounding()
        if rounding is None:
            raise DomainError("not-settled", due=self.due().amount)
        settled = Settled(
            tenders=self._tenders,
            rounding=rounding,
            points=self._points,
            articles=self.given_articles(),
        )

        def work(transaction: Transaction) -> CompletedSale:
            return self._write(transaction, shift, operator_id, settled)

        try:
            sale = self._books.writer.run(work)
        except DomainError as error:
            if error.code == "balance-changed":
                self._refresh_member()
            raise
        self.clear()
        return sale

    def _write(
        self,
        transaction: Transaction,
        shift: OpenShift,
        operator_id: OperatorId,
        settled: Settled,
    ) -> CompletedSale:
        place = self._books.next_place(transaction)
        state = self.basket.state
        member = self._current_member(transaction, state.member)
        settled = self._with_rewards(settled, member)
        if settled.points and not (member and ticket.lots_hold(member.lots, settled.points)):
            raise DomainError("balance-changed")
        fact = ticket.sale_fact(
            self._ticket_place(place, shift, operator_id, member),
            self.basket.pricing,
            state,
            self.basket.priced(),
            settled,
            member,
            coupon_key=self._books.identity.lookup_key,
        )
        chained = self._books.append(
            transaction, Writing(fact, business_date=shift.business_date), place.entry_id
        )
        if fact.member is not None:
            member_store.set_tier(
                transaction.connection, fact.member.member_id, fact.member.tier_after
            )
        queue_original(
            transaction.connection,
            job_id=self._books.new_id(),
            entry_id=chained.id,
            language=self.language,
        )
        return CompletedSale(chained.id, fact, chained.hash)

    def _with_rewards(self, settled: Settled, member: Member | None) -> Settled:
        """The lots that rewards take, as they are at this very moment."""
        points = self.basket.quote.reward_points
        if not points:
            return settled
        try:
            lots = usable_lots(member, self.basket.pricing.programme) if member else []
            paid = settled.points.draws if settled.points else ()
            draws = draw(less(lots, paid), points, self._books.today())
        except DomainError as error:
            raise DomainError("balance-changed") from error
        tender = Tender(tender=TenderKind.POINTS, amount=0, points=points, lots=draws)
        return replace(settled, tenders=(*settled.tenders, tender), reward_points=points)

    def _current_member(self, transaction: Transaction, priced: Member | None) -> Member | None:
        """Balances of this very moment, at the tier the basket was priced with."""
        if priced is None:
            return None
        current = member_store.find(transaction.connection, priced.member_id)
        # Erased between the scan and the end of the sale: the sale stands, without a member.
        return replace(current, tier=priced.tier) if current else None

    def _ticket_place(
        self, place: EntryPlace, shift: OpenShift, operator_id: OperatorId, member: Member | None
    ) -> TicketPlace:
        identity = self._books.identity
        return TicketPlace(
            receipt_no=receipt_code(
                till_number=identity.till_number, epoch=place.epoch, number=place.seq + 1
            ),
            ticket_id=self._books.new_id(),
            entry_id=place.entry_id,
            store_id=identity.store_id,
            till_id=identity.till_id,
            shift_id=shift.shift_id,
            operator_id=operator_id,
            today=self._books.today(),
            as_of=member.balance_as_of if member else "",
            offline=self._is_offline(),
        )

    def _refresh_member(self) -> None:
        """Give a points tender back and show the balance as it is by now."""
        self._tenders = tuple(t for t in self._tenders if t.tender is not TenderKind.POINTS)
        self._points = None
        self.basket.lower(None)
        member = self.basket.state.member
        if member is not None:
            with self._books.reading() as connection:
                self.basket.attach(member_store.find(connection, member.member_id))

    def restore(self, state: BasketState, tenders: tuple[Tender, ...]) -> None:
        """Go on with a basket and what was taken for it before the till died."""
        # A basket that cannot be priced any more raises here and leaves everything as it was.
        self.basket.load(state)
        self._tenders, self._points = tenders, None

    def clear(self, pricing: Pricing | None = None) -> None:
        """An empty basket without tenders."""
        self._articles.clear()
        self._tenders = ()
        self._points = None
        self.basket.clear(pricing)


def _points_tender(payment: PointsPayment) -> Tender:
    return Tender(
        tender=TenderKind.POINTS,
        amount=payment.value_minor,
        points=payment.points,
        lots=payment.draws,
    )
