"""Ringing up and paying: from an open basket to a sale in the books."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from desktop.services import ticket
from desktop.services.basket import BasketState, Pricing
from desktop.services.books import Books, EntryPlace
from desktop.services.fiscal import Fiscal
from desktop.services.gift_cards import card_account
from desktop.services.giving import referral_of
from desktop.services.leases import LEASED_TENDERS, Leases
from desktop.services.returns import CompletedReturn, ReturnedBy, Returns
from desktop.services.tenders import Tenders
from desktop.services.ticket import Settled, TicketPlace
from desktop.store import members as member_store
from desktop.store.catalogue import find_by_id
from desktop.store.members import Member
from desktop.store.tickets import OpenShift
from desktop.store.writer import Transaction
from shared.catalogue.batches import check_batch
from shared.errors import DomainError
from shared.ids import EntryId, OperatorId
from shared.ledger.account import AccountKind
from shared.ledger.spending import tender_spends
from shared.loyalty.wallet import Wallet
from shared.pricing.redemption import THIS_SALE
from shared.pricing.tender_rules import Demanded
from shared.trade.fact import ReferralPaid, Tender, TenderKind
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.writing import Writing


class CompletedSale(NamedTuple):
    """A sale whose commit has returned."""

    entry_id: EntryId
    fact: SaleCompleted
    hash: bytes
    returned: SaleReturned | None = None
    """What came back for it, where it was an exchange."""

    @property
    def change(self) -> int:
        """What the customer gets back in cash."""
        return sum(tender.change for tender in self.fact.tenders)


class Checkout(Tenders):
    """The till's one basket with its tenders, and the sale that it becomes."""

    def __init__(
        self,
        books: Books,
        pricing: Pricing,
        *,
        leases: Leases,
        fiscal: Fiscal,
        returns: Returns,
        is_offline: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(books, pricing, leases, is_offline)
        self._fiscal = fiscal
        self._returns = returns
        self.basket.on_opened = fiscal.basket_opened

    def unseen(self) -> list[Demanded]:
        """What the cashier has yet to look at before anything is paid."""
        return self.basket.unseen(self.articles.given().values())

    def finish(self, shift: OpenShift, operator_id: OperatorId) -> CompletedSale:
        """Write the sale; returns after its commit. The basket is then empty for the next one.

        Raises DomainError ``not-settled``, ``balance-changed`` (points to be spent were spent
        elsewhere meanwhile: the points tender is given back), ``lease-gone`` (the right to spend
        has ended meanwhile), ``entry-too-large``, and of an exchange what
        ``Returns.take_in_exchange`` raises.
        """
        self.check_sale()
        rounding = self.rounding()
        if rounding is None:
            raise DomainError("not-settled", due=self.due().amount)
        settled = Settled(
            tenders=tuple(one for one in self._tenders if one.given or not one.is_set_off),
            rounding=rounding,
            points=self._redeeming.payment,
            articles=self.articles.given(),
        )

        came_back: list[CompletedReturn] = []

        def work(transaction: Transaction) -> CompletedSale:
            came_back[:] = self._take_in(transaction, shift, operator_id)
            return self._write(transaction, shift, operator_id, settled, came_back)

        try:
            sale = self._books.writer.run(work)
        except DomainError as error:
            if error.code in {"balance-changed", "lease-gone"}:
                self._refresh_member()
            raise
        for back in came_back:
            self._returns.written(back)
        self._fiscal.written(sale.entry_id)
        self.clear()
        return sale

    def _take_in(
        self, transaction: Transaction, shift: OpenShift, operator_id: OperatorId
    ) -> list[CompletedReturn]:
        """What comes back for the basket: written before the sale, or neither is."""
        exchange = self._exchange
        if exchange is None:
            return []
        by = ReturnedBy(shift=shift, operator_id=operator_id, reason=exchange.reason)
        ticket_id = self._books.new_id()
        pricing = self.basket.pricing
        return [
            self._returns.take_in_exchange(transaction, pricing, exchange, by, ticket_id=ticket_id)
        ]

    def _write(
        self,
        transaction: Transaction,
        shift: OpenShift,
        operator_id: OperatorId,
        settled: Settled,
        came_back: Sequence[CompletedReturn],
    ) -> CompletedSale:
        place = self._books.next_place(transaction)
        state = self.basket.state
        member = self._current_member(transaction, state.member)
        settled = self._with_rewards(settled, member)
        if settled.points and not (member and ticket.lots_hold(member.lots, settled.points)):
            raise DomainError("balance-changed")
        _check_value(settled.tenders, member)
        settled = self._by_lease(transaction, settled, member)
        fact = ticket.sale_fact(
            self._ticket_place(place, shift, operator_id, member),
            self.basket.pricing,
            state,
            self.basket.priced(),
            settled,
            member,
            self._referrer(transaction.connection, member),
            coupon_key=self._books.identity.lookup_key,
        )
        fact = msgspec.structs.replace(fact, fiscal=self._fiscal.outcome())
        for back in came_back:
            fact = msgspec.structs.replace(
                fact, exchange=back.entry_id, ticket_id=back.fact.ticket_id
            )
        chained = self._books.append_printed(
            transaction, Writing(fact, business_date=shift.business_date), place.entry_id
        )
        if fact.member is not None:
            member_store.set_tier(
                transaction.connection, fact.member.member_id, fact.member.tier_after
            )
        returned = came_back[0].fact if came_back else None
        return CompletedSale(chained.id, fact, chained.hash, returned)

    def _with_rewards(self, settled: Settled, member: Member | None) -> Settled:
        """The lots that rewards take, as they are at this very moment."""
        points = self.basket.quote.reward_points
        if not points:
            return settled
        paid = settled.points.draws if settled.points else ()
        draws = self._redeeming.reward_draws(member, paid)
        tender = Tender(tender=TenderKind.POINTS, amount=0, points=points, lots=draws)
        return replace(settled, tenders=(*settled.tenders, tender), reward_points=points)

    def _by_lease(
        self, transaction: Transaction, settled: Settled, member: Member | None
    ) -> Settled:
        """Each tender with the lease it spends by; points need one where the programme says so."""
        programme = self.basket.pricing.programme
        spends = [
            spend
            for spend in tender_spends(
                settled.tenders,
                member.member_id if member else "",
                currency=programme.currency,
                decimals=programme.points.decimals,
                own_lot=THIS_SALE,
            )
            if spend.amount > 0
            and (spend.account is not AccountKind.POINTS or programme.leases.for_points)
        ]
        if not spends:
            return settled
        tenders = self._leases.assign(transaction.connection, settled.tenders, spends)
        return replace(settled, tenders=tenders)

    def _current_member(self, transaction: Transaction, priced: Member | None) -> Member | None:
        """Balances of this very moment.

        None where they were erased between the scan and the end of the sale, which stands.
        """
        if priced is None:
            return None
        return member_store.find_person(transaction.connection, priced.member_id)

    def check_batches(self) -> None:
        """Whether all goods may still be sold, by what the till knows of them now.

        Raises DomainError ``batch-recalled`` and ``batch-lapsed``: they waited too long.
        """
        lines = [(one.goods, one.batch) for one in self.basket.state.lines if not one.comes_in]
        gifts = [(one, "") for one in self.articles.given().values()]
        today = self._books.today()
        with self._books.reading() as connection:
            for goods, batch in (*lines, *gifts):
                now = find_by_id(connection, goods.sku) or goods
                check_batch(now.sku, now.batches, batch, today)

    def referral(self) -> ReferralPaid | None:
        """What the sale as it is would pay for having brought its member, to both sides."""
        member, rule = self.basket.state.member, self.basket.pricing.programme.referral
        if member is None or not member.referred_by:
            return None
        with self._books.reading() as connection:
            referrer = self._referrer(connection, member)
        return referral_of(self.basket.priced(), rule, referrer)

    def _referrer(self, connection: Connection, member: Member | None) -> Member | None:
        """Who is to be paid for having brought a member; nobody of whom the till does not know."""
        if member is None or not member.referred_by:
            return None
        ids = (member.member_id, member.referred_by)
        persons = {member_store.stands_for(connection, one) for one in ids}
        if len(persons) == 1:
            # Nobody brought themselves, also not under another name.
            return None
        return member_store.find_by_now(connection, member.referred_by)

    def _ticket_place(
        self, place: EntryPlace, shift: OpenShift, operator_id: OperatorId, member: Member | None
    ) -> TicketPlace:
        identity = self._books.identity
        return TicketPlace(
            receipt_no=self._books.receipt_no(place),
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
        """Give back what was paid of the member's accounts, and show them as they are by now."""
        self._tenders = tuple(t for t in self._tenders if t.tender not in LEASED_TENDERS)
        self._redeeming.give_back()
        self.basket.lower(None)
        member = self.basket.state.member
        if member is not None:
            with self._books.reading() as connection:
                self.basket.attach(member_store.find_person(connection, member.member_id))

    def restore(self, state: BasketState, tenders: tuple[Tender, ...]) -> None:
        """Go on with a basket and what was taken for it before the till died."""
        # A basket that cannot be priced any more raises here and leaves everything as it was.
        self.basket.load(state)
        self._tenders, self._exchange = tenders, None
        for tender in tenders:
            if tender.tender is TenderKind.GIFT_CARD:
                # Its lease is in use again.
                self._leases.want(card_account(tender.reference), tender.amount)
        self._redeeming.give_back()

    def clear(self, pricing: Pricing | None = None) -> None:
        """An empty basket without tenders."""
        self.articles.forget()
        self._tenders, self._exchange = (), None
        self._redeeming.give_back()
        self._fiscal.basket_over()
        self.basket.clear(pricing)


def _check_value(tenders: tuple[Tender, ...], member: Member | None) -> None:
    """DomainError ``balance-changed`` where stored value holds too little by now."""
    for tender in tenders:
        if tender.tender is not TenderKind.STORED_VALUE:
            continue
        wallet = member.wallet if member else Wallet()
        if wallet.bonus < tender.bonus or wallet.principal < tender.amount - tender.bonus:
            raise DomainError("balance-changed")
