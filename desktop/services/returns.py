"""Returns: by receipt, giving and taking back exactly each line's share; or without one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from desktop.services.basket import Pricing
from desktop.services.books import Books
from desktop.services.exchanging import Exchange, in_cash, set_off_with
from desktop.services.fiscal import Fiscal
from desktop.store import holds
from desktop.store import members as member_store
from desktop.store.bundles import read_bundle
from desktop.store.catalogue import find_by_id
from desktop.store.coupons import coupon_uses
from desktop.store.members import Member
from desktop.store.tickets import (
    OpenShift,
    find_receipt,
    given_without_receipt,
    returns_of,
)
from desktop.store.writer import Transaction
from shared.errors import DomainError
from shared.ids import CouponId, EntryId, GoodsId, OperatorId
from shared.ledger.account import COUPON, Account, AccountKind
from shared.loyalty.returns import check_return_day
from shared.pricing.basket import BasketLine
from shared.returning.goods_back import GoodsBack, ReturnTicket, TakingBack, unreceipted_return
from shared.returning.lines import SoldBy, Wanted
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Approval, Tender
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.writing import Writing

WITHOUT_RECEIPT = "return-without-receipt"
WITHOUT_GOODS = "refund-amount"
"""What a manager approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedBy:
    """Who takes goods back, in which shift, why, and who allowed it."""

    shift: OpenShift
    operator_id: OperatorId
    reason: str
    approvals: tuple[Approval, ...] = ()


class CompletedReturn(NamedTuple):
    """A return whose commit has returned."""

    entry_id: EntryId
    fact: SaleReturned


class Returns:
    """Taking goods back."""

    def __init__(
        self, books: Books, fiscal: Fiscal, *, is_offline: Callable[[], bool] = lambda: False
    ) -> None:
        self._books = books
        self._fiscal = fiscal
        self._is_offline = is_offline

    def by_receipt(self, receipt_no: str) -> ReturnableSale:
        """The sale of a receipt; DomainError ``unknown-receipt`` if it was not made here."""
        with self._books.reading() as connection:
            found = find_receipt(connection, receipt_no)
            if found is None:
                raise DomainError("unknown-receipt", receipt_no=receipt_no)
            entry, sale = found
            returns = tuple(returns_of(connection, entry.envelope.id))
        sold_at = datetime.fromisoformat(entry.envelope.occurred_at)
        return ReturnableSale(entry.envelope.id, sold_at, sale, returns)

    def take_back(
        self,
        pricing: Pricing,
        sold: ReturnableSale,
        wanted: Sequence[Wanted],
        by: ReturnedBy,
    ) -> CompletedReturn:
        """Return units of a sale, with or without a network.

        Raises DomainError ``nothing-to-return``, ``return-exceeds-sale``, ``return-too-late``.
        """
        self._check(pricing, sold, wanted)

        def work(transaction: Transaction) -> CompletedReturn:
            current, taking = self._taking(transaction.connection, pricing, sold)
            back = taking.of_goods(wanted)
            return self._write(transaction, pricing, back, by, original=current)

        return self.written(self._books.writer.run(work))

    def would_give(
        self, pricing: Pricing, sold: ReturnableSale, wanted: Sequence[Wanted]
    ) -> tuple[Tender, ...]:
        """What taking these back now would give; writes nothing. Raises what ``take_back`` does."""
        self._check(pricing, sold, wanted)
        with self._books.reading() as connection:
            return self._taking(connection, pricing, sold)[1].of_goods(wanted).refunds

    def refund_amount(
        self, pricing: Pricing, sold: ReturnableSale, amount: int, by: ReturnedBy
    ) -> CompletedReturn:
        """Give back money of a sale whose goods stay with the customer; points go with it.

        Raises DomainError ``approval-needed``, ``return-too-late`` and ``refund-exceeds-sale``.
        """
        if all(approval.action != WITHOUT_GOODS for approval in by.approvals):
            raise DomainError("approval-needed", action=WITHOUT_GOODS)
        check_return_day(pricing.programme.returns, sold=sold.sold_on, today=self._books.today())

        def work(transaction: Transaction) -> CompletedReturn:
            current, taking = self._taking(transaction.connection, pricing, sold)
            back = taking.of_amount(amount)
            return self._write(transaction, pricing, back, by, original=current)

        return self.written(self._books.writer.run(work))

    def take_in_exchange(
        self,
        transaction: Transaction,
        pricing: Pricing,
        exchange: Exchange,
        by: ReturnedBy,
        *,
        ticket_id: str,
    ) -> CompletedReturn:
        """The return of an exchange, in the transaction of its sale, without a paper of its own.

        The sale has to be the next entry. Raises what ``take_back`` raises, and DomainError
        ``exchange-changed`` where other cash would go back than has paid for the basket.
        """
        self._check(pricing, exchange.sold, exchange.wanted)
        current, taking = self._taking(transaction.connection, pricing, exchange.sold)
        back = taking.of_goods(exchange.wanted)
        if in_cash(back.refunds) != exchange.cash:
            raise DomainError("exchange-changed", receipt_no=current.sale.receipt_no)
        place = self._books.next_place(transaction)
        sale_no = self._books.receipt_no(place._replace(seq=place.seq + 1))
        refunds = tuple(set_off_with(sale_no, one) for one in back.refunds)
        return self._write(
            transaction,
            pricing,
            replace(back, refunds=refunds),
            by,
            original=current,
            exchange_id=ticket_id,
        )

    def _check(self, pricing: Pricing, sold: ReturnableSale, wanted: Sequence[Wanted]) -> None:
        if not wanted:
            raise DomainError("nothing-to-return")
        check_return_day(pricing.programme.returns, sold=sold.sold_on, today=self._books.today())

    def _taking(
        self, connection: Connection, pricing: Pricing, sold: ReturnableSale
    ) -> tuple[ReturnableSale, TakingBack]:
        """The sale as it is known now, and who takes of it back."""
        # What came back meanwhile counts: the journal of this moment decides.
        known = returns_of(connection, sold.entry_id)
        current = replace(sold, returns=_all_of(sold.returns, known))
        sold_by = _sold_by(connection, current)
        used = _coupon_uses(connection, current.sale)
        current = replace(
            current,
            coupons_used=frozenset(used),
            coupons_used_up=_used_up(current.sale, used, sold_by),
        )
        return current, TakingBack(
            current,
            pricing.programme,
            _member(connection, current.sale),
            today=self._books.today(),
            sold_by=sold_by,
            referrer=_referrer(connection, current.sale),
            offline=self._is_offline(),
        )

    def take_back_without_receipt(
        self,
        pricing: Pricing,
        lines: Sequence[BasketLine],
        by: ReturnedBy,
        *,
        hold_id: str | None = None,
    ) -> CompletedReturn:
        """Return goods nobody has a receipt for, at today's list price, in cash.

        ``hold_id`` names the held basket that the lines were taken up from: it is gone with them.

        Raises DomainError ``nothing-to-return``, ``approval-needed``, and ``return-needs-receipt``
        or ``returns-without-receipt-today`` above what the programme allows at once, or in a
        business day.
        """
        if not lines:
            raise DomainError("nothing-to-return")
        if all(approval.action != WITHOUT_RECEIPT for approval in by.approvals):
            raise DomainError("approval-needed", action=WITHOUT_RECEIPT)
        at = self._books.clock.now().astimezone(self._books.identity.zone)

        def work(transaction: Transaction) -> CompletedReturn:
            back = unreceipted_return(
                lines,
                pricing.programme,
                at=at,
                store=pricing.store_id,
                given_today=given_without_receipt(transaction.connection, by.shift.business_date),
            )
            if hold_id is not None:
                holds.drop(transaction.connection, hold_id)
            return self._write(transaction, pricing, back, by, original=None)

        return self.written(self._books.writer.run(work))

    def written(self, back: CompletedReturn) -> CompletedReturn:
        """After the commit: the fiscal device has to sign it."""
        self._fiscal.written(back.entry_id, of_basket=False)
        return back

    def _write(
        self,
        transaction: Transaction,
        pricing: Pricing,
        back: GoodsBack,
        by: ReturnedBy,
        *,
        original: ReturnableSale | None,
        exchange_id: str = "",
    ) -> CompletedReturn:
        place = self._books.next_place(transaction)
        identity = self._books.identity
        ticket = ReturnTicket(
            receipt_no=self._books.receipt_no(place),
            ticket_id=exchange_id or self._books.new_id(),
            store_id=identity.store_id,
            till_id=identity.till_id,
            shift_id=by.shift.shift_id,
            operator_id=by.operator_id,
            currency=pricing.programme.currency,
            programme=pricing.ref,
            original=original,
            reason=by.reason,
            approvals=by.approvals,
        )
        fact = msgspec.structs.replace(back.fact(ticket), fiscal=self._fiscal.outcome())
        writing = Writing(
            fact,
            business_date=by.shift.business_date,
            depends_on=(original.entry_id,) if original else (),
        )
        append = self._books.append if exchange_id else self._books.append_printed
        chained = append(transaction, writing, place.entry_id)
        if fact.member is not None:
            member_store.set_tier(
                transaction.connection, fact.member.member_id, fact.member.tier_after
            )
        return CompletedReturn(chained.id, fact)


def _member(connection: Connection, sale: SaleCompleted) -> Member | None:
    if sale.member is None:
        return None
    return member_store.find_by_now(connection, sale.member.member_id)


def _referrer(connection: Connection, sale: SaleCompleted) -> Member | None:
    """Who was paid for having brought the sale's member."""
    if sale.referral is None:
        return None
    return member_store.find_by_now(connection, sale.referral.referrer_id)


def _sold_by(connection: Connection, sold: ReturnableSale) -> SoldBy | None:
    """The programme of the sale, if the till has it, with the goods as they are known now."""
    found = read_bundle(connection, sold.sale.programme.version)
    if found is None or found[0] != sold.sale.programme:
        return None
    skus = {line.goods_id for line in sold.sale.lines}
    goods = {sku: find_by_id(connection, GoodsId(sku)) for sku in skus}
    return SoldBy(found[1], sold.sold_at, {sku: one for sku, one in goods.items() if one})


def _coupon_uses(connection: Connection, sale: SaleCompleted) -> Counter[CouponId]:
    """How often coupons that the sale issued have been used, by this till's own books."""
    return Counter(
        {
            one.coupon_id: uses
            for one in sale.coupons_issued
            if (uses := coupon_uses(connection, _account_of(one.coupon_id)))
        }
    )


def _account_of(coupon: CouponId) -> Account:
    return Account(AccountKind.COUPON, coupon, "", COUPON)


def _used_up(
    sale: SaleCompleted, used: Counter[CouponId], sold_by: SoldBy | None
) -> frozenset[CouponId]:
    """Coupons that are of no use any more."""
    allowed = {one.offer: one.uses for one in sold_by.programme.coupons} if sold_by else {}
    return frozenset(
        one.coupon_id
        for one in sale.coupons_issued
        if used[one.coupon_id] >= allowed.get(one.offer_id, 1)
    )


def _all_of(
    told: Iterable[SaleReturned], known: Iterable[SaleReturned]
) -> tuple[SaleReturned, ...]:
    """Returns of a sale from here and elsewhere, each once."""
    return tuple({one.receipt_no: one for one in (*told, *known)}.values())
